// How T falls with the number of clusters: the elbow that says whether more representatives are worth asking.

import type { RowSource } from '../core/matrix.ts';
import { clusterRows } from './partition.ts';
import type { ScoreModel } from './score-rows.ts';
import { sensitivityScores } from './sensitivity.ts';

export interface ElbowRow {
  /** Clusters. */
  k: number;
  /** T = Σuσ with the losses of the representatives as proxies; unit of the loss. */
  total: number;
  /** Φ^Λ/T: the share of T that stems from distances. */
  distanceShare: number;
}

export interface ElbowOptions {
  /** Losses of rows of the source. */
  ask: (rows: Uint32Array) => Promise<Float64Array>;
  /** Middle of the three cluster counts. */
  k: number;
  /** Model whose Φ^Λ/Φ serves as the one Λ for all three, so that the rows can be compared. */
  model: ScoreModel;
  power: number;
  seed: number;
  rowWeights: Float64Array | undefined;
  signal: AbortSignal | undefined;
}

/** T and Φ^Λ/T for k/2, k and 2k clusters (fewer when there are fewer rows). Asks the losses of all their representatives. */
export async function clusterElbow(source: RowSource, options: ElbowOptions): Promise<ElbowRow[]> {
  const { ask, k, model, power, seed, rowWeights, signal } = options;
  const lambda = model.phi > 0 ? model.phiLambda / model.phi : 0;
  const counts = new Set([Math.max(1, Math.round(k / 2)), k, Math.min(source.rows, 2 * k)]);
  const rows: ElbowRow[] = [];
  for (const count of counts) {
    const { labels, distances, representatives } = await clusterRows(source, {
      k: count,
      seed,
      rowWeights,
      signal,
    });
    const asked = await ask(representatives);
    // A loss that onInvalid "drop" let pass as NaN counts nothing here.
    const centerLosses = asked.map((loss) => (Number.isNaN(loss) ? 0 : loss));
    const { total, phiLambda } = sensitivityScores({
      labels,
      distances,
      centerLosses,
      lambda,
      power,
      rowWeights,
    });
    rows.push({ k: representatives.length, total, distanceShare: total > 0 ? phiLambda / total : 0 });
  }
  return rows;
}
