// Formats × levels × seeds: equilibria of many drawn markets, by as many workers as there are, compared in pairs.

import type { Certificate, Certified } from '../../core/certificate.ts';
import { requireInteger, requireOneOf, requireProbability, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { createWorkerPool, defaultPoolSize, type WorkerFactory } from '../../core/parallel.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { OVERSPEND_ALLOWED } from '../equilibrium/objective.ts';
import type { GeneratorRecord } from '../generators/generated.ts';
import { requireNestedLevels } from '../market/buckets.ts';
import { AUCTION_FORMATS, type AuctionFormat, type Bidder } from '../types.ts';
import {
  drawMarket,
  runCell,
  type SweepCell,
  type SweepGenerator,
  type SweepSearch,
  type SweepTask,
} from './cell.ts';
import { compareAll, type SweepComparison } from './compare.ts';

export interface SweepOptions extends RunOptions {
  /** Where markets come from. Default: the Provably generator with its defaults. */
  generator?: SweepGenerator | undefined;
  /** One market each, all different, ≥ 1. Default 200 … 209. */
  seeds?: readonly number[] | undefined;
  /** Default: all three. */
  formats?: readonly AuctionFormat[] | undefined;
  /** K's, ascending, each a divisor of the next. Default 1, 2, 4, 8. */
  levels?: readonly number[] | undefined;
  /** Reserve price of all auctions, ≥ 0. Default 0. */
  reserve?: number | undefined;
  /** Shape (advertisers,). Default: value bidders without budget. */
  bidders?: readonly Bidder[] | undefined;
  /** Cap of multipliers. Default 10. */
  maxMultiplier?: number | undefined;
  /** How equilibria are searched for. Default: as `findEquilibrium`, then mixed ones where needed. */
  search?: SweepSearch | undefined;
  /** Of intervals, in (0, 1). Default 0.95. */
  confidence?: number | undefined;
  /** Draws of the bootstrap over seeds, ≥ 1. Default 2000. */
  resamples?: number | undefined;
  /** Workers, ≥ 1; the result is the same for any number. 1: no worker, this thread. Default: all cores. */
  workers?: number | undefined;
  /** Makes workers where they are bundled: their module calls `serveTasks({ runCell })`. Default: this module's own. */
  worker?: WorkerFactory | undefined;
}

/** All that a sweep found. */
export interface Sweep {
  /** Generator, version and parameters, with the seed of the first market. */
  readonly record: GeneratorRecord<unknown>;
  /** By seed, then format, then level, in the order of the options. */
  readonly cells: readonly SweepCell[];
  /** In welfare, then in profit: formats against each other at each level, then each format's first level against its others. */
  readonly comparisons: readonly SweepComparison[];
}

/**
 * Equilibria of every format at every level of non-uniformity on many drawn markets, compared in pairs.
 *
 * Formats and levels see the same market and nested buckets, so differences are paired by seed. A difference counts as separated when its
 * bootstrap interval over seeds excludes 0 and it is larger than the certified regret of either side.
 *
 * @returns cells in a fixed order, the same bits for any number of workers; the bound is on the largest value-weighted regret of a cell
 * @throws {InvalidArgumentError} an option leaves its range @throws `signal.reason` when cancelled: workers are ended
 *
 * Strategies are pure where they come to rest (0.1 % of value at K ≤ 2, 0.3 % above), else mixed where that is nearer to rest.
 *
 * Time: that of `findEquilibrium` · seeds · formats · levels ÷ workers.
 * Source: derived protocol; findings F1–F3 as in the abstract of arXiv 2311.10679. The generators are ours.
 */
export async function sweep(options: SweepOptions = {}): Promise<Certified<Sweep>> {
  const {
    generator = { name: 'provably' },
    seeds = Array.from({ length: 10 }, (_, s) => 200 + s),
    formats = AUCTION_FORMATS,
    levels = [1, 2, 4, 8],
    confidence = 0.95,
    resamples = 2000,
    workers = defaultPoolSize(),
  } = options;
  requireDistinct('sweep: seeds', seeds);
  for (const [at, seed] of seeds.entries()) requireSeed(`sweep: seeds[${at}]`, seed);
  requireDistinct('sweep: formats', formats);
  for (const [at, format] of formats.entries())
    requireOneOf(`sweep: formats[${at}]`, format, AUCTION_FORMATS);
  requireNestedLevels('sweep: levels', levels);
  requireProbability('sweep: confidence', confidence);
  requireInteger('sweep: resamples', resamples, 1);
  requireInteger('sweep: workers', workers, 1);
  options.signal?.throwIfAborted();
  const { record } = drawMarket(generator, seeds[0]); // a bad parameter is found before workers start
  const tasks = seeds.flatMap((seed) =>
    formats.flatMap((format) =>
      levels.map(
        (level): SweepTask => ({
          generator,
          seed,
          format,
          level,
          reserve: options.reserve ?? 0,
          bidders: options.bidders,
          maxMultiplier: options.maxMultiplier,
          search: options.search ?? {},
        }),
      ),
    ),
  );
  const cells = await runTasks(tasks, Math.min(workers, tasks.length), options);
  const comparisons = await compareAll(cells, formats, levels, { confidence, resamples, seed: seeds[0] });
  return {
    value: { record, cells, comparisons },
    certificate: certifySweep(cells, options.search?.seed ?? 0),
  };
}

/** Runs all cells, in this thread or by workers; results in the order of the tasks. */
async function runTasks(
  tasks: readonly SweepTask[],
  workers: number,
  { signal, onProgress, worker }: SweepOptions,
): Promise<SweepCell[]> {
  let done = 0;
  const report = (cell: SweepCell): SweepCell => {
    onProgress?.({ phase: 'equilibria', done: ++done, total: tasks.length });
    return cell;
  };
  if (workers === 1) {
    const cells: SweepCell[] = [];
    for (const task of tasks) {
      cells.push(report(await runCell(task, signal)));
      await yieldToEventLoop();
    }
    return cells;
  }
  await using pool = createWorkerPool(
    worker ?? new URL(`./cell${import.meta.url.slice(-3)}`, import.meta.url),
    {
      size: workers,
    },
  );
  // The longest first, so that workers end together.
  const order = tasks.map((_, at) => at).sort((a, b) => costOf(tasks[b]) - costOf(tasks[a]) || a - b);
  const cells: SweepCell[] = new Array(tasks.length);
  await Promise.all(
    order.map(async (at) => {
      cells[at] = report(await pool.run<SweepCell>('runCell', [tasks[at]], { signal }));
    }),
  );
  return cells;
}

/** Which cells take longer, as measured: where mixed strategies are likely, with prices in GSP the dearest. */
function costOf({ format, level }: SweepTask): number {
  if (format === 'vcg' || level === 1) return 0;
  return format === 'gsp' ? 2 : 1;
}

function certifySweep(cells: readonly SweepCell[], seed: number): Certificate {
  const worst = Math.max(...cells.map((cell) => cell.meanRegretBound));
  const overspend = Math.max(...cells.map((cell) => cell.maxOverspend));
  const short = cells.filter((cell) => !cell.converged).length;
  return {
    statement:
      'every cell is an ε-equilibrium, of mixed strategies where it says so: all advertisers together could raise their value by no more than this share, each ' +
      'by changing its own multipliers',
    source:
      'derived: exact bid landscapes of every cell; question of arXiv 2311.10679, generators and dynamics of this library',
    assumptions: [
      {
        statement: 'spend ≤ value and spend ≤ budget, up to 10⁻⁴, for every advertiser of every cell',
        status: overspend <= OVERSPEND_ALLOWED ? 'checked' : 'violated',
        measured: overspend,
        measure: 'largest relative overspend',
      },
      {
        statement: 'other equilibria of the same market would be ordered alike',
        status: 'assumed',
      },
    ],
    bound: { value: worst, unit: 'share of all value', failureProbability: 0, scale: 1 },
    seed,
    backend: 'none',
    warnings:
      short > 0
        ? [
            `${short} of ${cells.length} cells did not come within the tolerance of regret: see which comparisons are separated.`,
          ]
        : [],
  };
}

function requireDistinct(name: string, items: readonly unknown[]): void {
  if (items.length === 0) throw new InvalidArgumentError(`${name} is empty; expected at least one.`);
  items.forEach((item, at) => {
    if (items.indexOf(item) < at) {
      throw new InvalidArgumentError(`${name}[${at}] is ${item} again; expected each once.`);
    }
  });
}
