// Nearest centers of a batch, tile by tile, while the centers change between tiles.

import type { Matrix32 } from '../core/matrix.ts';
import { yieldToEventLoop } from '../core/progress.ts';
import { loadKernels } from '../kernels/index.ts';

/** Rows whose nearest centers are asked for at once: few enough that those opened meanwhile are few. */
const TILE_ROWS = 256;

export interface NearestTile {
  /** First row. */
  start: number;
  rows: number;
  /** Centers there were when the kernel was asked. */
  centers: number;
  /** Nearest of them, −1 when there were none, shape (rows,). */
  labels: Int32Array;
  /** Squared distance to it, shape (rows,). */
  distances: Float64Array;
}

/** Cuts `points` into tiles and looks up the nearest of the centers that `current` gives at the time each tile begins. */
export async function* nearestInTiles(
  points: Matrix32,
  current: () => { centers: Float32Array; count: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<NearestTile> {
  const kernels = await loadKernels();
  const { data, rows: total, cols: dim } = points;
  for (let start = 0; start < total; ) {
    signal?.throwIfAborted();
    const { centers, count } = current();
    // The first rows of a stream open most of the centers; short tiles let the kernel know these sooner.
    const rows = Math.min(TILE_ROWS, total - start, Math.max(16, count));
    const labels = new Uint32Array(rows);
    const distances = new Float64Array(rows).fill(Infinity);
    if (count > 0) {
      await kernels.nearest({
        points: data.subarray(start * dim, (start + rows) * dim),
        ...{ rows, dim, centers, centerCount: count, labels, distances },
      });
    } else await yieldToEventLoop();
    const known = count > 0 ? Int32Array.from(labels) : new Int32Array(rows).fill(-1);
    yield { start, rows, centers: count, labels: known, distances };
    start += rows;
  }
}
