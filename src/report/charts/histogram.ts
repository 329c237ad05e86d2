// Distribution of values, with marked positions.

import type { Markish, PlotOptions } from '@observablehq/plot';
import type { Histogram } from '../chart.ts';
import type { Plot } from '../dependencies.ts';
import {
  axisOptions,
  baseOptions,
  dashOf,
  frameMargins,
  marginLeft,
  seriesStyle,
  verticalLabel,
} from './frame.ts';
import { drawLegend } from './legend.ts';

/** @param width - in pixels */
export function histogramOptions(plot: Plot, chart: Histogram, width: number): PlotOptions {
  const { values, bins = 30, marks = [] } = chart;
  // Series 1 is the bars; marks take the colours after it.
  const styles = marks.map(({ role }, i) => seriesStyle(i + 1, role));
  const items = marks.map(({ label }, i) => ({ label, style: styles[i], shape: 'rule' as const }));
  const legend = drawLegend(plot, items, width, marginLeft);
  const rules = marks.map(({ value, role }, i): Markish => {
    const rule = { stroke: styles[i].color, strokeWidth: 2 };
    const dash = dashOf(role);
    return plot.ruleX([value], dash ? { ...rule, strokeDasharray: dash } : rule);
  });
  return {
    ...baseOptions(width, Math.round(Math.max(240, width * 0.42)) + legend.height),
    ...frameMargins(legend.height),
    x: axisOptions(chart.x, [...values, ...marks.map(({ value }) => value)]),
    y: { grid: true, label: null },
    marks: [
      plot.rectY(values, {
        ...plot.binX({ y: 'count' }, { x: (value: number) => value, thresholds: bins }),
        fill: 'var(--series-1)',
        inset: 0.5,
      }),
      plot.ruleY([0], { stroke: 'currentColor' }),
      ...rules,
      ...legend.marks,
      verticalLabel(plot, 'count'),
    ],
  };
}
