import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tinyGguf } from '../../../test/tiny-model.ts';
import { loadKernels } from '../../kernels/index.ts';
import { negativeLogLikelihood } from '../evaluate/perplexity.ts';
import { promptLogprobs } from '../evaluate/prompt-logprobs.ts';
import { bytesSource } from '../files/byte-source.ts';
import { openGgufModel } from '../model/stored-model.ts';
import { loadWeights, type WeightMatrix } from '../model/weights.ts';
import { embed, embedTexts } from './embed.ts';
import { LanguageModel } from './language-model.ts';
import { prefill } from './prefill.ts';

async function tinyModel(): Promise<LanguageModel> {
  const stored = await openGgufModel([bytesSource(tinyGguf({}), 'tiny.gguf')]);
  return new LanguageModel(stored.config, await loadWeights(stored), await loadKernels(), {
    activations: 'float32',
  });
}

const tokens = Uint32Array.from({ length: 150 }, (_, i) => (7 * i * i + i) % 40);

/** logits = output · state: the state must give them back. Entries are below 2 in size, so that 64 products of them err by less than 1e-4. */
function assertLogits({ bytes, rows, cols }: WeightMatrix, state: Float32Array, logits: Float32Array): void {
  const matrix = new Float32Array(bytes.slice().buffer);
  for (let id = 0; id < rows; id++) {
    let sum = 0;
    for (let i = 0; i < cols; i++) sum += matrix[id * cols + i] * state[i];
    assert.ok(Math.abs(sum - logits[id]) < 1e-3, `logit ${id}: ${sum}, ${logits[id]}`);
  }
}

describe('embed', () => {
  it('gives states whose logits are the model’s, from chunk to chunk', async () => {
    const model = await tinyModel();
    const { vocabulary, hidden } = model.config;
    const logits = new Float32Array(tokens.length * vocabulary);
    await prefill(model, model.createSequence(), tokens, {
      logits: (start, _, part) => logits.set(part, start * vocabulary),
    });
    const states = new Float32Array(tokens.length * hidden);
    await prefill(model, model.createSequence(), tokens, {
      states: (start, _, part) => states.set(part, start * hidden),
    });
    for (const row of [0, 63, 64, 149]) {
      const state = states.subarray(row * hidden, (row + 1) * hidden);
      const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
      assertLogits(model.weights.output, state, own);
    }
    const unit = (sum: Float64Array) => sum.map((x) => x / Math.hypot(...sum));
    const near = (a: ArrayLike<number>, b: Float64Array) =>
      Array.from(b).every((x, i) => Math.abs(a[i] - x) < 1e-6); // one rounding to float32 of a number ≤ 1
    const mean = new Float64Array(hidden);
    for (let i = 0; i < states.length; i++) mean[i % hidden] += states[i];
    assert.ok(near(await embed(model, tokens), unit(mean)));
    const last = Float64Array.from(states.subarray(-hidden));
    assert.ok(near(await embed(model, tokens, { pooling: 'last' }), unit(last)));
    assert.equal((await embed(model, [3])).length, hidden);
  });

  it('gives texts of a pack what each has alone, in blocks of any size', async () => {
    const model = await tinyModel();
    const { hidden } = model.config;
    // Short ones, one of two tiles, one beyond a pack, and more than a pack of short ones after it.
    const lengths = [1, 3, 100, 2, 700, ...Array.from({ length: 60 }, (_, i) => 1 + (i % 20))];
    const texts = lengths.map((length, i) => Uint32Array.from({ length }, (_, j) => (i * 13 + j * j) % 40));
    for (const pooling of ['mean', 'last'] as const) {
      const together = new Float32Array(texts.length * hidden);
      for await (const { start, points } of embedTexts(model, texts, { pooling }).blocks(7)) {
        assert.ok(points.rows <= 7);
        together.set(points.data, start * hidden);
      }
      for (const i of [0, 1, 2, 3, 4, 5, 40, 64]) {
        const sum = new Float64Array(hidden);
        await prefill(model, model.createSequence(), texts[i], {
          states: (start, _, states) => {
            for (let at = 0; at < states.length; at++) {
              if (pooling === 'last' && start * hidden + at < (texts[i].length - 1) * hidden) continue;
              sum[at % hidden] += states[at];
            }
          },
        });
        const size = Math.hypot(...sum);
        // Rounding of float32 in two layers: the order of sums differs between plans.
        for (let c = 0; c < hidden; c++) assert.ok(Math.abs(together[i * hidden + c] - sum[c] / size) < 2e-6);
      }
    }
    const plain = await embed(model, texts[2], { normalise: false });
    const unit = await embed(model, texts[2]);
    const ratio = Math.hypot(...plain);
    assert.ok(Math.abs(ratio - 1) > 0.01);
    unit.forEach((x, c) => {
      assert.ok(Math.abs(x * ratio - plain[c]) < 1e-5 * ratio);
    });
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(
      embedTexts(model, texts, { signal }).blocks()[Symbol.asyncIterator]().next(),
      /enough/,
    );
    assert.throws(() => embedTexts(model, [[1], []]), { code: 'INVALID_ARGUMENT', message: /text 1/ });
  });

  it('refuses no tokens and states after others', async () => {
    const model = await tinyModel();
    await assert.rejects(embed(model, []), { code: 'INVALID_ARGUMENT', message: /no tokens/ });
    const sequence = model.createSequence();
    await prefill(model, sequence, [1]);
    await assert.rejects(prefill(model, sequence, [2], { states: () => {} }), {
      code: 'INVALID_ARGUMENT',
      message: /expected an empty one/,
    });
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(embed(model, tokens, { signal }), /enough/);
  });
});

describe('promptLogprobs', () => {
  it('tells what perplexity sums up', async () => {
    const model = await tinyModel();
    const { vocabulary } = model.config;
    const losses: number[] = [];
    const best: number[] = [];
    await prefill(model, model.createSequence(), tokens, {
      logits: (start, rows, all) => {
        for (let row = 0; row < rows && start + row + 1 < tokens.length; row++) {
          const logits = all.subarray(row * vocabulary, (row + 1) * vocabulary);
          losses.push(negativeLogLikelihood(logits, tokens[start + row + 1]));
          best.push(logits.indexOf(Math.max(...logits)));
        }
      },
    });
    const told = await promptLogprobs(model, tokens, 3);
    assert.equal(told.length, tokens.length - 1);
    told.forEach(({ logprob, top }, i) => {
      assert.ok(Math.abs(logprob + losses[i]) < 1e-9);
      assert.equal(top.length, 3);
      assert.equal(top[0].id, best[i]);
    });
    assert.deepEqual(await promptLogprobs(model, [5], 3), []);
    await assert.rejects(promptLogprobs(model, [5], 41), { code: 'INVALID_ARGUMENT' });
  });
});
