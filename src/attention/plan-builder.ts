// Collects tiles, segments and key lists into one plan for the kernel.

import type { AttentionTiles } from '../kernels/index.ts';

/** A run of a plan's key list and the log-weight of its keys. */
export interface Segment {
  start: number;
  end: number;
  logWeight: number;
}

export class PlanBuilder {
  private readonly heads: number[] = [];
  private readonly rowStart: number[] = [0];
  private readonly segmentStart: number[] = [0];
  private readonly segments: Segment[] = [];
  private readonly rowLists: Uint32Array[] = [];
  private readonly keyLists: Uint32Array[] = [];
  private rowCount = 0;
  private keyCount = 0;
  /** (query, key) pairs of the plan so far. */
  pairs = 0;

  /** Appends to the plan's key list. @returns where the keys begin there */
  addKeys(keys: Uint32Array): number {
    const start = this.keyCount;
    this.keyLists.push(keys);
    this.keyCount += keys.length;
    return start;
  }

  /** @param rows - query rows of `head`, in no other tile of this plan @param segments - empty ones are dropped */
  addTile(head: number, rows: Uint32Array, segments: readonly Segment[]): void {
    const used = segments.filter(({ start, end }) => end > start);
    if (rows.length === 0 || used.length === 0) return;
    this.heads.push(head);
    this.rowLists.push(rows);
    this.rowCount += rows.length;
    this.rowStart.push(this.rowCount);
    this.segments.push(...used);
    this.segmentStart.push(this.segments.length);
    for (const { start, end } of used) this.pairs += rows.length * (end - start);
  }

  build(): AttentionTiles {
    return {
      heads: Uint32Array.from(this.heads),
      rowStart: Uint32Array.from(this.rowStart),
      rows: concatenated(this.rowLists, this.rowCount),
      segmentStart: Uint32Array.from(this.segmentStart),
      keyStart: Uint32Array.from(this.segments, ({ start }) => start),
      keyEnd: Uint32Array.from(this.segments, ({ end }) => end),
      logWeights: Float32Array.from(this.segments, ({ logWeight }) => logWeight),
      keys: concatenated(this.keyLists, this.keyCount),
    };
  }
}

/** The integers start … end − 1. */
export function range(start: number, end: number): Uint32Array {
  const list = new Uint32Array(Math.max(0, end - start));
  for (let i = 0; i < list.length; i++) list[i] = start + i;
  return list;
}

function concatenated(lists: readonly Uint32Array[], length: number): Uint32Array {
  const all = new Uint32Array(length);
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}
