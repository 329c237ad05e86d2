// Whether FPA > GSP > VCG, at any level of non-uniformity: formats compared at mixed equilibria whose regret is far below the differences.

import { createWorkerPool, defaultPoolSize } from '../../core/parallel.ts';
import { yieldToEventLoop } from '../../core/progress.ts';
import {
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  type Verdict,
} from '../../reproduce/protocol.ts';
import { requireNestedLevels } from '../market/buckets.ts';
import type { SweepCell, SweepGenerator } from '../sweep/cell.ts';
import { compareAll, type SweepColumn, type SweepComparison } from '../sweep/compare.ts';
import { AUCTION_FORMATS, type AuctionFormat } from '../types.ts';
import { type MixedCellTask, REGRET_WANTED, runMixedCell } from './mixed-cell.ts';

export interface FormatOrderOptions extends ProtocolOptions {
  /** Default: both generators with their defaults. */
  generators?: readonly SweepGenerator[] | undefined;
  /** K's, each a divisor of the next and of the topics. Default 1, 2, 8. */
  levels?: readonly number[] | undefined;
  /** Multiplier that everybody starts from, > 0. Default 1. */
  start?: number | undefined;
  /** Workers, ≥ 1; the report is the same for any number. Default: all cores. */
  workers?: number | undefined;
}

const PAIRS = [
  ['fpa', 'gsp'],
  ['gsp', 'vcg'],
  ['fpa', 'vcg'],
] as const;

/** One format at one level: means over seeds. */
export interface FormatFigures {
  format: AuctionFormat;
  level: number;
  /** W ÷ W* and R ÷ W*, expected over the draws of the strategies. */
  welfare: Measured;
  profit: Measured;
  /** Certified value-weighted regret, mean over seeds and its largest; largest certified regret of any advertiser of any seed. */
  meanRegret: Measured;
  worstMeanRegret: number;
  worstRegret: number;
  worstOverspend: number;
}

/**
 * Markets where one format's welfare is ahead of another's by more than the regret of either side, and where it is behind. Both above 0: the
 * order is the market's, not the formats'.
 */
export interface MarketCount {
  level: number;
  a: AuctionFormat;
  b: AuctionFormat;
  ahead: number;
  behind: number;
  unresolved: number;
}

/** What one generator shows. */
export interface GeneratorOrder {
  generator: string;
  formats: FormatFigures[];
  /** Paired by seed, in welfare and in profit: formats at each level, and each format's first level against its others. */
  comparisons: SweepComparison[];
  markets: MarketCount[];
}

export interface FormatOrderFigures {
  generators: GeneratorOrder[];
}

/**
 * Mixed equilibria of the three formats over levels and seeds on both generators.
 *
 * At K = 1 and 2 pure equilibria are at hand too; mixed ones keep targets in expectation only, and so are another solution of the same game.
 * Default seeds 200, 201, 202: about 2 minutes of one core; all ten seeds and levels 1, 2, 4, 8 take about 10.
 *
 * @throws {InvalidArgumentError} levels that do not nest, or a bad parameter of a generator @throws `signal.reason` when cancelled
 */
export async function reproduceFormatOrder(
  options: FormatOrderOptions = {},
): Promise<ProtocolReport<FormatOrderFigures>> {
  const {
    seeds = [200, 201, 202],
    generators = [{ name: 'provably' }, { name: 'gamma-topic' }],
    levels = [1, 2, 8],
    start = 1,
  } = options;
  requireNestedLevels('reproduceFormatOrder: levels', levels);
  const tasks = generators.flatMap((generator) =>
    seeds.flatMap((seed) =>
      levels.flatMap((level) =>
        AUCTION_FORMATS.map((format): MixedCellTask => ({ generator, seed, format, level, start })),
      ),
    ),
  );
  const cells = await runTasks(tasks, options);
  const orders: GeneratorOrder[] = [];
  for (const generator of generators) {
    const own = cells.filter((_, at) => tasks[at].generator === generator);
    orders.push({
      generator: generator.name,
      formats: levels.flatMap((level) => AUCTION_FORMATS.map((format) => figuresOf(own, format, level))),
      comparisons: await compareAll(own, AUCTION_FORMATS, levels, {
        ...{ confidence: 0.95, resamples: 2000, seed: seeds[0] },
      }),
      markets: levels.flatMap((level) => PAIRS.map(([a, b]) => countMarkets(own, level, a, b))),
    });
  }
  return {
    id: 'F1–F3',
    title: 'order of formats at mixed equilibria',
    setting: { generators: generators.map(({ name }) => name), levels, seeds, start },
    figures: { generators: orders },
    verdicts: orders.flatMap((order) => verdictsOf(order, levels)),
  };
}

