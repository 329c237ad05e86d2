// The ways to choose rows that the protocols compare, behind one function: sensitivity sampling and its rivals.

import type { Certified } from '../../core/certificate.ts';
import { takeRows } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import { softmaxRows } from '../../training/index.ts';
import {
  type ScoreMode,
  type Selection,
  STRATEGIES,
  type StrategyInput,
  selectData,
  selectWith,
} from '../index.ts';
import { allLosses, candidateLosses, type Pilot, type Pool } from './pool.ts';

/** How rows are chosen. */
export type Picker =
  /** The library's own, exactly as many rows as asked, without repeats. Default floor: that of the mode. */
  | { mode: ScoreMode; alpha?: number }
  /** A strategy of `STRATEGIES`, by name. */
  | { strategy: string };

/** Rows chosen, and at what price. */
export interface Choice {
  /** Positions among the candidates. */
  ids: Uint32Array;
  /** Losses asked for: every one of them is a label bought. */
  queries: number;
  /** The selection with its certificate, when the library's own made it. */
  certified?: Certified<Selection>;
}

/** Chooses `size` of the pilot's candidates. @param options.k - clusters for sensitivity sampling */
export async function choose(
  picker: Picker,
  pool: Pool,
  pilot: Pilot,
  { size, k, seed, signal }: RunOptions & { size: number; k: number; seed: number },
): Promise<Choice> {
  if ('strategy' in picker) {
    const input = await inputOf(picker.strategy, pool, pilot);
    const { ids } = await selectWith(picker.strategy, input, { size, k, seed, signal });
    return { ids, queries: input.losses ? pilot.candidates.length : 0 };
  }
  const certified = await selectData(pilot.embeddings, {
    loss: (ids) => candidateLosses(pool, pilot, ids),
    size,
    k,
    mode: picker.mode,
    alpha: picker.alpha,
    seed,
    signal,
  });
  return { ids: certified.value.ids, queries: certified.value.queries, certified };
}

/** Computes what the strategy needs of the pilot, and no more. */
async function inputOf(strategy: string, pool: Pool, pilot: Pilot): Promise<StrategyInput> {
  const needs = STRATEGIES.find(({ name }) => name === strategy)?.needs ?? [];
  const input: StrategyInput = { rows: pilot.candidates.length };
  if (needs.includes('embeddings')) input.embeddings = pilot.embeddings;
  if (needs.includes('probabilities')) {
    input.probabilities = softmaxRows(
      await pilot.model.predict(takeRows(pool.rows.features, pilot.candidates)),
    );
  }
  if (needs.includes('losses')) input.losses = await allLosses(pool, pilot);
  return input;
}
