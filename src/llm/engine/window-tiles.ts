// Sliding-window attention as plans of tiles: query i sees keys i − window + 1 … i.

import type { AttentionTiles } from '../../kernels/index.ts';

/** Rows that share most of their windows: a panel of the kernel. */
const TILE_ROWS = 64;

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

/** Tiles with one segment each. */
class PlanLists {
  private readonly heads: number[] = [];
  private readonly rowStart: number[] = [0];
  private readonly rows: number[] = [];
  private readonly keyStart: number[] = [];
  private readonly keyEnd: number[] = [];

  add(head: number, firstRow: number, endRow: number, firstKey: number, endKey: number): void {
    this.heads.push(head);
    for (let row = firstRow; row < endRow; row++) this.rows.push(row);
    this.rowStart.push(this.rows.length);
    this.keyStart.push(firstKey);
    this.keyEnd.push(endKey);
  }

  plan(keyRows: number): AttentionTiles {
    const count = this.heads.length;
    return {
      heads: Uint32Array.from(this.heads),
      rowStart: Uint32Array.from(this.rowStart),
      rows: Uint32Array.from(this.rows),
      segmentStart: Uint32Array.from({ length: count + 1 }, (_, i) => i),
      keyStart: Uint32Array.from(this.keyStart),
      keyEnd: Uint32Array.from(this.keyEnd),
      logWeights: new Float32Array(count),
      keys: Uint32Array.from({ length: keyRows }, (_, i) => i),
    };
  }
}
