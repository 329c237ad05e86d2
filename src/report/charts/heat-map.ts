// A matrix of values as shades of one hue.

import type { PlotOptions } from '@observablehq/plot';
import { shortNumber } from '../../core/certificate.ts';
import type { HeatMap } from '../chart.ts';
import type { Plot } from '../dependencies.ts';
import { baseOptions, fitText, textWidth } from './frame.ts';

/** Faintest shade, so that a zero cell can be told from an empty one. */
const faintest = 0.04;

/** Opacity of the shade for `value` in [low, high]; linear. */
export function heatOpacity(value: number, low: number, high: number): number {
  if (!(high > low)) return 0.5;
  return faintest + (1 - faintest) * ((value - low) / (high - low));
}

/** @param width - in pixels */
export function heatMapOptions(plot: Plot, chart: HeatMap, width: number): PlotOptions {
  const { rows, columns, values, rowLabel, columnLabel } = chart;
  const finite = Array.from(values).filter(Number.isFinite);
  const low = finite.reduce((least, value) => Math.min(least, value), Infinity);
  const high = finite.reduce((most, value) => Math.max(most, value), -Infinity);
  const cells = Array.from(values, (value, i) => ({
    row: Math.floor(i / columns.length),
    column: i % columns.length,
    opacity: Number.isFinite(value) ? heatOpacity(value, low, high) : 0,
    text: Number.isFinite(value) ? shortNumber(value) : '–',
  }));
  const labelWidth = Math.min(width * 0.3, Math.max(...rows.map(textWidth)) + 14);
  const cellWidth = (width - labelWidth - 20) / columns.length;
  const cellHeight = Math.max(22, Math.min(44, cellWidth));
  // Names that do not fit side by side stand on end.
  const upright = columns.some((name) => textWidth(name) > cellWidth);
  const footHeight = 46 + (upright ? Math.min(110, Math.max(...columns.map(textWidth))) - 14 : 0);
  const numbered = cells.every(({ text }) => textWidth(text) <= cellWidth - 4);
  const place = { x: 'column', y: 'row' };
  return {
    ...baseOptions(width, rows.length * cellHeight + 32 + footHeight),
    marginLeft: labelWidth + 8,
    marginRight: 12,
    marginTop: 24,
    marginBottom: footHeight,
    padding: 0.04,
    x: {
      type: 'band',
      domain: columns.map((_, i) => i),
      label: columnLabel,
      tickSize: 0,
      tickRotate: upright ? -90 : 0,
      tickFormat: (i: number) => fitText(columns[i], upright ? 110 : cellWidth),
    },
    y: {
      type: 'band',
      domain: rows.map((_, i) => i),
      label: rowLabel,
      tickSize: 0,
      tickFormat: (i: number) => fitText(rows[i], labelWidth - 8),
    },
    marks: [
      plot.cell(cells, {
        ...place,
        fill: 'var(--heat)',
        fillOpacity: (cell: { opacity: number }) => cell.opacity,
      }),
      // The darkest shade still carries the text colour with contrast ≥ 4.5 : 1 (theme.test.ts).
      plot.text(numbered ? cells : [], { ...place, text: 'text' }),
    ],
  };
}
