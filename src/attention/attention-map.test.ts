import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attentionMap } from './attention-map.ts';
import { hyperAttention } from './hyper.ts';
import { plantedInput } from './reproduce/planted.ts';
import type { AttentionInput } from './types.ts';

const options = { blockSize: 64, sampleSize: 32, minSequence: 1, certifyRows: 0, seed: 2 };

/** Two heads, of which the second has other data. */
function twoHeads(): AttentionInput {
  const [a, b] = [1, 2].map((seed) => plantedInput({ rows: 512, dim: 32, clusters: 16, seed }));
  const stack = (name: 'queries' | 'keys' | 'values') => {
    const data = new Float32Array(2 * a[name].data.length);
    data.set(a[name].data as Float32Array);
    data.set(b[name].data as Float32Array, a[name].data.length);
    return { ...a[name], data, heads: 2 };
  };
  return { queries: stack('queries'), keys: stack('keys'), values: stack('values') };
}

describe('attentionMap', () => {
  it('has mean 1, and most of its mass in the blocks of every head', async () => {
    const input = twoHeads();
    const { value } = await hyperAttention(input, options);
    for (const head of [0, 1]) {
      const bins = 32;
      const map = attentionMap(input, value.trace, { head, bins, rowsPerBin: 16 });
      const mean = map.values.reduce((sum, x) => sum + x, 0) / bins ** 2;
      assert.ok(Math.abs(mean - 1) < 1e-9, `${mean}`);
      let [inside, cells] = [0, 0];
      for (let i = 0; i < bins; i++)
        for (let j = 0; j < bins; j++) {
          const [row, key] = [(i + 0.5) * 16, (j + 0.5) * 16];
          const covers = map.blocks.some(
            ({ rows, keys }) => rows[0] <= row && row < rows[1] && keys[0] <= key && key < keys[1],
          );
          if (covers) {
            inside += map.values[i * bins + j];
            cells++;
          }
        }
      // Blocks cover an eighth of the pairs; without hashing they would hold an eighth of the mass.
      assert.ok(inside / bins ** 2 > (3 * cells) / bins ** 2, `${inside} in ${cells} cells`);
      assert.ok(map.samples.length > 0 && map.samples.length <= 32);
      assert.ok(map.samples.every((at, i) => at < 512 && (i === 0 || at > map.samples[i - 1])));
      assert.ok(map.blocks.every(({ keys: [from, to] }) => from % 64 === 0 && to === from + 64));
    }
  });

  it('refuses what has no such order', async () => {
    const input = plantedInput({ rows: 512, dim: 8, clusters: 16 });
    const exact = await hyperAttention(input, { minSequence: 1024 });
    assert.throws(() => attentionMap(input, exact.value.trace), { code: 'UNSUPPORTED', message: /0 plans/ });
    const masked = { ...input, keyMask: Uint8Array.from({ length: 512 }, (_, j) => (j < 500 ? 1 : 0)) };
    const { value } = await hyperAttention(masked, options);
    assert.throws(() => attentionMap(masked, value.trace), { code: 'UNSUPPORTED', message: /masked keys/ });
    assert.throws(() => attentionMap(input, value.trace, { head: 1 }), { code: 'INVALID_ARGUMENT' });
  });
});
