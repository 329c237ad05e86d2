// From a chart's data to an SVG string.

import type { PlotOptions } from '@observablehq/plot';
import { InvalidArgumentError } from '../core/errors.ts';
import type { Chart } from './chart.ts';
import { checkChart } from './chart-check.ts';
import { barOptions } from './charts/bars.ts';
import { heatMapOptions } from './charts/heat-map.ts';
import { histogramOptions } from './charts/histogram.ts';
import { intervalOptions } from './charts/intervals.ts';
import { lineOptions } from './charts/line.ts';
import { scatterOptions } from './charts/scatter.ts';
import { shadeMapOptions } from './charts/shade-map.ts';
import { trackOptions } from './charts/tracks.ts';
import { loadDrawing, type Plot } from './dependencies.ts';
import { escapeHtml } from './html.ts';

export interface RenderOptions {
  /** Width in pixels, ≥ 240. The height follows. Default 680. */
  width?: number;
}

/**
 * Draws a chart as one `<svg>` element that stands on its own.
 *
 * Colours are CSS variables (`var(--series-1)`, `currentColor`) of the page that shows it: `themeVariables` defines
 * them, `resolveTheme` replaces them for readers that know no CSS. Title and description are in it for screen readers.
 *
 * @returns SVG text, with its name space
 * @throws {InvalidArgumentError} the chart holds no data, values that are not finite, or more series than can be told apart
 * @throws {MissingDependencyError} Observable Plot or linkedom is not installed
 */
export async function renderChart(chart: Chart, { width = 680 }: RenderOptions = {}): Promise<string> {
  if (!(width >= 240))
    throw new InvalidArgumentError(`renderChart: width is ${width}; expected ≥ 240 pixels.`);
  checkChart(chart);
  const { plot, document } = await loadDrawing();
  const drawn = plot.plot({ ...plotOptions(plot, chart, width), document, figure: false });
  return standAlone(drawn.outerHTML, chart);
}

/** Plot's options for a chart: for drawing it in a live page, where Plot and the document are at hand. */
export function plotOptions(plot: Plot, chart: Chart, width: number): PlotOptions {
  switch (chart.kind) {
    case 'line':
      return lineOptions(plot, chart, width);
    case 'scatter':
      return scatterOptions(plot, chart, width);
    case 'bars':
      return barOptions(plot, chart, width);
    case 'intervals':
      return intervalOptions(plot, chart, width);
    case 'histogram':
      return histogramOptions(plot, chart, width);
    case 'heat-map':
      return heatMapOptions(plot, chart, width);
    case 'shade-map':
      return shadeMapOptions(plot, chart, width);
    case 'tracks':
      return trackOptions(plot, chart, width);
  }
}

/**
 * Name space, role, title and description on the outer element. Plot labels its inner groups for screen readers too,
 * but a picture is read as one thing (role img); the numbers are in the table beside it.
 */
function standAlone(svg: string, { title, description }: Chart): string {
  const name = escapeHtml(title);
  const label = escapeHtml(`${title}. ${description}`);
  return svg
    .replace(/^<svg /, `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" `)
    .replace(/>/, `><title>${name}</title>`);
}
