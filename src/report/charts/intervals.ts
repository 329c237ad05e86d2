// Estimates with their intervals: a dot on a whisker a row, and a dashed tick where the exact answer is.

import type { PlotOptions } from '@observablehq/plot';
import type { IntervalChart, IntervalRow } from '../chart.ts';
import type { Plot } from '../dependencies.ts';
import { axisOptions, baseOptions, fitText, type SeriesStyle, seriesStyle, textWidth } from './frame.ts';
import { drawLegend, type LegendItem } from './legend.ts';

const rowHeight = 30;

/** @param width - in pixels */
export function intervalOptions(plot: Plot, chart: IntervalChart, width: number): PlotOptions {
  const { rows } = chart;
  const labelWidth = Math.min(width * 0.4, Math.max(...rows.map(({ label }) => textWidth(label))) + 14);
  const estimate = seriesStyle(0);
  const exact: SeriesStyle = { color: 'var(--ink)', symbol: 'circle', role: 'reference' };
  const audited = rows.filter((row) => row.exact !== undefined);
  const items: LegendItem[] = [{ label: 'estimate and interval', style: estimate, shape: 'line' }];
  if (audited.length > 0) items.push({ label: 'exact answer', style: exact, shape: 'rule' });
  const legend = drawLegend(plot, items, width, labelWidth);
  const values = rows.flatMap(({ value, low, high, exact: truth = value }) => [value, low, high, truth]);
  const [held, missed] = [audited.filter(holds), audited.filter((row) => !holds(row))];
  const tick = { x: 'exact', y: 'label', strokeWidth: 2.5, insetTop: 4, insetBottom: 4 } as const;
  return {
    ...baseOptions(width, rows.length * rowHeight + legend.height + 76),
    marginLeft: labelWidth,
    marginRight: 20,
    marginTop: legend.height + 34,
    marginBottom: 42,
    x: { ...axisOptions(chart.value, values), grid: true },
    y: {
      type: 'band',
      domain: rows.map(({ label }) => label),
      label: null,
      tickSize: 0,
      tickFormat: (label: string) => fitText(label, labelWidth - 12),
    },
    marks: [
      plot.link(rows, { x1: 'low', x2: 'high', y: 'label', stroke: estimate.color, strokeWidth: 2 }),
      ...['low', 'high'].map((x) =>
        plot.tickX(rows, {
          x,
          y: 'label',
          stroke: estimate.color,
          strokeWidth: 2,
          insetTop: 8,
          insetBottom: 8,
        }),
      ),
      plot.dot(rows, { x: 'value', y: 'label', fill: estimate.color, r: 4.5 }),
      plot.tickX(held, { ...tick, stroke: 'currentColor', strokeDasharray: '3 2.5' }),
      // A miss is solid, red and named: none of the three alone has to be seen.
      plot.tickX(missed, { ...tick, stroke: 'var(--bad)' }),
      plot.text(missed, { x: 'exact', y: 'label', text: () => 'missed', dy: -13, fill: 'var(--bad)' }),
      ...legend.marks,
    ],
  };
}

function holds({ low, high, exact = low }: IntervalRow): boolean {
  return low <= exact && exact <= high;
}
