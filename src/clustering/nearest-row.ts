// The nearest center of one row, for streams that cannot wait for a batch.

import { directDistance } from '../kernels/index.ts';

/** Entries looked at before a center is given up: most are far in any sixteen coordinates. */
const GLANCE = 16;

/** Squared distance and index of the nearest center; `center` is −1 when none was nearer than what was known. */
export interface NearestCenter {
  center: number;
  squared: number;
}

/**
 * Looks for a center nearer than `known` among rows from … to − 1 of `centers`, ties to the first.
 *
 * The partial sum over some coordinates, added up in the same tree, never exceeds the whole (rounding is monotone), so a glance at sixteen
 * of them rules centers out without changing any decision: results are those of `kernels.nearest`, bit for bit.
 */
export function nearestRow(
  points: Float32Array,
  start: number,
  centers: Float32Array,
  { from, to, dim }: { from: number; to: number; dim: number },
  known: NearestCenter = { center: -1, squared: Infinity },
): NearestCenter {
  let { center, squared } = known;
  for (let j = from; j < to; j++) {
    if (dim > 2 * GLANCE && directDistance(points, start, centers, j * dim, GLANCE) >= squared) continue;
    const distance = directDistance(points, start, centers, j * dim, dim);
    if (distance < squared) {
      squared = distance;
      center = j;
    }
  }
  return { center, squared };
}
