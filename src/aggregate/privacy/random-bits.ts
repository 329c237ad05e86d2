// Where noise takes its bits: a cryptographic generator for releases, a seeded one for simulations.

import { requireSeed } from '../../core/check.ts';
import { UnsupportedError } from '../../core/errors.ts';
import { createRng } from '../../core/rng.ts';

/** Uniform random bits. */
export interface RandomBits {
  /** 'secure': nobody can repeat or predict them. 'seeded': anybody with the seed can. */
  readonly kind: 'secure' | 'seeded';
  /** Next 32 bits, as an unsigned integer. */
  uint32(): number;
}

/** Bits of the operating system's cryptographic generator. */
export interface SecureBits extends RandomBits {
  readonly kind: 'secure';
}

/** Words fetched at a time: one call of `getRandomValues` costs microseconds and may give at most 65 536 bytes. */
const WORDS = 2048;

/**
 * Bits of `crypto.getRandomValues`. There is no seed, and there must be none: whoever can repeat the noise can take it off.
 *
 * A word is wiped when it is handed out, so that memory read later does not tell past noise.
 *
 * @throws {UnsupportedError} this platform has no `crypto.getRandomValues`
 */
export function secureBits(): SecureBits {
  const { crypto } = globalThis;
  if (typeof crypto?.getRandomValues !== 'function') {
    throw new UnsupportedError(
      'secureBits: this platform has no crypto.getRandomValues; expected a browser or Node ≥ 20. Private releases need it.',
    );
  }
  const words = new Uint32Array(WORDS);
  let next = WORDS;
  return {
    kind: 'secure',
    uint32() {
      if (next === WORDS) {
        crypto.getRandomValues(words);
        next = 0;
      }
      const word = words[next];
      words[next++] = 0;
      return word;
    },
  };
}

/** Repeatable bits, for simulations only. @param seed - unsigned 32-bit integer @throws {InvalidArgumentError} it is not */
export function seededBits(seed: number): RandomBits {
  requireSeed('seededBits: seed', seed);
  const rng = createRng(seed).fork('noise bits');
  return { kind: 'seeded', uint32: () => rng.uint32() };
}

/** Uniform integer in {0, …, n − 1}, exactly, for 1 ≤ n ≤ 2⁵³: bits of n − 1, drawn again while they are too large. */
export function uniformBelow(bits: RandomBits, n: number): number {
  if (n === 1) return 0;
  const last = n - 1;
  if (last <= 0xffffffff) {
    const mask = 0xffffffff >>> Math.clz32(last);
    for (;;) {
      const x = (bits.uint32() & mask) >>> 0;
      if (x <= last) return x;
    }
  }
  const mask = 0xffffffff >>> Math.clz32(Math.floor(last / 0x100000000));
  for (;;) {
    const x = ((bits.uint32() & mask) >>> 0) * 0x100000000 + bits.uint32();
    if (x <= last) return x;
  }
}
