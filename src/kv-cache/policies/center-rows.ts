// The centers of one key head, and the rows of the slab that hold them.

import {
  kCenterGreedy,
  OnlineKCenter,
  type OnlineKCenterStep,
  RunningMeans,
} from '../../clustering/index.ts';
import { type Matrix32, takeRows } from '../../core/matrix.ts';
import type { StoredArray } from '../../kernels/index.ts';
import { fitsStorage } from '../check-tokens.ts';
import { damaged, type SavedState } from '../saved-state.ts';
import type { CacheState } from '../serialize.ts';
import type { Slab } from '../slab.ts';
import type { Token } from '../token.ts';
import type { CacheShape } from '../types.ts';

/** What a center stands in a row for. */
export type CenterMode =
  /** Its first token, weight 1: the paper's. */
  | 'select'
  /** Its first token, with the weight of all of its tokens. */
  | 'weighted'
  /** Mean key and mean value of its tokens, with the weight of all. */
  | 'merge';

export interface CenterLayout {
  shape: Required<CacheShape>;
  mode: CenterMode;
  /** Keep the spread of the keys' coordinates. */
  diagonal: boolean;
  /** Row of the first center. */
  first: number;
  /** Most centers. */
  k: number;
}

/**
 * Center c lies in row first + c. Of float32 storage that row is the only place of what it holds: representatives ('select', 'weighted') or
 * means ('merge', with representatives beside) are kept in it by the clustering itself. In halves a running mean would freeze as soon as a
 * token moved it by less than half a unit, so there numbers are kept in float32 beside, and the rows are copies.
 */
export class CenterRows {
  readonly layout: CenterLayout;
  readonly keys: OnlineKCenter;
  /** With 'merge'. */
  readonly keyMeans: RunningMeans | undefined;
  readonly valueMeans: RunningMeans | undefined;
  private readonly head: number;

  constructor(layout: CenterLayout, head: number, keys?: OnlineKCenter) {
    const { shape, mode, diagonal, k } = layout;
    const { dim, valueDim } = shape;
    this.layout = layout;
    this.head = head;
    // Of float32 storage, `bind` gives the memory.
    const none = this.inSlab ? { means: new Float32Array(0) } : {};
    this.keys = keys ?? new OnlineKCenter({ dim, k, merging: 'closest', means: false });
    if (mode !== 'merge') return;
    this.keyMeans = new RunningMeans(dim, k, { diagonal, ...none });
    this.valueMeans = new RunningMeans(valueDim, k, none);
  }

  /** Centers of tokens given all at once: farthest-first from the oldest, at most twice the least possible radius. */
  static async greedy(
    layout: CenterLayout,
    head: number,
    slab: Slab,
    tokens: { keys: Matrix32; values: Matrix32; start: number; signal: AbortSignal | undefined },
  ): Promise<CenterRows> {
    const { dim } = layout.shape;
    const { keys, values, start, signal } = tokens;
    const found = await kCenterGreedy(keys, { k: layout.k, first: 0, signal });
    const { indices, labels, distances, radius } = found;
    const radii = new Float64Array(indices.length);
    const counts = new Float64Array(indices.length);
    for (let i = 0; i < keys.rows; i++) {
      radii[labels[i]] = Math.max(radii[labels[i]], Math.sqrt(distances[i]));
      counts[labels[i]]++;
    }
    const given = {
      ...{ representatives: takeRows(keys, indices).data, radii, counts },
      ...{ gaps: found.gaps.map(Math.sqrt), gapCenters: found.gapCenters },
    };
    // The row at distance `radius` and the centers are pairwise at least that far apart.
    const thresholds = { delta: radius, optimumLow: radius / 2 };
    const centers = new CenterRows(
      layout,
      head,
      OnlineKCenter.from({ dim, k: layout.k, merging: 'closest' }, given, thresholds),
    );
    if (layout.mode !== 'merge' && centers.inSlab)
      slab.writable().keys.set(given.representatives, centers.rowStart(slab, 0) * dim);
    centers.bind(slab);
    // Its own row opens a center; the means then take the others in order.
    indices.forEach((i, c) => {
      centers.open(slab, c, tokenAt(keys, values, i, start + i));
    });
    const taken = new Float64Array(indices.length).fill(1);
    for (let i = 0; i < keys.rows; i++) {
      const c = labels[i];
      if (indices[c] !== i) centers.join(c, taken[c]++, tokenAt(keys, values, i, start + i));
    }
    centers.writeAll(slab);
    return centers;
  }

