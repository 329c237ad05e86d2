// A folder of results that appears whole: everything is written beside it first, then moved into it file by file.

import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../core/errors.ts';
import { type ColumnData, writeTable } from '../../data/index.ts';
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

/** Formats of tables and pictures in a folder. */
export interface FolderFormats {
  tables: 'parquet' | 'csv' | 'jsonl';
  pictures: 'svg' | 'png';
}

/** What a folder of results can hold. Names are without extension, but for texts. */
export interface ResultFolder {
  json(name: string, value: object): Promise<void>;
  text(file: string, content: string): Promise<void>;
  table(name: string, columns: Readonly<Record<string, ColumnData>>): Promise<void>;
  picture(name: string, chart: Chart): Promise<void>;
  /** report.html with the station's pictures. */
  report(station: Station): Promise<void>;
}

/**
 * Fills `folder`, making it if it is not there; files of the same names are replaced, others left.
 *
 * An error or Ctrl-C while `fill` runs leaves the folder as it was.
 *
 * @returns names of the files written, in alphabetical order
 * @throws {DataError} the place cannot be written
 */
export async function writeFolder(
  folder: string,
  { tables, pictures }: FolderFormats,
  context: CliContext,
  fill: (results: ResultFolder) => Promise<void>,
): Promise<string[]> {
  const { signal, version } = context;
  signal.throwIfAborted();
  const staged = await stage(folder);
  try {
    const at = (file: string): string => join(staged, file);
    await fill({
      json: (name, value) => writeFileAtomically(at(`${name}.json`), `${toJson(value, 2)}\n`, { signal }),
      text: (file, content) => writeFileAtomically(at(file), content, { signal }),
      table: async (name, columns) => {
        await writeTable(at(`${name}.${tables}`), columns, { signal });
      },
      async picture(name, chart) {
        const svg = await renderChart(chart);
        const content =
          pictures === 'png'
            ? await svgToPng(svg)
            : resolveTheme(svg, 'light').replace('background:none', `background:${themes.light.surface}`);
        await writeFileAtomically(at(`${name}.${pictures}`), content, { signal });
      },
      async report(station) {
        const page = await renderReport({
          title: station.title,
          lead: station.question,
          stations: [station],
          madeWith: await describeMachine(version),
        });
        await writeFileAtomically(at('report.html'), page, { signal });
      },
    });
    signal.throwIfAborted();
    await mkdir(folder, { recursive: true });
    const files = (await readdir(staged)).toSorted();
    for (const file of files) await rename(join(staged, file), join(folder, file));
    return files;
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

async function stage(folder: string): Promise<string> {
  try {
    await mkdir(dirname(folder), { recursive: true });
    return await mkdtemp(join(dirname(folder), `.${basename(folder)}.partial-`));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`--out ${folder}: ${reason}. Choose a place that can be written.`, { cause });
  }
}
