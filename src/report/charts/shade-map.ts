// A large matrix as shades of one hue, with rectangles and ticks drawn over it.

import type { PlotOptions } from '@observablehq/plot';
import { shortNumber } from '../../core/certificate.ts';
import type { ShadeMap } from '../chart.ts';
import type { Plot } from '../dependencies.ts';
import {
  baseOptions,
  frameMargins,
  marginLeft,
  type SeriesStyle,
  seriesStyle,
  verticalLabel,
} from './frame.ts';
import { drawLegend, type LegendItem } from './legend.ts';

/** Shades that are told apart: more would only make the file longer. */
const shades = 16;

/** What a log shade still shows, as a share of the largest value. */
const logFloor = 1e-2;

/** @param width - in pixels */
export function shadeMapOptions(plot: Plot, chart: ShadeMap, width: number): PlotOptions {
  const { x, y, outlines, ticks } = chart;
  const outlined: SeriesStyle = { ...seriesStyle(1), role: 'reference' };
  const ticked = seriesStyle(2);
  const items: LegendItem[] = [];
  if (outlines) items.push({ label: outlines.name, style: outlined, shape: 'rule' });
  if (ticks) items.push({ label: ticks.name, style: ticked, shape: 'rule' });
  const legend = drawLegend(plot, items, width, marginLeft);
  const margins = frameMargins(legend.height);
  const { marginTop = 0, marginRight = 0, marginBottom = 0 } = margins;
  const height = chart.equalScales
    ? ((width - marginLeft - marginRight) * y.end) / x.end + marginTop + marginBottom
    : 0.8 * width + legend.height;
  const tickFormat = (value: number): string => shortNumber(value);
  return {
    ...baseOptions(width, Math.round(height)),
    ...margins,
    x: { type: 'linear', domain: [0, x.end], label: x.label, tickFormat },
    y: { type: 'linear', domain: [y.end, 0], label: null, tickFormat },
    marks: [
      plot.rect(runsOf(chart), {
        ...{ x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2' },
        fill: 'var(--heat)',
        fillOpacity: 'opacity',
        shapeRendering: 'crispEdges',
      }),
      plot.rect(outlines?.rectangles ?? [], {
        ...{ x1: ({ x: [from] }) => from, x2: ({ x: [, to] }) => to },
        ...{ y1: ({ y: [from] }) => from, y2: ({ y: [, to] }) => to },
        ...{ fill: 'none', stroke: outlined.color, strokeDasharray: '2 2' },
      }),
      plot.ruleX(ticks?.positions ?? [], {
        ...{ y1: 0, y2: y.end / 40, stroke: ticked.color, strokeWidth: 1 },
      }),
      plot.frame({ stroke: 'var(--rule)' }),
      ...legend.marks,
      verticalLabel(plot, y.label),
    ],
  };
}

/** A run of cells of one shade in one row. */
interface Run {
  x1: number;
  x2: number;
  y1: number;
  y2: number;
  opacity: number;
}

/** Neighbours of one shade are drawn as one, empty cells not at all. */
function runsOf({ rows, columns, values, shade = 'linear', x, y }: ShadeMap): Run[] {
  const most = Array.from(values).reduce((a, b) => Math.max(a, b), 0);
  const levelOf = (value: number): number => {
    if (value === 0) return 0;
    const share = shade === 'log' ? 1 - Math.log(value / most) / Math.log(logFloor) : value / most;
    return Math.max(1, Math.round(shades * share));
  };
  const runs: Run[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; ) {
      const level = levelOf(values[i * columns + j]);
      let end = j + 1;
      while (end < columns && levelOf(values[i * columns + end]) === level) end++;
      if (level > 0) {
        runs.push({
          ...{ x1: (j * x.end) / columns, x2: (end * x.end) / columns },
          ...{ y1: (i * y.end) / rows, y2: ((i + 1) * y.end) / rows, opacity: level / shades },
        });
      }
      j = end;
    }
  }
  return runs;
}