  /** Works in the memory of `slab` from now on; to be called before tokens are taken, as slabs move. */
  bind(slab: Slab): void {
    if (!this.inSlab) return;
    const { shape, k, mode } = this.layout;
    const { keys, values } = slab.writable();
    const part = (array: StoredArray, width: number) =>
      array.subarray(this.rowStart(slab, 0) * width, this.rowStart(slab, k) * width) as Float32Array;
    if (mode !== 'merge') this.keys.representatives = part(keys, shape.dim);
    if (this.keyMeans) this.keyMeans.means = part(keys, shape.dim);
    if (this.valueMeans) this.valueMeans.means = part(values, shape.valueDim);
  }

  /** Takes one token. */
  take(slab: Slab, token: Token): void {
    this.follow(slab, this.keys.add(token.key), token);
  }

  /** Takes tokens in order, with distances by the kernels. */
  async takeAll(slab: Slab, keys: Matrix32, tokenOf: (i: number) => Token): Promise<void> {
    await this.keys.addAll(keys, (i, step) => this.follow(slab, step, tokenOf(i)));
  }

  /** Copies what is not in the slab; `bind` comes next. */
  copy(): CenterRows {
    const copy = new CenterRows(this.layout, this.head, this.keys.copy());
    for (const [to, from] of [
      [copy.keyMeans, this.keyMeans],
      [copy.valueMeans, this.valueMeans],
    ]) {
      if (!to || !from) continue;
      to.scalars.set(from.scalars);
      if (from.squares) to.squares?.set(from.squares);
      if (!this.inSlab) to.means.set(from.means);
    }
    return copy;
  }

  /** Everything beside the slab. */
  save(): { numbers: { delta: number; optimumLow: number }; arrays: CacheState['arrays'] } {
    const { delta, optimumLow, representatives, radii, counts, gaps, gapCenters } = this.keys.state();
    const arrays: CacheState['arrays'] = { representatives, radii, counts, gaps, gapCenters };
    for (const [name, means] of [
      ['key', this.keyMeans],
      ['value', this.valueMeans],
    ] as const) {
      if (!means) continue;
      arrays[`${name} scalars`] = means.scalars;
      if (means.squares) arrays[`${name} squares`] = means.squares;
      if (!this.inSlab) arrays[`${name} means`] = means.means;
    }
    return { numbers: { delta, optimumLow }, arrays };
  }

  /**
   * What `save` described; `bind` and `writeAll` come next.
   *
   * @throws {DataError} it is none of such a layout
   */
  static restore(layout: CenterLayout, head: number, numbers: unknown, saved: SavedState): CenterRows {
    const { k, shape } = layout;
    const size = saved.length('counts');
    if (size < 1 || size > k) throw damaged(`key head ${head} has ${size} centers; expected 1 to ${k}`);
    const { delta, optimumLow } = (numbers ?? {}) as Record<string, number>;
    if (!(Number.isFinite(delta) && delta >= 0 && Number.isFinite(optimumLow) && optimumLow >= 0))
      throw damaged(`thresholds of key head ${head} are ${delta} and ${optimumLow}; expected numbers ≥ 0`);
    const at = {
      representatives: saved.array('representatives', Float32Array, size * shape.dim),
      radii: saved.array('radii', Float64Array, size),
      counts: saved.array('counts', Float64Array, size),
      gaps: saved.array('gaps', Float64Array, size),
      gapCenters: saved.array('gapCenters', Uint32Array, size),
    };
    const isStorable = (x: number) => fitsStorage(x, shape.storage);
    saved.every('representatives', at.representatives, isStorable, 'finite numbers');
    saved.every('radii', at.radii, (x) => x >= 0 && x < Infinity, 'numbers ≥ 0');
    saved.every('counts', at.counts, (n) => Number.isSafeInteger(n) && n >= 1, 'integers ≥ 1');
    saved.every('gaps', at.gaps, (x) => x >= 0, 'numbers ≥ 0');
    const thresholds = { delta, optimumLow, merging: 'closest' as const };
    const rows = new CenterRows(
      layout,
      head,
      OnlineKCenter.restore({ dim: shape.dim, k, ...thresholds, ...at }),
    );
    for (const [name, means] of [
      ['key', rows.keyMeans],
      ['value', rows.valueMeans],
    ] as const) {
      if (!means) continue;
      means.scalars.set(boundsOf(saved, `${name} scalars`, Float64Array, means.scalars.length));
      means.squares?.set(boundsOf(saved, `${name} squares`, Float32Array, means.squares.length));
      if (rows.inSlab) continue;
      const read = saved.array(`${name} means`, Float32Array, means.means.length);
      saved.every(`${name} means`, read, isStorable, 'finite numbers');
      means.means.set(read);
    }
    return rows;
  }

