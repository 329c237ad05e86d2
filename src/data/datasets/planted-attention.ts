// Queries, keys and values with planted structure: what attention approximations are tested on, since the truth is known.

import { requireInteger, requireNumber, requireSeed } from '../../core/check.ts';
import type { Matrix32 } from '../../core/matrix.ts';
import { createRng, type Rng, shuffle } from '../../core/rng.ts';

export interface PlantedAttentionOptions {
  /** Queries and keys, n ≥ 1. Default 4096. */
  rows?: number;
  /** Of queries, keys and values, d. Default 64. */
  dim?: number;
  /** Groups of keys, C; a query has n / C heavy keys. Default 512. */
  clusters?: number;
  /** Logit of a query with the keys of its group, about, β. Default 10. */
  strength?: number;
  /** Length of the noise against that of a center, σ. Default 0.1. */
  noise?: number;
  /** Default 0. */
  seed?: number;
}

export interface PlantedAttention {
  /** Each shape (rows, dim); logits are d^(−1/2) · ⟨q, k⟩. */
  queries: Matrix32;
  keys: Matrix32;
  values: Matrix32;
  /** Group of each query, shape (rows,); key j is of group j mod C. */
  queryGroups: Uint32Array;
}

/**
 * Few heavy keys a query: with unit centers c_a and u_a and standard normal g,
 * k_j = √d (c_{j mod C} + σg/√d), q_i = β (c_{a(i)} + σg/√d), v_j = u_{j mod C} + 0.3 g/√d, a(i) = i mod C shuffled.
 *
 * @throws {InvalidArgumentError} an option leaves its range
 */
export function plantedAttention(options: PlantedAttentionOptions = {}): PlantedAttention {
  const { rows = 4096, dim = 64, clusters = 512, strength = 10, noise = 0.1, seed = 0 } = options;
  requireInteger('plantedAttention: rows', rows, 1);
  requireInteger('plantedAttention: dim', dim, 1);
  requireInteger('plantedAttention: clusters', clusters, 1);
  requireNumber('plantedAttention: strength', strength);
  requireNumber('plantedAttention: noise', noise, 0);
  requireSeed('plantedAttention: seed', seed);
  const rng = createRng(seed);
  const keyCenters = unitRows(clusters, dim, rng.fork('key centers'));
  const valueCenters = unitRows(clusters, dim, rng.fork('value centers'));
  const queryGroups = shuffle(
    Uint32Array.from({ length: rows }, (_, i) => i % clusters),
    rng.fork('groups'),
  );
  const root = Math.sqrt(dim);
  const around = (
    centers: Matrix32,
    groupOf: (i: number) => number,
    size: number,
    spread: number,
    noises: Rng,
  ) =>
    matrixOf(
      rows,
      dim,
      (i, p) => size * (centers.data[groupOf(i) * dim + p] + (spread * noises.normal()) / root),
    );
  return {
    queries: around(keyCenters, (i) => queryGroups[i], strength, noise, rng.fork('query noise')),
    keys: around(keyCenters, (j) => j % clusters, root, noise, rng.fork('key noise')),
    values: around(valueCenters, (j) => j % clusters, 1, 0.3, rng.fork('value noise')),
    queryGroups,
  };
}

export interface PlantedStreamOptions {
  /** Tokens, n ≥ 1. Default 2000. */
  rows?: number;
  /** Of keys and values, d. Default 32. */
  dim?: number;
  /** Groups of keys, C. Default 16. */
  clusters?: number;
  /** Length of the noise of a key, σ; centers have length about √d. Default 0.3. */
  noise?: number;
  /** Default 0. */
  seed?: number;
}

export interface PlantedStream {
  /** Each shape (rows, dim). */
  keys: Matrix32;
  values: Matrix32;
  /** Group of each token, uniform, shape (rows,). */
  groups: Uint32Array;
  /** Key centers, shape (clusters, dim). */
  centers: Matrix32;
}

/**
 * A stream whose keys cluster: with c_a, u_a and g standard normal, k = c_a + σg/√d and v = u_a + 0.3 g, a uniform.
 *
 * @throws {InvalidArgumentError} an option leaves its range
 */
export function plantedStream(options: PlantedStreamOptions = {}): PlantedStream {
  const { rows = 2000, dim = 32, clusters = 16, noise = 0.3, seed = 0 } = options;
  requireInteger('plantedStream: rows', rows, 1);
  requireInteger('plantedStream: dim', dim, 1);
  requireInteger('plantedStream: clusters', clusters, 1);
  requireNumber('plantedStream: noise', noise, 0);
  requireSeed('plantedStream: seed', seed);
  const rng = createRng(seed);
  const normal = (count: number, label: string) => {
    const numbers = rng.fork(label);
    return matrixOf(count, dim, () => numbers.normal());
  };
  const centers = normal(clusters, 'key centers');
  const valueCenters = normal(clusters, 'value centers');
  const [keyNoise, valueNoise, draws] = [rng.fork('key noise'), rng.fork('value noise'), rng.fork('groups')];
  const groups = Uint32Array.from({ length: rows }, () => draws.integer(clusters));
  const spread = noise / Math.sqrt(dim);
  return {
    keys: matrixOf(rows, dim, (i, p) => centers.data[groups[i] * dim + p] + spread * keyNoise.normal()),
    values: matrixOf(rows, dim, (i, p) => valueCenters.data[groups[i] * dim + p] + 0.3 * valueNoise.normal()),
    groups,
    centers,
  };
}

/** Rows drawn uniformly from the unit sphere. */
function unitRows(rows: number, cols: number, rng: Rng): Matrix32 {
  const matrix = matrixOf(rows, cols, () => rng.normal());
  for (let i = 0; i < rows; i++) {
    const line = matrix.data.subarray(i * cols, (i + 1) * cols);
    const norm = Math.sqrt(line.reduce((sum, x) => sum + x * x, 0));
    for (let p = 0; p < cols; p++) line[p] /= norm;
  }
  return matrix;
}

function matrixOf(rows: number, cols: number, entry: (i: number, p: number) => number): Matrix32 {
  const data = new Float32Array(rows * cols);
  for (let i = 0; i < rows; i++) for (let p = 0; p < cols; p++) data[i * cols + p] = entry(i, p);
  return { data, rows, cols };
}
