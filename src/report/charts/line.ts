// Lines with error bands.

import type { Markish, PlotOptions } from '@observablehq/plot';
import type { LineChart } from '../chart.ts';
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
export function lineOptions(plot: Plot, chart: LineChart, width: number): PlotOptions {
  const styles = chart.series.map(({ role }, i) => seriesStyle(i, role));
  const items = chart.series.map(({ name }, i) => ({
    label: name,
    style: styles[i],
    shape: 'line' as const,
  }));
  const legend = drawLegend(plot, items, width, marginLeft);
  const marks = chart.series.flatMap(({ points }, i): Markish[] => {
    const { color, symbol, role } = styles[i];
    const dash = dashOf(role);
    const banded = points.filter(({ low, high }) => low !== undefined && high !== undefined);
    const line = { x: 'x', y: 'y', stroke: color, strokeWidth: 2 };
    return [
      plot.areaY(banded, { x: 'x', y1: 'low', y2: 'high', fill: color, fillOpacity: 0.16 }),
      plot.lineY(points, dash ? { ...line, strokeDasharray: dash } : line),
      // Bounds and references are curves, not observations: they carry no dots.
      plot.dot(role === 'measured' ? points : [], { x: 'x', y: 'y', fill: color, symbol, r: 4 }),
    ];
  });
  const points = chart.series.flatMap((series) => series.points);
  const heights = points.flatMap(({ y, low = y, high = y }) => [y, low, high]);
  return {
    ...baseOptions(width, Math.round(Math.max(260, width * 0.48)) + legend.height),
    ...frameMargins(legend.height),
    x: axisOptions(
      chart.x,
      points.map((point) => point.x),
    ),
    y: { ...axisOptions(chart.y, heights), label: null, grid: true },
    marks: [...marks, ...legend.marks, verticalLabel(plot, chart.y.label)],
  };
}
