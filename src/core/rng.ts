// Counter-based random numbers: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011). Block i of a stream depends on (key, i) alone, so any entry can be
// computed without the ones before it, by any thread, in TypeScript, C++ and WASM alike (native/threefry.h).

import { requireInteger, requireSeed } from './check.ts';

/** A stream of random numbers, fixed by its key. */
export interface Rng {
  /** Key of the stream, two unsigned 32-bit words: hand it to a kernel that fills from the same stream. */
  readonly key: readonly [number, number];
  /** Next unsigned 32-bit integer. */
  uint32(): number;
  /** Next number in [0, 1), a multiple of 2⁻⁵³. */
  next(): number;
  /** Next integer in [0, n), exactly uniform (Lemire's method with rejection). 1 ≤ n ≤ 2³². */
  integer(n: number): number;
  /** Next standard normal number (polar method). */
  normal(): number;
  /** Number in [0, 1) at position `index` of the stream, 0 ≤ index < 2⁵³; leaves the stream where it is. */
  at(index: number): number;
  /** A stream of its own for one stage or one item; equal labels give equal streams. Leaves this one where it is. */
  fork(label: string | number): Rng;
}

/** @param seed - unsigned 32-bit integer @throws {InvalidArgumentError} it is not */
export function createRng(seed: number): Rng {
  requireSeed('createRng: seed', seed);
  return new ThreefryRng(seed >>> 0, 0);
}

/** The stream with a given key, e.g. one sent to a worker. */
export function rngFromKey([key0, key1]: readonly [number, number]): Rng {
  return new ThreefryRng(key0 >>> 0, key1 >>> 0);
}

/** Shuffles in place (Fisher-Yates), all orders equally likely. @returns `items` */
export function shuffle<T extends { length: number; [i: number]: unknown }>(items: T, rng: Rng): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    const kept = items[i];
    items[i] = items[j];
    items[j] = kept;
  }
  return items;
}

/** The first `count` entries of a random permutation of 0 … n−1: a uniform sample without replacement, in random order. */
export function sampleIndices(n: number, count: number, rng: Rng): Uint32Array {
  requireInteger('sampleIndices: count', count, 0, n);
  // Sparse Fisher-Yates: only the entries that moved are stored, so that 10 of 10⁹ cost 10.
  const moved = new Map<number, number>();
  const picked = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const j = i + rng.integer(n - i);
    picked[i] = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
  }
  return picked;
}

/** One block of Threefry-2x32-20. @param out - receives two unsigned 32-bit words */
export function threefry2x32(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Uint32Array,
): void {
  const key2 = 0x1bd11bda ^ key0 ^ key1;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  // Rotations 13 15 26 6 and 17 29 16 24 alternate; after each four rounds the key words are injected in turn.
  for (let group = 0; group < 5; group++) {
    if ((group & 1) === 0) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
    } else {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
    }
    const turn = group % 3;
    x0 = (x0 + (turn === 0 ? key1 : turn === 1 ? key2 : key0)) | 0;
    x1 = (x1 + (turn === 0 ? key2 : turn === 1 ? key0 : key1) + group + 1) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}

class ThreefryRng implements Rng {
  readonly key: readonly [number, number];
  private counter = 0; // next block, < 2⁵³
  private readonly block = new Uint32Array(2);
  private left = 0; // words of `block` not yet given out
  private spareNormal: number | undefined;

  constructor(key0: number, key1: number) {
    this.key = [key0, key1];
  }

  uint32(): number {
    if (this.left === 0) this.refill(this.counter++);
    return this.block[2 - this.left--];
  }

  next(): number {
    return this.unit(this.counter++);
  }

  integer(n: number): number {
    requireInteger('Rng.integer: n', n, 1, 0x100000000);
    if (n === 0x100000000) return this.uint32();
    // Lemire 2019: multiply-shift, rejecting the 2³² mod n low products that would favour some values.
    const threshold = (0x100000000 - n) % n;
    for (;;) {
      const x = this.uint32();
      const low = Math.imul(x, n) >>> 0;
      if (low >= threshold) return highProduct(x, n);
    }
  }

  normal(): number {
    if (this.spareNormal !== undefined) {
      const value = this.spareNormal;
      this.spareNormal = undefined;
      return value;
    }
    for (;;) {
      const u = 2 * this.next() - 1;
      const v = 2 * this.next() - 1;
      const square = u * u + v * v;
      if (square > 0 && square < 1) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square);
        this.spareNormal = v * factor;
        return u * factor;
      }
    }
  }

  at(index: number): number {
    return this.unit(index);
  }

  fork(label: string | number): Rng {
    const [low, high] = hashLabel(String(label));
    const out = new Uint32Array(2);
    // Counters of forks have the top bit set, those of draws (< 2⁵³) have not: the streams cannot meet.
    threefry2x32(this.key[0], this.key[1], low, high | 0x80000000, out);
    return new ThreefryRng(out[0], out[1]);
  }

  /** 53 bits of block `counter`: the high 26 of word 1 above the high 27 of word 0. Drops what `uint32` had left. */
  private unit(counter: number): number {
    this.refill(counter);
    this.left = 0;
    return ((this.block[1] >>> 6) * 0x8000000 + (this.block[0] >>> 5)) / 0x20000000000000;
  }

  private refill(counter: number): void {
    threefry2x32(this.key[0], this.key[1], counter >>> 0, Math.floor(counter / 0x100000000), this.block);
    this.left = 2;
  }
}

/** ⌊x · n / 2³²⌋ for unsigned 32-bit x and n, exact: each partial product stays below 2⁵³. */
function highProduct(x: number, n: number): number {
  const low = x * (n & 0xffff);
  const high = x * (n >>> 16);
  return Math.floor((high + Math.floor(low / 0x10000)) / 0x10000);
}

/** FNV-1a over UTF-16 code units, run twice with different offsets: 64 bits that tell labels apart. */
function hashLabel(label: string): [number, number] {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let i = 0; i < label.length; i++) {
    const unit = label.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
    high ^= high >>> 13;
  }
  return [low >>> 0, high >>> 0];
}
