// Lloyd while rows move, Hamerly once most have come to rest.

import { type Assigner, type AssignerContext, LloydAssigner } from './assigner.ts';
import { BoundedAssigner } from './bounded-assigner.ts';
import type { RowTile } from './rows.ts';
import type { KMeansAlgorithm } from './types.ts';

/** Share of rows that must have kept their label in the last two passes before bounds are kept for all. */
const SETTLED_SHARE = 0.7;

export class AutoAssigner implements Assigner {
  private inner: Assigner;
  private changed = Infinity; // in the pass before
  private changing = Infinity; // in this pass, so far
  private readonly context: AssignerContext;

  constructor(context: AssignerContext) {
    this.context = context;
    this.inner = new LloydAssigner(context);
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
    // Rows that changed in either of two passes are at most the sum of both.
    const moving = this.changed + this.changing;
    if (this.inner.algorithm === 'lloyd' && moving < (1 - SETTLED_SHARE) * this.context.labels.length) {
      this.inner = new BoundedAssigner(this.context, { algorithm: 'hamerly', groupCount: 1 });
    }
    this.changed = this.changing;
    this.changing = 0;
    await this.inner.begin(centers, shifts);
  }

  async assign(tile: RowTile): Promise<number> {
    const changed = await this.inner.assign(tile);
    this.changing += changed;
    return changed;
  }
}
