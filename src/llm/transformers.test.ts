import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type TinyModelOptions, tinyGguf } from '../../test/tiny-model.ts';
import { LanguageModel } from './engine/language-model.ts';
import { prefill } from './engine/prefill.ts';
import { bytesSource } from './files/byte-source.ts';
import { openModel } from './files/open-model.ts';
import type { ModelConfig } from './model/model-config.ts';
import { openGgufModel } from './model/stored-model.ts';
import { loadWeights, type ModelWeights, type WeightMatrix } from './model/weights.ts';
import { oracleLogits } from './oracle.ts';

const golden = fileURLToPath(new URL('../../test/golden/models', import.meta.url));
const models = readdirSync(golden, { withFileTypes: true }).filter((entry) => entry.isDirectory());

const tiny = async (options: TinyModelOptions): Promise<[ModelConfig, ModelWeights]> => {
  const model = await openGgufModel([bytesSource(tinyGguf(options), 'tiny.gguf')]);
  return [model.config, await loadWeights(model)];
};

function largestDifference(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  assert.equal(a.length, b.length);
  return Math.max(...a.flatMap((row, i) => Array.from(row, (x, j) => Math.abs(x - b[i][j]))));
}

describe('the engine', () => {
  for (const { name } of models) {
    it(`gives the logits that transformers gives for ${name}`, async () => {
      const stored = await openModel(join(golden, name));
      const { tokens, logits } = JSON.parse(readFileSync(join(golden, name, 'logits.json'), 'utf8'));
      const model = await LanguageModel.load(stored, { activations: 'float32' });
      const found: Float32Array[] = [];
      const { vocabulary } = model.config;
      await prefill(model, model.createSequence(), tokens, {
        logits: (_, rows, all) => {
          for (let row = 0; row < rows; row++)
            found.push(all.slice(row * vocabulary, (row + 1) * vocabulary));
        },
      });
      // As for the oracle, and as much again for float32 on this side.
      const scale = Math.max(...logits.flat().map(Math.abs));
      assert.ok(largestDifference(found, logits) < 4e-5 * scale, String(largestDifference(found, logits)));
    });
  }
});

describe('oracleLogits', () => {
  for (const { name } of models) {
    it(`gives the logits that transformers gives for ${name}`, async () => {
      const model = await openModel(join(golden, name));
      const { tokens, logits } = JSON.parse(readFileSync(join(golden, name, 'logits.json'), 'utf8'));
      const found = oracleLogits(model.config, await loadWeights(model), tokens);
      const scale = Math.max(...logits.flat().map(Math.abs));
      assert.ok(scale > 2, 'the logits say something');
      // The file has 5 decimals. Its float32 came through 2 layers of sums over ≤ 24 terms, each off by at most 24 · 2⁻²⁴ of its size;
      // a softmax passes errors of its scores on in proportion: 2e-5 of the largest leaves some room.
      assert.ok(largestDifference(found, logits) < 2e-5 * scale, String(largestDifference(found, logits)));
    });
  }

  it('is there for every architecture', () => {
    assert.deepEqual(models.map(({ name }) => name).sort(), [
      'llama',
      'llama-shards',
      'mistral',
      'qwen2',
      'qwen3',
    ]);
  });

  it('does not let a token see what comes after it', async () => {
    const [config, weights] = await tiny({ seed: 3 });
    const whole = oracleLogits(config, weights, [5, 9, 1, 30, 2, 8]);
    const part = oracleLogits(config, weights, [5, 9, 1]);
    assert.equal(largestDifference(whole.slice(0, 3), part), 0);
  });

  it('gives the same with rows permuted from halves to interleaved pairs', async () => {
    const [config, weights] = await tiny({ seed: 4, architecture: 'qwen2', qkvBias: true });
    assert.equal(config.rope.pairing, 'half-split');
    const permuted = {
      ...weights,
      layers: weights.layers.map((layer) => ({
        ...layer,
        q: interleave(layer.q, config.headDim),
        k: interleave(layer.k, config.headDim),
        qBias: interleaveBias(layer.qBias, config.headDim),
        kBias: interleaveBias(layer.kBias, config.headDim),
      })),
    };
    const tokens = [3, 1, 4, 1, 5, 9, 2, 6];
    const other: ModelConfig = { ...config, rope: { ...config.rope, pairing: 'interleaved' } };
    const plain = oracleLogits(config, weights, tokens);
    // Sums of the same terms in another order, in float64.
    assert.ok(largestDifference(oracleLogits(other, permuted, tokens), plain) < 1e-10);
    assert.ok(largestDifference(oracleLogits(other, weights, tokens), plain) > 1e-3, 'the pairing matters');
  });
});

/** Row of a head that belongs to row i once pairs lie side by side. */
function source(i: number, headDim: number): number {
  const [head, j] = [Math.floor(i / headDim), i % headDim];
  return head * headDim + Math.floor(j / 2) + (j % 2) * (headDim / 2);
}

function interleave(matrix: WeightMatrix, headDim: number): WeightMatrix {
  const stride = matrix.bytes.length / matrix.rows;
  const bytes = new Uint8Array(matrix.bytes.length);
  for (let i = 0; i < matrix.rows; i++) {
    const from = source(i, headDim) * stride;
    bytes.set(matrix.bytes.subarray(from, from + stride), i * stride);
  }
  return { ...matrix, bytes };
}

function interleaveBias(bias: Float32Array | undefined, headDim: number): Float32Array {
  assert.ok(bias);
  return Float32Array.from(bias, (_, i) => bias[source(i, headDim)]);
}
