// The pools that the protocols select from, and the pilot model that defines the losses.

import { type Matrix32, takeRows } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng, sampleIndices } from '../../core/rng.ts';
import {
  type LabelledDataset,
  type LabelledRows,
  loadFashionMnist,
  longTailRows,
  takeLabelled,
} from '../../data/datasets/index.ts';
import { type Mlp, type TrainMlpOptions, trainMlp } from '../../training/index.ts';

/** Rows to select from and rows to test on. */
export interface Pool {
  name: string;
  rows: LabelledRows;
  test: LabelledRows;
  classes: number;
  classNames: readonly string[];
}

export interface PoolOptions extends RunOptions {
  /** Data set to take rows from. Default: Fashion-MNIST. */
  dataset?: LabelledDataset | undefined;
  /** Seed of the choice of rows. Default 0. */
  poolSeed?: number | undefined;
}

/** `size` rows of the training set, at random. */
export async function uniformPool(size: number, options: PoolOptions = {}): Promise<Pool> {
  const dataset = options.dataset ?? (await loadFashionMnist(options));
  const rng = createRng(options.poolSeed ?? 0).fork('pool');
  return poolOf(dataset, sampleIndices(dataset.train.features.rows, size, rng));
}

/** Class c keeps head · 50^(−c/(classes − 1)) training rows; the test set stays balanced. @param head - rows of class 0; default 4000 */
export async function longTailPool(options: PoolOptions & { head?: number | undefined } = {}): Promise<Pool> {
  const dataset = options.dataset ?? (await loadFashionMnist(options));
  const classes = dataset.classes.length;
  const { poolSeed = 0, head = 4000 } = options;
  return poolOf(dataset, longTailRows(dataset.train.labels, { classes, head, seed: poolSeed }));
}

function poolOf({ name, train, test, classes }: LabelledDataset, ids: Uint32Array): Pool {
  return { name, rows: takeLabelled(train, ids), test, classes: classes.length, classNames: classes };
}

/** How the protocols train, pilot and final models alike: one hidden layer, Adam, ten epochs, as is usual on these images. */
export const PROTOCOL_TRAINING: TrainMlpOptions = {
  hidden: [128],
  dropout: 0.2,
  epochs: 10,
  batchSize: 32,
  learningRate: 1e-3,
};

/** A model trained on few rows, and what it makes of the others. */
export interface Pilot {
  model: Mlp;
  /** Positions in the pool of the rows it was trained on, ascending. */
  trained: Uint32Array;
  /** Positions of all other rows, ascending: the candidates. */
  candidates: Uint32Array;
  /** Last hidden layer of each candidate, shape (candidates, units). */
  embeddings: Matrix32;
}

/** Trains on `size` uniform rows of the pool and embeds the rest. */
export async function trainPilot(
  { rows, classes }: Pool,
  size: number,
  { seed, signal, training }: RunOptions & { seed: number; training: TrainMlpOptions },
): Promise<Pilot> {
  const n = rows.features.rows;
  const trained = sampleIndices(n, size, createRng(seed).fork('pilot')).sort();
  const isTrained = new Uint8Array(n);
  for (const id of trained) isTrained[id] = 1;
  const candidates = Uint32Array.from({ length: n }, (_, i) => i).filter((i) => !isTrained[i]);
  const { model } = await trainMlp(takeLabelled(rows, trained), { ...training, classes, seed, signal });
  const embeddings = await model.embed(takeRows(rows.features, candidates));
  return { model, trained, candidates, embeddings };
}

/** Losses of the pilot's candidates, computed for the rows asked and no others. @param ids - positions among the candidates */
export async function candidateLosses(
  { rows }: Pool,
  { model, candidates }: Pilot,
  ids: ArrayLike<number>,
): Promise<Float64Array> {
  const asked = takeLabelled(
    rows,
    Uint32Array.from({ length: ids.length }, (_, i) => candidates[ids[i]]),
  );
  return model.losses(asked.features, asked.labels);
}

/** Loss of every candidate, shape (candidates,): what an audit needs, and what a user would not compute. */
export function allLosses(pool: Pool, pilot: Pilot): Promise<Float64Array> {
  return candidateLosses(
    pool,
    pilot,
    Uint32Array.from(pilot.candidates, (_, e) => e),
  );
}
