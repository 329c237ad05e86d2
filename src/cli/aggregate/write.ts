// What the subcommands of `provably aggregate` write: charts and reports.

import {
  type Chart,
  renderChart,
  renderReport,
  resolveTheme,
  type Station,
  svgToPng,
  themes,
  writeFileAtomically,
} from '../../report/index.ts';
import type { CliContext } from '../context.ts';
import { toJson } from '../output.ts';
import { describeMachine } from '../stations/machine.ts';

/** Writes a chart as .svg, on a light ground of its own, or as .png. */
export async function writeChart(path: string, chart: Chart, { signal }: CliContext): Promise<void> {
  const svg = await renderChart(chart);
  const content = path.toLowerCase().endsWith('.png')
    ? await svgToPng(svg)
    : resolveTheme(svg, 'light').replace('background:none', `background:${themes.light.surface}`);
  await writeFileAtomically(path, content, { signal });
}

/** Writes the JSON record, or a page with the station's pictures, by the extension of `path`. */
export async function writeStationReport(
  path: string,
  record: object,
  station: Station,
  { version, signal }: CliContext,
): Promise<void> {
  const content = path.toLowerCase().endsWith('.json')
    ? `${toJson(record, 2)}\n`
    : await renderReport({
        title: station.title,
        lead: station.question,
        stations: [station],
        madeWith: await describeMachine(version),
      });
  await writeFileAtomically(path, content, { signal });
}
