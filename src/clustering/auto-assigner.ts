// Lloyd while most rows must be looked at, Hamerly once bounds would settle most of them.

import { type Assigner, type AssignerContext, LloydAssigner } from './assigner.ts';
import { BoundedAssigner } from './bounded-assigner.ts';
import { CenterGroups } from './center-groups.ts';
import type { RowTile } from './rows.ts';
import type { KMeansAlgorithm } from './types.ts';

/**
 * Share of rows that bounds must settle in one step before they are kept. Measured on mixtures of 8 to 128 columns and 50 to 1000
 * centers: at 0.3 to 0.6 the whole run takes 0.65 to 1.02 of the processor time of Lloyd; changing once 70 % of the labels
 * have rested twice took up to 1.25 of it, as the bounds of many resting rows fail in 64 or more columns.
 */
const SETTLED_SHARE = 0.5;
/** Rows that are asked: a share is then known to about 1 %. */
const PROBES = 4096;

/**
 * Starts as Lloyd and may change to Hamerly, once.
 *
 * How many rows kept their label says little: with many columns, bounds fail for rows that never move. So the rule asks, after each
 * pass, for what share of the rows the distances just found and the step of the centers would have settled the next one.
 */
export class AutoAssigner implements Assigner {
  private inner: LloydAssigner | BoundedAssigner;
  private readonly context: AssignerContext;

  constructor(context: AssignerContext) {
    this.context = context;
    this.inner = new LloydAssigner(context, { second: true });
  }

  get algorithm(): KMeansAlgorithm {
    return this.inner.algorithm;
  }

  get distances(): Float64Array | undefined {
    return this.inner.distances;
  }

  get scanned(): number {
    return this.inner.scanned;
  }

  async begin(centers: Float32Array, shifts: Float64Array | undefined): Promise<void> {
    const { inner, context } = this;
    if (
      inner instanceof LloydAssigner &&
      shifts &&
      settledShare(inner, context.labels, shifts) > SETTLED_SHARE
    ) {
      this.inner = new BoundedAssigner(context, { algorithm: 'hamerly', groupCount: 1 });
    }
    await this.inner.begin(centers, shifts);
  }

  assign(tile: RowTile): Promise<number> {
    return this.inner.assign(tile);
  }
}

/** Share of probed rows that stay nearer to their center than to any other while the centers make this step. */
function settledShare(
  { distances, secondDistances }: LloydAssigner,
  labels: Uint32Array,
  shifts: Float64Array,
): number {
  if (!secondDistances) return 0;
  const all = new CenterGroups(new Uint32Array(shifts.length), 1);
  all.move(shifts);
  const stride = Math.max(1, Math.floor(labels.length / PROBES));
  let probes = 0;
  let settled = 0;
  for (let i = 0; i < labels.length; i += stride) {
    const label = labels[i];
    const drift = label === all.driftCenter[0] ? all.restDrift[0] : all.drift[0];
    if (Math.sqrt(distances[i]) + shifts[label] < Math.sqrt(secondDistances[i]) - drift) settled++;
    probes++;
  }
  return settled / probes;
}
