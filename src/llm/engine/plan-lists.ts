// Plans of tiles in which neighbouring rows meet one range of keys.

import type { AttentionTiles } from '../../kernels/index.ts';

/** Rows of a tile: a panel of the kernel. */
export const TILE_ROWS = 64;

/** Tiles with one segment each. */
export class PlanLists {
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
