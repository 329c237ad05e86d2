import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tinyGguf } from '../../../test/tiny-model.ts';
import { loadKernels } from '../../kernels/index.ts';
import { LanguageModel } from '../engine/language-model.ts';
import { bytesSource } from '../files/byte-source.ts';
import { openGgufModel } from '../model/stored-model.ts';
import { loadWeights } from '../model/weights.ts';
import { oracleLogits } from '../oracle.ts';
import { perplexity } from './perplexity.ts';

async function tinyModel(): Promise<LanguageModel> {
  const stored = await openGgufModel([bytesSource(tinyGguf({}), 'tiny.gguf')]);
  return new LanguageModel(stored.config, await loadWeights(stored), await loadKernels(), {
    activations: 'float32',
  });
}

const tokens = Array.from({ length: 150 }, (_, i) => (7 * i * i + i) % 40);

describe('perplexity', () => {
  it('is that of the oracle, whole and after a prefix that a full cache keeps', async () => {
    const model = await tinyModel();
    const losses = oracleLogits(model.config, model.weights, tokens)
      .slice(0, -1)
      .map((logits, i) => {
        const sum = logits.reduce((total, x) => total + Math.exp(x), 0);
        return Math.log(sum) - logits[tokens[i + 1]];
      });
    const mean = (of: number[]) => of.reduce((sum, x) => sum + x, 0) / of.length;
    const check = (found: { nats: number; perplexity: number; tokens: number }, expected: number[]) => {
      assert.equal(found.tokens, expected.length);
      // Logits agree to 1e-4 of the largest, which is below 20; so do their differences, twice over.
      assert.ok(Math.abs(found.nats - mean(expected)) < 4e-3, `${found.nats}, not ${mean(expected)}`);
      assert.equal(found.perplexity, Math.exp(found.nats));
    };
    check(await perplexity(model, tokens), losses);
    check(await perplexity(model, tokens, { prefix: 100 }), losses.slice(99));
  });

  it('is another one where the cache forgets', async () => {
    const model = await tinyModel();
    const full = await perplexity(model, tokens, { prefix: 100 });
    const forgetful = await perplexity(model, tokens, {
      prefix: 100,
      cache: { policy: 'sink-window', budget: 2, sinks: 0 },
    });
    assert.notEqual(forgetful.nats, full.nats);
  });

  it('knows no error from one token, and refuses fewer', async () => {
    const model = await tinyModel();
    assert.equal((await perplexity(model, [1, 2])).standardError, Infinity);
    for (const [few, prefix] of [
      [[1], undefined],
      [[1, 2, 3], 2],
    ] as const)
      await assert.rejects(perplexity(model, few, prefix === undefined ? {} : { prefix }), {
        code: 'INVALID_ARGUMENT',
        message: /expected at least 2/,
      });
  });
});
