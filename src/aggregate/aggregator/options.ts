// What the owner of the labels decides when opening an aggregator.

import { requireInteger, requireNumber, requireOneOf } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { epsilonUnits, unitsToEpsilon } from '../privacy/epsilon.ts';
import { type LabelGrid, type LabelGridOptions, labelGrid } from '../privacy/label-grid.ts';
import type { LabelTable } from './label-store.ts';

export interface AggregatorOptions extends LabelGridOptions {
  /** The labels. Read once; the table can be let go afterwards. */
  labels: LabelTable;
  /** Path of the ledger, an SQLite file that is made when it is not there. Beside it lie its `-wal`, `-shm` and `-lock`. On a local disk: locks of network file systems cannot be trusted. */
  ledger: string;
  /** Hash of an entry that must be in the ledger, as answers and `Aggregator.head` tell it: keep one elsewhere, and a ledger that was restored from an old copy is not opened. */
  head?: string | undefined;
  /** Name and version of the label table, public. Labels are no part of what the ledger remembers of the table, so give new labels a new name and a new ledger. Default 'labels'. */
  table?: string | undefined;
  /** Least number of samples in a bag, ≥ 1. */
  minBag: number;
  /** ε a person may spend in all, in [10⁻⁹, 10⁶]. */
  budget: number;
  /** Largest ε of one release, and the default of a query; at most the budget. */
  epsilonPerRelease: number;
  /** Smallest ε of one release: it bounds how long the ledger can get. Default epsilonPerRelease / 1000. */
  minEpsilon?: number | undefined;
  /** Most bags of one query. Default 10 000. */
  maxBags?: number | undefined;
  /** A bag asked again in its stage: 'answer' as before, for nothing, or 'refuse'. Default 'answer'. */
  onRepeat?: 'answer' | 'refuse' | undefined;
  /** Milliseconds between the moments at which answers leave, in [1, 1000]. Default 5. */
  cadence?: number | undefined;
  /** Milliseconds since 1970, for the log. Default: the machine's clock. */
  clock?: (() => number) | undefined;
}

export interface ResolvedAggregatorOptions {
  table: string;
  grid: LabelGrid;
  minBag: number;
  budget: number;
  minUnits: number;
  maxUnits: number;
  maxBags: number;
  onRepeat: 'answer' | 'refuse';
  cadence: number;
  clock: () => number;
}

/** @throws {InvalidArgumentError} an option leaves its range */
export function resolveAggregatorOptions({
  table = 'labels',
  minBag,
  budget,
  epsilonPerRelease,
  minEpsilon,
  maxBags = 10_000,
  onRepeat = 'answer',
  cadence = 5,
  clock = wallClock,
  ...gridOptions
}: AggregatorOptions): ResolvedAggregatorOptions {
  const grid = labelGrid('openAggregator', gridOptions);
  requireInteger('openAggregator: minBag', minBag, 1, 0x7fffffff);
  requireInteger('openAggregator: maxBags', maxBags, 1, 1e6);
  requireOneOf('openAggregator: onRepeat', onRepeat, ['answer', 'refuse']);
  requireNumber('openAggregator: cadence', cadence, 1, 1000);
  const budgetUnits = epsilonUnits('openAggregator: budget', budget, 'down');
  const maxUnits = epsilonUnits('openAggregator: epsilonPerRelease', epsilonPerRelease, 'down');
  if (maxUnits > budgetUnits) {
    throw new InvalidArgumentError(
      `openAggregator: epsilonPerRelease is ${epsilonPerRelease} and budget ${budget}; expected epsilonPerRelease at most the budget, or nothing could be answered.`,
    );
  }
  const minUnits =
    minEpsilon === undefined
      ? Math.max(1, Math.ceil(maxUnits / 1000))
      : epsilonUnits('openAggregator: minEpsilon', minEpsilon, 'up');
  if (minUnits > maxUnits) {
    throw new InvalidArgumentError(
      `openAggregator: minEpsilon is ${minEpsilon}; expected at most epsilonPerRelease, ${epsilonPerRelease}.`,
    );
  }
  return {
    ...{ table, grid, minBag, minUnits, maxUnits, maxBags, onRepeat, cadence, clock },
    budget: unitsToEpsilon(budgetUnits),
  };
}

function wallClock(): number {
  return Math.round(performance.timeOrigin + performance.now());
}
