// What all charts share: looks of series, axes, and text that fits.

import type { Markish, PlotOptions, ScaleOptions } from '@observablehq/plot';
import { shortNumber } from '../../core/certificate.ts';
import type { Axis, SeriesRole } from '../chart.ts';
import type { Plot } from '../dependencies.ts';
import { seriesColor } from '../theme.ts';

export const fontSize = 12;

/** Mean width of a character of the interface font at 12 px, rounded up. */
const characterWidth = 6.9;

/** Shapes in the order of the series, so that they differ without colour. */
const symbols = ['circle', 'square', 'triangle', 'diamond', 'star', 'wye', 'cross', 'hexagon'] as const;

/** What a series looks like. */
export interface SeriesStyle {
  color: string;
  symbol: (typeof symbols)[number];
  role: SeriesRole;
}

export function seriesStyle(index: number, role: SeriesRole = 'measured'): SeriesStyle {
  return { color: seriesColor(index), symbol: symbols[index % symbols.length], role };
}

/** Dash pattern of a role: measured solid, bound dashed, reference dotted. */
export function dashOf(role: SeriesRole): string | undefined {
  if (role === 'bound') return '7 4';
  return role === 'reference' ? '2 3.5' : undefined;
}

/** Pixels that a text takes at 12 px, estimated. */
export function textWidth(text: string): number {
  return text.length * characterWidth;
}

/** `text` cut to about `width` pixels, with an ellipsis where something was cut. */
export function fitText(text: string, width: number): string {
  const room = Math.max(2, Math.floor(width / characterWidth));
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** Plot's scale for `axis`. @param values - all values drawn along it */
export function axisOptions({ label, scale = 'linear', include = [] }: Axis, values: number[]): ScaleOptions {
  const [low, high] = extent([...include, ...values]);
  const tickFormat = (value: number): string => shortNumber(value);
  if (scale === 'log')
    return { type: 'log', domain: [low, high], ticks: logTicks(low, high), label, tickFormat };
  return { type: 'linear', domain: [low, high], nice: true, label, tickFormat };
}

/** Least and greatest value; widened when they are equal, so that a scale has a length. */
function extent(values: readonly number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  if (low < high) return [low, high];
  return low === 0 ? [-1, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
}

/** Numbers on a log axis: 1, 2, 5 times powers of ten over two decades or less, powers of ten beyond. */
export function logTicks(low: number, high: number): number[] {
  const steps = Math.log10(high / low) <= 2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) ticks.push(Number(`${step}e${power}`));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** Pixels left of the frame of a chart with numeric axes: room for numbers of five characters. */
export const marginLeft = 56;

/** Margins of a chart with numeric axes and a legend of `legendHeight` pixels above it. */
export function frameMargins(legendHeight: number): PlotOptions {
  return { marginLeft, marginRight: 20, marginBottom: 42, marginTop: legendHeight + 34 };
}

/** The label of the vertical axis, upright, between legend and frame: Plot would put it above the legend. */
export function verticalLabel(plot: Plot, label: string): Markish {
  return plot.text([`↑ ${label}`], {
    frameAnchor: 'top-left',
    dx: 6 - marginLeft,
    dy: -21,
    textAnchor: 'start',
    fontSize,
  });
}

/** Options common to all charts: the page's font and colours, nothing of Plot's own ground. */
export function baseOptions(width: number, height: number): PlotOptions {
  return {
    width,
    height,
    style: { fontSize: `${fontSize}px`, fontFamily: 'inherit', background: 'none', overflow: 'visible' },
  };
}
