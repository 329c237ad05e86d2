import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type TinyModelOptions, tinyGguf, tinyHubFolder } from '../../../test/tiny-model.ts';
import { loadKernels } from '../../kernels/index.ts';
import type { CacheOptions } from '../../kv-cache/index.ts';
import { bytesSource } from '../files/byte-source.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { openGgufModel, openHubModel, type StoredModel } from '../model/stored-model.ts';
import { loadWeights } from '../model/weights.ts';
import { oracleLogits } from '../oracle.ts';
import { decodeStep } from './decode-step.ts';
import { LanguageModel } from './language-model.ts';
import { prefill } from './prefill.ts';

async function modelOf(stored: StoredModel, change: Partial<ModelConfig> = {}): Promise<LanguageModel> {
  const config = { ...stored.config, ...change };
  return new LanguageModel(config, await loadWeights(stored), await loadKernels(), {
    activations: 'float32',
  });
}

const gguf = async (options: TinyModelOptions = {}, change: Partial<ModelConfig> = {}) =>
  modelOf(await openGgufModel([bytesSource(tinyGguf(options), 'tiny.gguf')]), change);

const tokensOf = (count: number, seed = 3) =>
  Array.from({ length: count }, (_, i) => (i * i * seed + 5 * i) % 40);

/**
 * Logits of all tokens at once, and of each of the last ones by steps, are the oracle's. Rounding: each of some ten products in a row adds about
 * √cols · 2⁻²⁴ of its size, and a norm keeps relative errors: 1e-4 of the largest logit is far more, and far less than any mistake.
 */
async function check(
  model: LanguageModel,
  tokens: number[],
  steps: number,
  cache?: CacheOptions,
): Promise<void> {
  const { vocabulary } = model.config;
  const exact = oracleLogits(model.config, model.weights, tokens);
  const size = Math.max(...exact.map((logits) => Math.max(...logits.map(Math.abs))));
  const near = (found: Float32Array, position: number, how: string) => {
    for (let i = 0; i < vocabulary; i++)
      assert.ok(
        Math.abs(found[i] - exact[position][i]) <= 1e-4 * size,
        `${how}, token ${position}: logit ${i} is ${found[i]}, not ${exact[position][i]}`,
      );
  };
  const sequence = model.createSequence(cache ? { cache } : {});
  const read = tokens.slice(0, tokens.length - steps);
  let seen = 0;
  await prefill(model, sequence, read, {
    logits: (start, rows, logits) => {
      for (let row = 0; row < rows; row++, seen++)
        near(logits.subarray(row * vocabulary, (row + 1) * vocabulary), start + row, 'prefill');
    },
  });
  assert.equal(seen, read.length);
  for (let i = read.length; i < tokens.length; i++)
    near(await decodeStep(model, [sequence], [tokens[i]]), i, 'step');
  assert.deepEqual(sequence.tokens, tokens);
}

