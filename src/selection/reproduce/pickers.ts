// The ways to choose rows that the protocols compare, behind one function: sensitivity sampling and its rivals.

import { kCenterGreedy } from '../../clustering/index.ts';
import type { Certified } from '../../core/certificate.ts';
import { takeRows } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng, sampleIndices } from '../../core/rng.ts';
import { softmaxRows } from '../../training/index.ts';
import { type ScoreMode, type Selection, selectData } from '../index.ts';
import { candidateLosses, type Pilot, type Pool } from './pool.ts';

/** How rows are chosen. */
export type Picker =
  | { method: 'uniform' }
  /** The library's own. Default floor: that of the mode. */
  | { method: 'sensitivity'; mode: ScoreMode; alpha?: number }
  /** Rows whose two likeliest classes are closest in probability. Looks at the model's output for every row. */
  | { method: 'margin' }
  /** Rows whose predicted class is most uncertain. Looks at the model's output for every row. */
  | { method: 'entropy' }
  /** Rows that cover the embedding with the smallest radius. */
  | { method: 'k-center' }
  /** Rows of the largest losses. Needs every label. */
  | { method: 'top-loss' };

/** Rows chosen, and at what price. */
export interface Choice {
  /** Positions among the candidates. */
  ids: Uint32Array;
  /** Losses asked for: every one of them is a label bought. */
  queries: number;
  /** The selection with its certificate, when the library made it. */
  certified?: Certified<Selection>;
}

/** Chooses `size` of the pilot's candidates. @param options.k - clusters for sensitivity sampling */
export async function choose(
  picker: Picker,
  pool: Pool,
  pilot: Pilot,
  { size, k, seed, signal }: RunOptions & { size: number; k: number; seed: number },
): Promise<Choice> {
  const n = pilot.candidates.length;
  switch (picker.method) {
    case 'uniform': {
      return { ids: sampleIndices(n, size, createRng(seed).fork('uniform')), queries: 0 };
    }
    case 'sensitivity': {
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
    case 'k-center': {
      const { indices } = await kCenterGreedy(pilot.embeddings, { k: size, seed, signal });
      return { ids: indices, queries: 0 };
    }
    case 'top-loss': {
      const losses = await candidateLosses(
        pool,
        pilot,
        Uint32Array.from(pilot.candidates, (_, e) => e),
      );
      return { ids: largest(losses, size), queries: n };
    }
    default: {
      const { data, cols } = softmaxRows(
        await pilot.model.predict(takeRows(pool.rows.features, pilot.candidates)),
      );
      const scoreOf = picker.method === 'margin' ? closeness : entropy;
      const scores = Float64Array.from({ length: n }, (_, e) =>
        scoreOf(data.subarray(e * cols, (e + 1) * cols)),
      );
      return { ids: largest(scores, size), queries: 0 };
    }
  }
}

/** Positions of the `count` largest scores, ties to the lowest position. */
function largest(scores: Float64Array, count: number): Uint32Array {
  return Uint32Array.from(scores, (_, i) => i)
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, count);
}

/** −(largest − second largest probability): near 0 when the model hesitates between two classes. */
function closeness(probabilities: Float32Array): number {
  const [first, second] = probabilities.toSorted().reverse();
  return second - first;
}

/** Entropy in nats. */
function entropy(probabilities: Float32Array): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}