  /** Tokens of all centers. */
  get tokens(): number {
    return this.keys.counts.subarray(0, this.keys.size).reduce((sum, count) => sum + count, 0);
  }

  /** Bytes of the arrays beside the slab. */
  get bytes(): number {
    const { keys, keyMeans, valueMeans, inSlab } = this;
    if (!inSlab) return keys.bytes + (keyMeans?.bytes ?? 0) + (valueMeans?.bytes ?? 0);
    const shared = this.layout.mode === 'merge' ? 0 : keys.representatives.byteLength;
    const beside = (means: RunningMeans | undefined) => (means ? means.bytes - means.means.byteLength : 0);
    return keys.bytes - shared + beside(keyMeans) + beside(valueMeans);
  }

  private get inSlab(): boolean {
    return this.layout.shape.storage === 'float32';
  }

  /** Row of center c in the slab's arrays. */
  private rowStart(slab: Slab, center: number): number {
    return this.head * slab.capacity + this.layout.first + center;
  }

  /** Does with means, values and positions what the clustering did with representatives. */
  private follow(slab: Slab, { center, opened, changes }: OnlineKCenterStep, token: Token): void {
    const { first } = this.layout;
    for (const { from, to, merged } of changes) {
      if (merged) {
        this.keyMeans?.merge(to, merged.to, from, merged.from);
        this.valueMeans?.merge(to, merged.to, from, merged.from);
      } else this.move(slab, from, to);
    }
    if (opened) this.open(slab, center, token);
    else this.join(center, this.keys.counts[center] - 1, token);
    this.write(slab, center);
    for (const { from, to } of changes) {
      this.write(slab, to);
      if (from >= this.keys.size) slab.setLogWeight(this.head, first + from, -Infinity);
    }
  }

  private open(slab: Slab, center: number, { key, value, position }: Token): void {
    this.keyMeans?.open(center, key);
    this.valueMeans?.open(center, value);
    const at = this.rowStart(slab, center);
    slab.writable().positions[at] = position;
    if (!this.valueMeans) slab.setValue(this.head, this.layout.first + center, value);
  }

  private join(center: number, count: number, { key, value }: Token): void {
    this.keyMeans?.add(center, count, key);
    this.valueMeans?.add(center, count, value);
  }

  private move(slab: Slab, from: number, to: number): void {
    this.keyMeans?.move(from, to);
    this.valueMeans?.move(from, to);
    slab.moveValue(this.head, this.layout.first + from, this.layout.first + to);
  }

  /** Weights of all rows, those without a center hidden. */
  writeAll(slab: Slab): void {
    const { k, first } = this.layout;
    for (let c = 0; c < this.keys.size; c++) this.write(slab, c);
    for (let c = this.keys.size; c < k; c++) slab.setLogWeight(this.head, first + c, -Infinity);
  }

  private write(slab: Slab, center: number): void {
    const { shape, first, mode } = this.layout;
    const row = first + center;
    if (!this.inSlab) {
      const { dim, valueDim } = shape;
      const keys = this.keyMeans?.means ?? this.keys.representatives;
      slab.setKey(this.head, row, keys.subarray(center * dim, (center + 1) * dim));
      if (this.valueMeans)
        slab.setValue(
          this.head,
          row,
          this.valueMeans.means.subarray(center * valueDim, (center + 1) * valueDim),
        );
    }
    slab.setLogWeight(this.head, row, mode === 'select' ? 0 : Math.log(this.keys.counts[center]));
  }
}

/** Numbers that are a distance or a sum of squares each. */
function boundsOf<T extends Float32Array | Float64Array>(
  saved: SavedState,
  name: string,
  like: new (length: number) => T,
  length: number,
): T {
  const array = saved.array(name, like, length);
  saved.every(name, array, (x) => x >= 0, 'numbers ≥ 0');
  return array;
}

function tokenAt(keys: Matrix32, values: Matrix32, i: number, position: number): Token {
  return {
    key: keys.data.subarray(i * keys.cols, (i + 1) * keys.cols),
    value: values.data.subarray(i * values.cols, (i + 1) * values.cols),
    position,
  };
}
