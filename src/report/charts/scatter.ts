// Dots in the plane, coloured and shaped by category.

import type { PlotOptions } from '@observablehq/plot';
import type { ScatterChart } from '../chart.ts';
import type { Plot } from '../dependencies.ts';
import { axisOptions, baseOptions, frameMargins, marginLeft, seriesStyle, verticalLabel } from './frame.ts';
import { drawLegend } from './legend.ts';

/** @param width - in pixels */
export function scatterOptions(plot: Plot, chart: ScatterChart, width: number): PlotOptions {
  const { points, radius = points.length > 500 ? 1.8 : 3 } = chart;
  const categories = chart.categories ?? categoriesOf(chart);
  const styles = categories.map((_, i) => seriesStyle(i));
  const items = categories
    .map((label, i) => ({ label, style: styles[i], shape: 'dot' as const }))
    .filter(({ label }) => label !== '');
  const legend = drawLegend(plot, items, width, marginLeft);
  const marks = categories.map((category, i) =>
    plot.dot(
      points.filter((point) => (point.category ?? '') === category),
      { x: 'x', y: 'y', fill: styles[i].color, symbol: styles[i].symbol, r: radius, fillOpacity: 0.75 },
    ),
  );
  const size = Math.round(chart.equalScales ? width * 0.8 : Math.max(260, width * 0.56));
  return {
    ...baseOptions(width, size + legend.height),
    ...frameMargins(legend.height),
    x: axisOptions(
      chart.x,
      points.map((point) => point.x),
    ),
    y: {
      ...axisOptions(
        chart.y,
        points.map((point) => point.y),
      ),
      label: null,
      grid: true,
    },
    ...(chart.equalScales ? { aspectRatio: 1 } : {}),
    marks: [...marks, ...legend.marks, verticalLabel(plot, chart.y.label)],
  };
}

/** Categories in order of appearance; '' stands for none. */
export function categoriesOf({ points }: ScatterChart): string[] {
  return [...new Set(points.map(({ category = '' }) => category))];
}
