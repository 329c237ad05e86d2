// Horizontal bars with intervals as whiskers.

import type { PlotOptions } from '@observablehq/plot';
import { shortNumber } from '../../core/certificate.ts';
import type { Bar, BarChart } from '../chart.ts';
import type { Plot } from '../dependencies.ts';
import { axisOptions, baseOptions, dashOf, fitText, fontSize, textWidth } from './frame.ts';

const barHeight = 34;
const inset = { insetTop: 6, insetBottom: 6 };

/** @param width - in pixels */
export function barOptions(plot: Plot, chart: BarChart, width: number): PlotOptions {
  const { bars } = chart;
  const labelWidth = Math.min(width * 0.4, Math.max(...bars.map(({ label }) => textWidth(label))) + 14);
  const color = ({ emphasis }: Bar): string => (emphasis ? 'var(--series-1)' : 'var(--series-8)');
  const filled = bars.filter(({ role = 'measured' }) => role === 'measured');
  const intervals = bars.filter(({ low, high }) => low !== undefined && high !== undefined);
  const ends = bars.flatMap(({ value, low = value, high = value }) => [value, low, high]);
  const end = ({ value, high = value }: Bar): number => Math.max(value, high, 0);
  const values = {
    x: end,
    y: 'label',
    text: ({ value }: Bar) => shortNumber(value),
    dx: 8,
    fontSize,
  } as const;
  const numbers = { ...values, textAnchor: 'start', fontVariant: 'tabular-nums' } as const;
  return {
    ...baseOptions(width, bars.length * barHeight + 56),
    marginLeft: labelWidth,
    marginRight: 64,
    marginTop: 8,
    marginBottom: 42,
    x: { ...axisOptions(chart.value, [0, ...ends]), grid: true },
    y: {
      type: 'band',
      domain: bars.map(({ label }) => label),
      label: null,
      tickSize: 0,
      tickFormat: (label: string) => fitText(label, labelWidth - 12),
    },
    marks: [
      plot.barX(filled, { x: 'value', y: 'label', fill: color, rx: 2, ...inset }),
      // A bound or reference is an outline: no measured amount fills it.
      ...bars.flatMap((bar) => {
        const strokeDasharray = dashOf(bar.role ?? 'measured');
        const outline = {
          x: 'value',
          y: 'label',
          fill: 'none',
          stroke: color(bar),
          strokeWidth: 1.5,
          ...inset,
        };
        return strokeDasharray ? [plot.barX([bar], { ...outline, strokeDasharray })] : [];
      }),
      // The stroke of the ground below the whisker makes it visible on the bar.
      plot.link(intervals, { x1: 'low', x2: 'high', y: 'label', stroke: 'var(--surface)', strokeWidth: 4.5 }),
      plot.link(intervals, { x1: 'low', x2: 'high', y: 'label', stroke: 'currentColor', strokeWidth: 1.5 }),
      ...['low', 'high'].map((x) =>
        plot.tickX(intervals, {
          x,
          y: 'label',
          stroke: 'currentColor',
          strokeWidth: 1.5,
          insetTop: 12,
          insetBottom: 12,
        }),
      ),
      plot.text(
        bars.filter(({ emphasis }) => !emphasis),
        numbers,
      ),
      plot.text(
        bars.filter(({ emphasis }) => emphasis),
        { ...numbers, fontWeight: 700 },
      ),
      plot.ruleX([0], { stroke: 'currentColor' }),
    ],
  };
}
