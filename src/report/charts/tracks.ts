// Tracks over a common axis: runs of items of one category as bars, told apart by height and colour.

import type { PlotOptions } from '@observablehq/plot';
import { shortNumber } from '../../core/certificate.ts';
import type { TrackChart } from '../chart.ts';
import type { Plot } from '../dependencies.ts';
import {
  baseOptions,
  fitText,
  frameMargins,
  marginLeft as leastMargin,
  seriesStyle,
  textWidth,
  verticalLabel,
} from './frame.ts';
import { drawLegend } from './legend.ts';

/** Pixels that all tracks together take, about. */
const tracksHeight = 400;
/** Pixels from one name of a track to the next, at least. */
const nameRoom = 15;

/** @param width - in pixels */
export function trackOptions(plot: Plot, chart: TrackChart, width: number): PlotOptions {
  const { rows, columns, categories, x, rowLabel, divider } = chart;
  const styles = categories.map((_, i) => seriesStyle(i));
  const marginLeft = Math.max(leastMargin, Math.min(width * 0.3, Math.max(...rows.map(textWidth)) + 14));
  const legend = drawLegend(
    plot,
    categories.map(({ name, height }, i) => ({
      ...{ label: name, style: styles[i], shape: 'bar' as const, height },
    })),
    width,
    marginLeft,
  );
  const margins = { ...frameMargins(legend.height), marginLeft };
  const { marginTop = 0, marginBottom = 0 } = margins;
  const track = Math.max(6, Math.min(34, tracksHeight / rows.length));
  const named = rows.map((_, i) => i).filter((i) => i % Math.ceil(nameRoom / track) === 0);
  const tickFormat = (value: number): string => shortNumber(value);
  return {
    ...baseOptions(width, Math.round(rows.length * track + marginTop + marginBottom)),
    ...margins,
    x: { type: 'linear', domain: [0, columns], label: x.label, tickFormat },
    y: { type: 'linear', domain: [rows.length, 0], axis: null },
    marks: [
      plot.ruleY(
        rows.map((_, i) => i + 1),
        { stroke: 'var(--rule)' },
      ),
      categories.map(({ height }, category) =>
        plot.rect(height > 0 ? runsOf(chart, category) : [], {
          ...{ x1: 'from', x2: 'to', y1: ({ row }) => row + 1 - 0.86 * height, y2: ({ row }) => row + 1 },
          fill: styles[category].color,
        }),
      ),
      plot.text(named, {
        ...{ x: 0, y: (i: number) => i + 0.5, text: (i: number) => fitText(rows[i], marginLeft - 8) },
        ...{ textAnchor: 'end', dx: -7 },
      }),
      ...(divider
        ? [
            plot.ruleX([divider.at], { stroke: 'currentColor', strokeDasharray: '2 3.5' }),
            plot.text([divider.label], {
              ...{ x: divider.at, frameAnchor: 'top', lineAnchor: 'bottom', dy: -4, textAnchor: 'middle' },
            }),
          ]
        : []),
      ...legend.marks,
      verticalLabel(plot, rowLabel),
    ],
  };
}

/** Runs of neighbours of one category, in all tracks. */
function runsOf(
  { rows, columns, values }: TrackChart,
  category: number,
): { row: number; from: number; to: number }[] {
  const runs: { row: number; from: number; to: number }[] = [];
  for (let row = 0; row < rows.length; row++)
    for (let from = 0; from < columns; from++) {
      if (values[row * columns + from] !== category) continue;
      let to = from + 1;
      while (to < columns && values[row * columns + to] === category) to++;
      runs.push({ row, from, to });
      from = to;
    }
  return runs;
}
