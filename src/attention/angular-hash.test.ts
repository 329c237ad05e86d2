import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import {
  adjacencyProbability,
  bucketPositions,
  collisionProbability,
  drawDirections,
  grayInverse,
  hashCodes,
} from './angular-hash.ts';

describe('angular hash', () => {
  it('orders buckets so that neighbours differ in one bit, cyclically', () => {
    assert.deepEqual(
      Array.from({ length: 8 }, (_, code) => grayInverse(code)),
      [0, 1, 3, 2, 7, 6, 4, 5],
    );
    for (const bits of [1, 2, 7, 12]) {
      const count = 1 << bits;
      const codeAt = new Uint32Array(count);
      for (let code = 0; code < count; code++) codeAt[grayInverse(code)] = code;
      for (let p = 0; p < count; p++) {
        const difference = codeAt[p] ^ codeAt[(p + 1) % count];
        assert.ok(
          difference > 0 && (difference & (difference - 1)) === 0,
          `positions ${p} and ${p + 1} of ${bits} bits`,
        );
      }
    }
  });

  it('offers every order as a permutation', () => {
    for (const order of ['gray', 'gray-forward', 'binary', 'random'] as const) {
      const positions = bucketPositions(5, order, createRng(1));
      assert.deepEqual(
        [...positions].sort((a, b) => a - b),
        Array.from({ length: 32 }, (_, i) => i),
      );
    }
    assert.deepEqual([...bucketPositions(3, 'gray-forward', createRng(0))], [0, 1, 3, 2, 6, 7, 5, 4]);
  });

  it('collides and neighbours as often as the angle says', async () => {
    const kernels = await loadKernels();
    const [bits, pairs] = [7, 100_000];
    const angles = [Math.PI / 16, Math.PI / 8, Math.PI / 3];
    // In two dimensions, since only the plane of the two vectors matters; all angles from one vector.
    const points = Float32Array.from([0, ...angles].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));
    const counts = angles.map(() => ({ same: 0, adjacent: 0 }));
    const rng = createRng(3);
    // 14 bits are two hashes of 7.
    for (let done = 0; done < pairs; done += 2) {
      const codes = await hashCodes(points, 4, 2, drawDirections(2, 2 * bits, rng), kernels);
      for (const part of [0, bits]) {
        const [first, ...others] = codes;
        const position = (code: number) => grayInverse((code >> part) & 127);
        for (const [a, code] of others.entries()) {
          const gap = Math.abs(position(first) - position(code));
          if (gap === 0) counts[a].same++;
          else if (gap === 1 || gap === 127) counts[a].adjacent++;
        }
      }
    }
    // 5 standard errors: each comparison fails by chance once in 1.7 million.
    for (const [a, angle] of angles.entries())
      for (const [count, p] of [
        [counts[a].same, collisionProbability(angle, bits)],
        [counts[a].adjacent, adjacencyProbability(angle, bits)],
      ])
        assert.ok(
          Math.abs(count / pairs - p) <= 5 * Math.sqrt((p * (1 - p)) / pairs),
          `${count / pairs}, not ${p}`,
        );
  });

  it('gives a zero row code 0', async () => {
    const directions = drawDirections(4, 7, createRng(0));
    assert.deepEqual([...(await hashCodes(new Float32Array(4), 1, 4, directions, await loadKernels()))], [0]);
  });
});