describe('the engine', () => {
  for (const [name, options] of Object.entries<TinyModelOptions>({
    'the Llama family': {},
    'tied embeddings and one key head': { tied: true, keyHeads: 1 },
    biases: { qkvBias: true, outputBias: true },
    'norms of heads': { qkNorm: true, headDim: 32 },
    halves: { format: 'F16' },
    'blocks of 32': { format: 'Q4_1', intermediate: 128 },
  }))
    it(`gives the oracle's logits for ${name}`, async () => check(await gguf(options), tokensOf(12), 4));

  it('turns halves of heads for weights of the hub', async () => {
    const folder = tinyHubFolder({ architecture: 'qwen2', qkvBias: true });
    const stored = await openHubModel(async (file) => folder.get(file));
    assert.equal(stored.config.rope.pairing, 'half-split');
    await check(await modelOf(stored), tokensOf(12), 4);
  });

  it('keeps to sliding windows, in prompts and steps', async () => {
    for (const window of [1, 3, 7, 64]) {
      const model = await gguf({}, { slidingWindows: [window, null] });
      await check(model, tokensOf(90), 6);
    }
  });

  it('reads prompts of several chunks', async () => check(await gguf({ layers: 1 }), tokensOf(1100), 2));

  it('goes on after a prompt with another one, exactly where caches are', async () => {
    for (const change of [{}, { slidingWindows: [5, null] }]) {
      const model = await gguf({}, change);
      const tokens = tokensOf(40);
      const whole = model.createSequence();
      const expected = await prefill(model, whole, tokens);
      const parts = model.createSequence();
      for (const [from, to] of [
        [0, 11],
        [11, 12],
        [12, 40],
      ]) {
        const logits = await prefill(model, parts, tokens.slice(from, to));
        if (to === 40)
          for (const [i, x] of (expected as Float32Array).entries())
            assert.ok(Math.abs(x - (logits as Float32Array)[i]) < 1e-3, `logit ${i}`);
      }
      assert.deepEqual(parts.tokens, whole.tokens);
    }
  });

  it('steps several sequences as each alone', async () => {
    const model = await gguf();
    const prompts = [tokensOf(3), tokensOf(9, 5), tokensOf(5, 7)];
    const alone: Float32Array[] = [];
    for (const prompt of prompts) {
      const sequence = model.createSequence();
      await prefill(model, sequence, prompt);
      alone.push(await decodeStep(model, [sequence], [1]));
    }
    const together = prompts.map(() => model.createSequence());
    for (const [i, sequence] of together.entries()) await prefill(model, sequence, prompts[i]);
    const logits = await decodeStep(model, together, [1, 1, 1]);
    const { vocabulary } = model.config;
    alone.forEach((expected, i) => {
      const own = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
      own.forEach((x, j) => {
        assert.ok(Math.abs(x - expected[j]) < 1e-4, `sequence ${i}, logit ${j}`);
      });
    });
  });

  it('fills several caches by one reading', async () => {
    const model = await gguf();
    const tokens = tokensOf(60);
    const policies: CacheOptions[] = [
      { policy: 'full' },
      { policy: 'h2o', budget: 16 },
      { policy: 'snapkv', budget: 16 },
      { policy: 'hybrid', budget: 16 },
    ];
    const together = policies.map((cache) => model.createSequence({ cache }));
    await prefill(model, together, tokens);
    for (const [i, cache] of policies.entries()) {
      const alone = model.createSequence({ cache });
      await prefill(model, alone, tokens);
      assert.deepEqual(
        alone.caches.map((one) => one.save()),
        together[i].caches.map((one) => one.save()),
        cache.policy,
      );
    }
  });

  it('goes on from forks independently, and refuses sequences that were broken off', async () => {
    const model = await gguf();
    const sequence = model.createSequence();
    await prefill(model, sequence, tokensOf(8));
    const fork = sequence.fork();
    const first = await decodeStep(model, [sequence], [7]);
    await decodeStep(model, [fork], [8]);
    assert.deepEqual(
      await decodeStep(model, [fork], [9]),
      await (async () => {
        const again = model.createSequence();
        await prefill(model, again, tokensOf(8));
        await decodeStep(model, [again], [8]);
        return decodeStep(model, [again], [9]);
      })(),
    );
    assert.equal(first.length, 40);
    const controller = new AbortController();
    const broken = model.createSequence();
    await assert.rejects(
      prefill(model, broken, tokensOf(8), {
        signal: controller.signal,
        onProgress: () => controller.abort(),
      }),
      { name: 'AbortError' },
    );
    await assert.rejects(decodeStep(model, [broken], [1]), {
      code: 'INVALID_ARGUMENT',
      message: /broken off/,
    });
  });

  it('refuses tokens that are none, nothing to read, and the same sequence twice', async () => {
    const model = await gguf();
    const sequence = model.createSequence();
    await assert.rejects(prefill(model, sequence, []), { code: 'INVALID_ARGUMENT', message: /no tokens/ });
    for (const token of [-1, 40, 1.5, Number.NaN])
      await assert.rejects(prefill(model, sequence, [1, token]), {
        code: 'INVALID_ARGUMENT',
        message: /token 1 is/,
      });
    await assert.rejects(decodeStep(model, [sequence, sequence], [1, 2]), { message: /distinct/ });
    assert.equal((await decodeStep(model, [], [])).length, 0);
    assert.equal((await decodeStep(model, [sequence], [3])).length, 40); // none of it did harm
  });

  it('computes one thing at a time, whoever asks', async () => {
    const model = await gguf();
    const results = await Promise.all(
      [3, 5, 7, 9].map(async (seed) => {
        const sequence = model.createSequence();
        const logits = await prefill(model, sequence, tokensOf(20, seed));
        return [logits, await decodeStep(model, [sequence], [2])];
      }),
    );
    for (const [i, seed] of [3, 5, 7, 9].entries()) {
      const sequence = model.createSequence();
      assert.deepEqual(results[i][0], await prefill(model, sequence, tokensOf(20, seed)));
      assert.deepEqual(results[i][1], await decodeStep(model, [sequence], [2]));
    }
  });
});
