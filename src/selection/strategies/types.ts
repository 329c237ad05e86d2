// The one interface of all selection strategies: what they need, and what they give.

import type { Matrix32, RowSource } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { SamplingScheme, WeightedSample } from '../types.ts';

/** What a strategy looks at. `losses` of all rows are usually not to be had: such strategies serve as yardsticks. */
export type StrategyNeed = 'embeddings' | 'probabilities' | 'losses';

export interface StrategyInput {
  /** Number of rows; needed when nothing else tells it. */
  rows?: number | undefined;
  /** Shape (n, d). */
  embeddings?: Matrix32 | RowSource | undefined;
  /** Class probabilities of the model, shape (n, classes). */
  probabilities?: Matrix32 | undefined;
  /** Loss of every row, shape (n,). */
  losses?: ArrayLike<number> | undefined;
}

export interface StrategyOptions extends RunOptions {
  /** Rows to select. */
  size: number;
  /** Default 0. */
  seed?: number;
  /** How the random strategies draw. Default `fixed-size`. */
  scheme?: SamplingScheme;
  /** Clusters or directions of the strategies that have them. Default size/5, at least 10, at most 4096. */
  k?: number | undefined;
}

export interface StrategySelection {
  /** Row ids; best first for strategies that rank, ascending for those that draw. */
  ids: Uint32Array;
  /** Weighted sample for estimates; undefined when the strategy ranks, as no weights make a ranking unbiased. */
  sample: WeightedSample | undefined;
}

export type Select = (input: StrategyInput, options: StrategyOptions) => Promise<StrategySelection>;

export interface Strategy {
  name: string;
  /** One sentence. */
  description: string;
  /** Input that must be there. */
  needs: readonly StrategyNeed[];
  /** Whether it draws with known probabilities, so that estimates from it are unbiased. */
  unbiased: boolean;
  select: Select;
}
