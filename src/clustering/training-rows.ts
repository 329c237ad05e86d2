// The rows that centers are computed from: all, or a uniform sample taken in one pass.

import { createRng, sampleIndices } from '../core/rng.ts';
import type { Kernels } from '../kernels/index.ts';
import { type Moments, measureMoments } from './moments.ts';
import { Rows } from './rows.ts';
import type { ClusteringEvent } from './types.ts';

/** Rows to train on, and what is known of them. */
export interface Training extends Moments {
  rows: Rows;
  kernels: Kernels;
  weights: Float64Array | undefined;
}

export interface TrainingTask {
  kernels: Kernels;
  weights: Float64Array | undefined;
  /** Rows per center at most; Infinity for all. */
  trainRows: number;
  k: number;
  signal: AbortSignal | undefined;
  /** Told of a sample. */
  events: ClusteringEvent[];
}

/** @returns `rows` themselves when they are few enough, else a sample in memory */
export async function prepareTraining(
  rows: Rows,
  { kernels, weights, trainRows, k, signal, events }: TrainingTask,
  seed: number,
): Promise<Training> {
  if (trainRows * k >= rows.rows) {
    return { rows, kernels, weights, ...(await measureMoments(rows, kernels, weights)) };
  }
  // Rows of weight 0 teach nothing.
  const eligible = weights && Uint32Array.from(weights.keys()).filter((i) => weights[i] > 0);
  const n = eligible?.length ?? rows.rows;
  const picked = sampleIndices(n, Math.min(n, trainRows * k), createRng(seed).fork('training sample'));
  const ids = (eligible ? picked.map((i) => eligible[i]) : picked).sort();
  const sample = new Rows('kMeans: points', await rows.take(ids), { ids, signal });
  const sampleWeights = weights && Float64Array.from(ids, (i) => weights[i]);
  events.push({ type: 'trained-on-sample', rows: ids.length, of: rows.rows });
  return {
    rows: sample,
    kernels,
    weights: sampleWeights,
    ...(await measureMoments(sample, kernels, sampleWeights)),
  };
}
