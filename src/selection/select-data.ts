// The main entry: cluster, ask a few losses, score, draw, and certify.

import type { Certified } from '../core/certificate.ts';
import { requireLength } from '../core/check.ts';
import type { Matrix32, RowSource } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { clusterElbow } from './elbow.ts';
import { learnScores } from './learn-scores.ts';
import { countedOracle } from './loss-oracle.ts';
import { clusterRows, completePartition, type Partition } from './partition.ts';
import { outsideIds, type Pool, preparePool } from './pool.ts';
import { reportSelection } from './report-selection.ts';
import { drawWith } from './sampling/draw-sample.ts';
import {
  defaultClusterCount,
  type ResolvedOptions,
  resolveOptions,
  type Selection,
  type SelectOptions,
} from './select-options.ts';

/**
 * Selects a small weighted sub-set of rows whose weighted loss sum approximates the loss sum of all rows.
 *
 * Clusters the embeddings, asks the losses of one row per cluster (and of a few probes), gives every row the score
 * σ(e) = ℓ̂(cluster) + Λ·distance^z, and draws rows with probability (1−α)·σ/T + α/n. In memory or out of core: beside the
 * blocks of the source it keeps labels, distances and scores (20 bytes per row), probabilities (8) and, for schemes without
 * repeats, inclusion probabilities while it draws (8). The same seed gives the same rows whatever the size of the blocks.
 *
 * @param points - embeddings, shape (n, d)
 * @returns row ids with weights and a report; the certificate bounds |Σ weight·ℓ − Σℓ| in the unit of the loss
 * @throws {InvalidArgumentError} an option leaves its range; a loss is negative; rows with unknown losses could never be drawn
 * @throws {DataError} an embedding or a loss is not finite (unless `onInvalid: "drop"`), or the oracle fails or miscounts
 *
 * Time O(n·k·d·iterations) for the clustering, O(n·d + n log s) for the rest; k + probes loss queries.
 * Reference: arXiv 2402.17327 (Data-Sel); `robust` and `balanced` modes, floor and probes: docs/selection.md.
 *
 * @example
 * const { value, certificate } = await selectData(embeddings, { loss: (ids) => model.losses(ids), size: 500 });
 */
export async function selectData(
  points: Matrix32 | RowSource,
  options: SelectOptions,
): Promise<Certified<Selection>> {
  const resolved = resolveOptions('selectData', options);
  const pool = await preparePool(points, resolved);
  resolved.signal?.throwIfAborted();
  const partition = await partitionPool(pool, resolved, points);
  const oracle = countedOracle(resolved.loss, resolved);
  const rng = createRng(resolved.seed).fork('selection');
  const learned = await learnScores(pool, partition, oracle, resolved, rng);
  const sample = drawWith(learned.model.probabilities, {
    size: resolved.size,
    scheme: resolved.scheme,
    rowWeights: learned.rowWeights,
    keys: pool.ids,
    rng: rng.fork('draw'),
  });
  const elbow = resolved.elbow
    ? await clusterElbow(pool.source, {
        ask: (rows) => oracle.ask(outsideIds(pool, rows), 'losses for the elbow'),
        k: learned.model.proxies.length,
        model: learned.model,
        power: resolved.power,
        seed: resolved.seed,
        rowWeights: learned.rowWeights,
        signal: resolved.signal,
      })
    : undefined;
  return reportSelection({ pool, learned, sample, oracle, options: resolved, elbow });
}

/** The partition the options ask for, of the rows of the pool. */
export async function partitionPool(
  pool: Pool,
  options: ResolvedOptions,
  points: Matrix32 | RowSource,
): Promise<Partition> {
  const { clustering, k = 'auto', size, seed, signal, onProgress } = options;
  const { source, ids, rowWeights } = pool;
  if (!clustering) {
    return clusterRows(source, {
      k: k === 'auto' ? defaultClusterCount(size, source.rows) : Math.min(k, source.rows),
      seed,
      rowWeights,
      signal,
      onProgress,
    });
  }
  if (!ids) return completePartition(source, clustering);
  // Rows were left out: the caller's partition is of all rows, so it loses the same ones.
  requireLength('selectData: clustering.labels', clustering.labels, points.rows);
  const labels = ids.map((id) => clustering.labels[id]);
  if ('centers' in clustering) return completePartition(source, { labels, centers: clustering.centers });
  const position = new Map<number, number>();
  ids.forEach((id, row) => {
    position.set(id, row);
  });
  return completePartition(source, {
    labels,
    // A representative that was left out becomes an index past the end, which is refused by name.
    representatives: clustering.representatives.map((id) => position.get(id) ?? 0xffffffff),
    distances: clustering.distances && Float64Array.from(ids, (id) => clustering.distances![id]),
  });
}
