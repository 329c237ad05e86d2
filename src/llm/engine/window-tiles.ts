// Sliding-window attention as plans of tiles: query i sees keys i − window + 1 … i.

import type { AttentionTiles } from '../../kernels/index.ts';
import { PlanLists, TILE_ROWS } from './plan-lists.ts';

/**
 * Two plans over disjoint keys, to be merged: with causal masks, each tile of rows meets the keys that are in the windows of all of them, and
 * then each row the few older ones that are in its own. Exact. Time and memory O(heads · rows · TILE_ROWS).
 *
 * @param rows - queries; query i is key i + offset
 */
export function windowTiles(
  heads: number,
  rows: number,
  offset: number,
  window: number,
): [AttentionTiles, AttentionTiles] {
  const shared = new PlanLists();
  const own = new PlanLists();
  const step = Math.min(TILE_ROWS, window);
  for (let head = 0; head < heads; head++)
    for (let first = 0; first < rows; first += step) {
      const end = Math.min(rows, first + step);
      // The window of the last row starts here.
      const common = Math.max(0, end - 1 + offset - window + 1);
      shared.add(head, first, end, common, end + offset);
      for (let row = first; row < end; row++) {
        const start = Math.max(0, row + offset - window + 1);
        if (start < common) own.add(head, row, row + 1, start, common);
      }
    }
  return [shared.plan(rows + offset), own.plan(rows + offset)];
}
