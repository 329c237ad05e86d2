// Assignment as a replaceable part: what iterates (iterate.ts) does not know how a row finds its center.

import type { Kernels } from '../kernels/index.ts';
import type { RowTile } from './rows.ts';
import type { KMeansAlgorithm } from './types.ts';

/** What all assigners work on. */
export interface AssignerContext {
  kernels: Kernels;
  cols: number;
  centerCount: number;
  /** Rows of a tile at most. */
  tileRows: number;
  /** Near the mean of the data, shape (d,). */
  origin: Float32Array;
  /** Shape (n,); kept up to date by the assigner. */
  labels: Uint32Array;
}

export interface Assigner {
  readonly algorithm: KMeansAlgorithm;
  /** Squared distances to the own center after a pass, shape (n,), when the pass computes them all. */
  readonly distances: Float64Array | undefined;
  /** Rows compared with many centers in this pass. */
  readonly scanned: number;
  /** Prepares a pass. @param shifts - distance each center moved since the last one, rounded up, shape (k,); undefined before the first */
  begin(centers: Float32Array, shifts: Float64Array | undefined): Promise<void>;
  /** Labels the rows of a tile. @returns how many changed */
  assign(tile: RowTile): Promise<number>;
}

/** Every row against every center by blocked matrix products, O(n k d): unbeatable while most rows still change. */
export class LloydAssigner implements Assigner {
  readonly algorithm = 'lloyd';
  readonly distances: Float64Array;
  /** Squared distance to the second nearest center, shape (n,), when asked for: it costs up to a tenth of a pass. */
  readonly secondDistances: Float64Array | undefined;
  scanned = 0;
  private readonly tileLabels: Uint32Array;
  private readonly secondLabels: Uint32Array | undefined;
  private centers: Float32Array = new Float32Array();
  private readonly context: AssignerContext;

  constructor(context: AssignerContext, { second = false }: { second?: boolean } = {}) {
    this.context = context;
    this.distances = new Float64Array(context.labels.length);
    if (second) {
      this.secondDistances = new Float64Array(context.labels.length);
      this.secondLabels = new Uint32Array(context.tileRows);
    }
    this.tileLabels = new Uint32Array(context.tileRows);
  }

  async begin(centers: Float32Array): Promise<void> {
    this.centers = centers;
    this.scanned = 0;
  }

  async assign(tile: RowTile): Promise<number> {
    const { kernels, cols, centerCount, origin, labels } = this.context;
    await kernels.nearest({
      points: tile.data,
      rows: tile.rows,
      dim: cols,
      centers: this.centers,
      centerCount,
      origin,
      labels: this.tileLabels,
      distances: this.distances.subarray(tile.start, tile.start + tile.rows),
      ...(this.secondLabels && { secondLabels: this.secondLabels }),
      ...(this.secondDistances && {
        secondDistances: this.secondDistances.subarray(tile.start, tile.start + tile.rows),
      }),
    });
    this.scanned += tile.rows;
    return adoptLabels(this.tileLabels, labels.subarray(tile.start, tile.start + tile.rows));
  }
}

/** Copies the first `to.length` labels. @returns how many differ */
export function adoptLabels(from: Uint32Array, to: Uint32Array): number {
  let changed = 0;
  for (let i = 0; i < to.length; i++) {
    if (to[i] !== from[i]) {
      to[i] = from[i];
      changed++;
    }
  }
  return changed;
}
