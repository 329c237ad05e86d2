// What `provably autobid sweep` does: market by market, kept as they are done; then compare, write, tell.

import {
  type AuctionFormat,
  type SweepCell,
  type SweepComparison,
  type SweepGenerator,
  sweep,
} from '../../autobidding/index.ts';
import { compareAll } from '../../autobidding/sweep/compare.ts';
import type { Certificate } from '../../core/certificate.ts';
import { summarize } from '../../core/statistics/index.ts';
import type { ColumnData } from '../../data/index.ts';
import type { Chart, Station, Table } from '../../report/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { InterruptedError, UsageError } from '../failure.ts';
import { given } from '../given.ts';
import { printCertificate, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { type CommonFlags, repeatCommand } from './flags.ts';
import { openMarket } from './open-market.ts';
import { writeFolder } from './out-folder.ts';
import { sweepSchema } from './schema.ts';
import { configText, loadSettings, printConfig } from './settings.ts';
import type { SweepSettings } from './settings-types.ts';
import { searchOf } from './sources.ts';
import { sweepPlaces } from './sweep.ts';
import { cellStore, type SeedResult } from './sweep-cells.ts';
import { percent, signedPercent } from './words.ts';

interface Swept {
  settings: SweepSettings;
  cells: readonly SweepCell[];
  comparisons: readonly SweepComparison[];
  certificate: Certificate;
  /** Markets whose cells were in the folder. */
  reused: number;
  command: string;
  seconds: number;
}

export async function runSweep(flags: CommonFlags, context: CliContext): Promise<void> {
  const start = performance.now();
  const { config, json, out } = flags;
  const settings = await loadSettings(sweepSchema, { config, flags, places: sweepPlaces });
  if (settings.market.log !== undefined) {
    throw new UsageError(
      'a sweep draws many markets, and a log is one: ask provably autobid replay about it.',
    );
  }
  if (flags.printConfig) return printConfig(context, settings, json);
  const { formats, segments, confidence, seed } = settings;
  const results = await computeSeeds(settings, flags, context);
  const cells = results.flatMap(({ result }) => result.cells);
  const comparisons = await compareAll(cells, formats, segments, { confidence, resamples: 2000, seed });
  const swept: Swept = {
    ...{ settings, cells, comparisons },
    certificate: worstCertificate(
      results.map(({ result }) => result.certificate),
      cells,
    ),
    reused: results.filter(({ reused }) => reused).length,
    command: repeatCommand('sweep', flags, undefined),
    seconds: (performance.now() - start) / 1000,
  };
  const record = recordOf(swept);
  const files = out === undefined ? [] : await write(swept, record, { ...flags, out }, context);
  if (json) printJson(context, out === undefined ? record : { ...record, out: { folder: out, files } });
  else print(swept, { out, files }, context);
}

async function computeSeeds(
  settings: SweepSettings,
  { json, out }: CommonFlags,
  context: CliContext,
): Promise<{ result: SeedResult; reused: boolean }[]> {
  const { formats, segments, seeds, seed, reserve, maxMultiplier, confidence, search, mixed } = settings;
  const { discounts, generator: asked } = settings.market;
  const { bidders } = await openMarket(settings, context.signal);
  const { signal } = context;
  const generator = given({ name: 'provably' as const, ...asked, discounts }) as SweepGenerator;
  const common = {
    ...{ generator, formats, levels: segments, reserve, bidders, maxMultiplier, confidence },
    search: { ...searchOf(search), mixed },
  };
  const store = out === undefined ? undefined : cellStore(out, common, context.version);
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  const results: { result: SeedResult; reused: boolean }[] = [];
  try {
    for (let s = 0; s < seeds; s++) {
      const kept = await store?.read(seed + s);
      if (kept !== undefined) {
        results.push({ result: kept, reused: true });
        continue;
      }
      const { value, certificate } = await sweep({
        ...common,
        ...{ seeds: [seed + s], signal },
        onProgress: ({ phase, done, total }) =>
          progress.report({ phase, done: s * total + done, total: seeds * total }),
      });
      const result = { cells: value.cells, certificate };
      await store?.write(seed + s, result);
      results.push({ result, reused: false });
    }
  } catch (error) {
    if (signal.aborted && out !== undefined && results.length > 0) {
      throw new InterruptedError(
        `interrupted; ${out}/cells keeps ${results.length} of ${seeds} markets, and the same command goes on from there.`,
      );
    }
    throw error;
  }
  return results;
}

/** The certificate of the worst market speaks for all. */
function worstCertificate(certificates: readonly Certificate[], cells: readonly SweepCell[]): Certificate {
  const worst = certificates.reduce((a, b) => (b.bound.value > a.bound.value ? b : a));
  const broken = certificates.find(({ assumptions }) => assumptions.some((one) => one.status === 'violated'));
  const short = cells.filter(({ converged }) => !converged).length;
  const warnings =
    short === 0
      ? []
      : [
          `${short} of ${cells.length} cells did not come within the tolerance of regret: see which comparisons are separated.`,
        ];
  return { ...(broken ?? worst), bound: worst.bound, warnings };
}

function recordOf({ settings, cells, comparisons, certificate, reused, command, seconds }: Swept) {
  const { seeds, seed, formats, segments } = settings;
  return {
    system: 'autobid sweep',
    input: { generator: settings.market.generator?.name ?? 'provably', seeds, seed, formats, segments },
    value: { cells, comparisons, reused },
    certificate,
    seconds,
    figures: {
      ...Object.fromEntries(
        formats.flatMap((format) =>
          segments.flatMap((level) => {
            const column = columnOf(cells, format, level);
            return [
              [`welfare ${format} K=${level}`, meanOf(column, 'welfare')],
              [`profit ${format} K=${level}`, meanOf(column, 'profit')],
              [`regret ${format} K=${level}`, meanOf(column, 'meanRegretBound')],
            ];
          }),
        ),
      ),
      ...{ comparisons: comparisons.length, separated: comparisons.filter((one) => one.separated).length },
    },
    recipe: { command, seed, settings },
  };
}

function columnOf(cells: readonly SweepCell[], format: AuctionFormat, level: number): SweepCell[] {
  return cells.filter((cell) => cell.format === format && cell.level === level);
}

type CellFigure = 'welfare' | 'profit' | 'meanRegretBound' | 'maxRegretBound';

function meanOf(cells: readonly SweepCell[], figure: CellFigure): number {
  return summarize(cells.map((cell) => cell[figure])).mean;
}

async function write(
  swept: Swept,
  record: object,
  { out, tables, pictures }: CommonFlags & { out: string },
  context: CliContext,
): Promise<string[]> {
  const { cells, comparisons, settings } = swept;
  const station = stationOf(swept);
  return await writeFolder(out, { tables, pictures }, context, async (folder) => {
    await folder.json('result', record);
    await folder.text('settings.yaml', configText(settings));
    await folder.table('cells', columnsOf(cells.map(({ lastQuarter: _, ...cell }) => cell)));
    await folder.table(
      'comparisons',
      columnsOf(
        comparisons.map(({ a, b, interval, ...rest }) => ({
          ...{ a_format: a.format, a_level: a.level, b_format: b.format, b_level: b.level },
          ...{ low: interval.low, high: interval.high, ...rest },
        })),
      ),
    );
    for (const [i, chart] of station.charts.entries()) {
      await folder.picture(['welfare', 'profit'][i], chart);
    }
    await folder.report(station);
  });
}

/** Rows of equal keys as columns. */
function columnsOf(rows: readonly object[]): Record<string, ColumnData> {
  return Object.fromEntries(
    Object.keys(rows[0] ?? {}).map((name) => {
      const values = rows.map((row) => (row as Record<string, unknown>)[name]);
      return [
        name,
        typeof values[0] === 'number' ? Float64Array.from(values as number[]) : (values as string[]),
      ];
    }),
  );
}

function print(
  swept: Swept,
  { out, files }: { out: string | undefined; files: readonly string[] },
  context: CliContext,
): void {
  const { stdout, env } = context;
  const { bold, dim } = colorsFor(stdout, env);
  const { settings, reused, seconds, certificate } = swept;
  const { seeds, seed } = settings;
  stdout.write(
    `${bold(`${seeds} markets of the ${settings.market.generator?.name ?? 'provably'} generator`)}\n`,
  );
  stdout.write(
    `${dim(`seeds ${seed} … ${seed + seeds - 1}${reused > 0 ? `, ${reused} from ${out}/cells` : ''} · ${seconds.toFixed(1)} s`)}\n`,
  );
  for (const { caption, table } of sweepTables(swept)) {
    stdout.write(`\n${dim(caption)}\n`);
    printTable(
      context,
      table.columns.map((title, j) => ({ title, align: j === 0 ? ('left' as const) : ('right' as const) })),
      table.rows,
    );
  }
  stdout.write('\n');
  printCertificate(context, certificate);
  if (out !== undefined) stdout.write(`\n→ ${out}: ${files.join(', ')}\n`);
}

/** Means of the cells, and the comparisons, as tables for terminal and report. */
export function sweepTables({
  settings,
  cells,
  comparisons,
}: Pick<Swept, 'settings' | 'cells' | 'comparisons'>): { caption: string; table: Table }[] {
  return [
    {
      caption:
        'Means over the markets, as shares of the optimal welfare; regret is value-weighted and certified',
      table: {
        columns: ['format', 'segments', 'welfare', 'profit', 'regret', 'worst regret'],
        rows: settings.formats.flatMap((format) =>
          settings.segments.map((level) => {
            const column = columnOf(cells, format, level);
            return [
              ...[format, level, percent(meanOf(column, 'welfare')), percent(meanOf(column, 'profit'))],
              ...[
                percent(meanOf(column, 'meanRegretBound')),
                percent(Math.max(...column.map((cell) => cell.maxRegretBound))),
              ],
            ];
          }),
        ),
      },
    },
    {
      caption: 'Paired differences: same markets, same segments',
      table: {
        columns: ['difference', 'of', 'mean', 'interval', 'regret', 'signs', 'verdict'],
        rows: comparisons.map(({ measure, a, b, difference, interval, regret, above, below, separated }) => [
          ...[`${a.format} K=${a.level} − ${b.format} K=${b.level}`, measure, signedPercent(difference)],
          `${signedPercent(interval.low).replace(' %', '')} … ${signedPercent(interval.high)}`,
          ...[percent(regret), `${above}:${below}`, separated ? 'separated' : 'not separated'],
        ]),
      },
    },
  ];
}

/** Welfare and profit over the number of segments, a line for each format. */
export function sweepCharts(
  cells: readonly SweepCell[],
  formats: readonly AuctionFormat[],
  levels: readonly number[],
): Chart[] {
  return (['welfare', 'profit'] as const).map((figure) => ({
    kind: 'line',
    title: `${figure === 'welfare' ? 'Welfare' : 'Profit'} by format and number of segments`,
    description:
      'Mean over the markets as a share of the optimal welfare; bands: two standard errors, or the certified regret where that is larger.',
    x: { label: 'segments K', scale: 'log' as const },
    y: { label: `${figure} ÷ optimum (%)` },
    series: formats.map((format) => ({
      name: format,
      points: levels.map((level) => {
        const column = columnOf(cells, format, level);
        const { mean, variance, count } = summarize(column.map((cell) => cell[figure]));
        const half = Math.max(2 * Math.sqrt(variance / count), mean * meanOf(column, 'meanRegretBound'));
        return { x: level, y: 100 * mean, low: 100 * (mean - half), high: 100 * (mean + half) };
      }),
    })),
  }));
}

function stationOf(swept: Swept): Station {
  const { settings, cells, comparisons, certificate, command, seconds } = swept;
  const separated = comparisons.filter((one) => one.separated).length;
  return {
    id: 'sweep',
    title: 'Formats and segments over many markets',
    question: 'Which format has more welfare and profit, and what does finer bidding do to them?',
    answer: `${separated} of ${comparisons.length} differences are separated: clear of chance and of what bidders could still gain.`,
    input: `${settings.seeds} markets of the ${settings.market.generator?.name ?? 'provably'} generator`,
    figures: [],
    charts: sweepCharts(cells, settings.formats, settings.segments),
    tables: sweepTables(swept),
    certificates: [{ title: 'All cells', value: 'ε-equilibria', certificate }],
    repeat: { command, seed: settings.seed },
    seconds,
  };
}