/** Runs all cells, in this thread or by workers; results in the order of the tasks. */
async function runTasks(
  tasks: readonly MixedCellTask[],
  { signal, onProgress, workers = defaultPoolSize() }: FormatOrderOptions,
): Promise<SweepCell[]> {
  let done = 0;
  const report = (cell: SweepCell): SweepCell => {
    onProgress?.({ phase: 'mixed equilibria', done: ++done, total: tasks.length });
    return cell;
  };
  if (workers === 1) {
    const cells: SweepCell[] = [];
    for (const task of tasks) {
      cells.push(report(await runMixedCell(task, signal)));
      await yieldToEventLoop();
    }
    return cells;
  }
  const module = new URL(`./mixed-cell${import.meta.url.slice(-3)}`, import.meta.url);
  await using pool = createWorkerPool(module, { size: Math.min(workers, tasks.length) });
  return await Promise.all(
    tasks.map(async (task) => report(await pool.run<SweepCell>('runMixedCell', [task], { signal }))),
  );
}

function figuresOf(cells: readonly SweepCell[], format: AuctionFormat, level: number): FormatFigures {
  const own = cells.filter((cell) => cell.format === format && cell.level === level);
  const column = (read: (cell: SweepCell) => number) => own.map(read);
  return {
    ...{ format, level },
    welfare: measure(column((cell) => cell.welfare)),
    profit: measure(column((cell) => cell.profit)),
    meanRegret: measure(column((cell) => cell.meanRegretBound)),
    worstMeanRegret: Math.max(...column((cell) => cell.meanRegretBound)),
    worstRegret: Math.max(...column((cell) => cell.maxRegretBound)),
    worstOverspend: Math.max(...column((cell) => cell.maxOverspend)),
  };
}

function countMarkets(
  cells: readonly SweepCell[],
  level: number,
  a: AuctionFormat,
  b: AuctionFormat,
): MarketCount {
  const count = { level, a, b, ahead: 0, behind: 0, unresolved: 0 };
  const columnOf = (format: AuctionFormat) =>
    cells.filter((cell) => cell.format === format && cell.level === level);
  const others = columnOf(b);
  for (const [at, cell] of columnOf(a).entries()) {
    const difference = cell.welfare - others[at].welfare;
    const regret = Math.max(cell.meanRegretBound, others[at].meanRegretBound);
    if (difference > regret) count.ahead++;
    else if (difference < -regret) count.behind++;
    else count.unresolved++;
  }
  return count;
}

function verdictsOf(
  { generator, formats, comparisons }: GeneratorOrder,
  levels: readonly number[],
): Verdict[] {
  const worst = (read: (figures: FormatFigures) => number) => Math.max(...formats.map(read));
  const [first, last] = [levels[0], levels[levels.length - 1]];
  const vickrey = formats.filter(({ format }) => format === 'vcg').map(({ welfare }) => welfare.mean);
  const verdicts = [
    judge(
      `${generator}: regret at every mixed equilibrium, weighted by value`,
      worst((f) => f.worstMeanRegret),
      {
        ...{ high: REGRET_WANTED, unit: 'share of value' },
      },
    ),
    judge(
      `${generator}: regret of any one advertiser`,
      worst((f) => f.worstRegret),
      {
        ...{ high: 0.02, unit: 'share of its value' },
      },
    ),
    judge(
      `${generator}: targets are kept`,
      worst((f) => f.worstOverspend),
      {
        ...{ high: 1e-4, unit: 'spend ÷ value − 1' },
      },
    ),
    judge(
      `${generator}: F3, welfare of VCG does not depend on K`,
      Math.max(...vickrey) - Math.min(...vickrey),
      {
        ...{ high: 0.001, unit: 'spread of W/W*' },
      },
    ),
  ];
  const lowerEnd = (a: SweepColumn, b: SweepColumn) =>
    comparisons.find(
      (c) =>
        c.measure === 'welfare' &&
        c.a.format === a.format &&
        c.a.level === a.level &&
        c.b.format === b.format &&
        c.b.level === b.level,
    )?.interval.low ?? 0;
  for (const format of ['fpa', 'gsp'] as const) {
    if (first === last) continue;
    const fall = lowerEnd({ format, level: first }, { format, level: last });
    const claim = `${generator}: F2, welfare of ${format.toUpperCase()} falls from K = ${first} to ${last}`;
    verdicts.push(judge(claim, fall, { low: 0, unit: 'W/W*, lower end of the interval' }));
  }
  for (const level of new Set([first, last])) {
    const ahead = lowerEnd({ format: 'gsp', level }, { format: 'vcg', level });
    const claim = `${generator}: F1, GSP above VCG in welfare at K = ${level}`;
    verdicts.push(judge(claim, ahead, { low: 0, unit: 'W/W*, lower end of the interval' }));
  }
  return verdicts;
}
