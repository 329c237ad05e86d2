// Noise drawn before anybody asks for it.

import { requireInteger } from '../../core/check.ts';
import { type NoiseScale, sampleDiscreteLaplace } from './discrete-laplace.ts';
import { type SecureBits, secureBits } from './random-bits.ts';

/**
 * A stock of exact discrete Laplace noise.
 *
 * The time of one draw tells about its value, so an answer that draws while its asker waits tells about the noise. Filled between queries, taking is
 * one read of an array. A value is wiped when it is taken and never given out twice.
 */
export class NoisePool {
  readonly scale: NoiseScale;
  private readonly bits: SecureBits = secureBits();
  private readonly stock: Float64Array;
  private left = 0;

  /** @param capacity - values held when full, ≥ 1. Default 4096 */
  constructor(scale: NoiseScale, capacity: number = 4096) {
    requireInteger('NoisePool: capacity', capacity, 1, 1e7);
    this.scale = scale;
    this.stock = new Float64Array(capacity);
  }

  /** Values that can be taken without drawing. */
  get size(): number {
    return this.left;
  }

  /** Draws until the stock holds `count` values (default: until it is full). */
  fill(count: number = this.stock.length): void {
    const target = Math.min(count, this.stock.length);
    while (this.left < target) this.stock[this.left++] = sampleDiscreteLaplace(this.bits, this.scale);
  }

  /** A value of the stock; one drawn now when it is empty. */
  take(): number {
    if (this.left === 0) return sampleDiscreteLaplace(this.bits, this.scale);
    const noise = this.stock[--this.left];
    this.stock[this.left] = 0;
    return noise;
  }
}
