import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { tinyGguf } from '../../../test/tiny-model.ts';
import { loadKernels } from '../../kernels/index.ts';
import { decodeStep } from '../engine/decode-step.ts';
import { LanguageModel } from '../engine/language-model.ts';
import { prefill } from '../engine/prefill.ts';
import { bytesSource } from '../files/byte-source.ts';
import { openGgufModel } from '../model/stored-model.ts';
import { loadWeights } from '../model/weights.ts';
import type { Tokenizer } from '../text/index.ts';
import { type GenerationRequest, type GenerationStep, TextGenerator } from './text-generator.ts';

/** Token i is letter i, the last one ends a text. */
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM.';
const tokenizer: Tokenizer = {
  vocabularySize: 40,
  special: {
    bos: undefined,
    eos: 39,
    unknown: undefined,
    padding: undefined,
    endOfGeneration: new Set([39]),
  },
  encode: (text) => Uint32Array.from(text, (letter) => letters.indexOf(letter)),
  decode: (ids) => Array.from(ids, (id) => letters[id]).join(''),
  textStream: () => ({ push: (id) => letters[id], end: () => '' }),
  tokenText: (id) => letters[id],
  tokenBytes: (id) => new TextEncoder().encode(letters[id]),
  idOf: (token) => letters.indexOf(token),
  isSpecial: (id) => id === 39,
  shield: (text) => text,
};

async function tinyModel(): Promise<LanguageModel> {
  const stored = await openGgufModel([bytesSource(tinyGguf({}), 'tiny.gguf')]);
  return new LanguageModel(stored.config, await loadWeights(stored), await loadKernels(), {
    activations: 'float32',
  });
}

const never = { sampling: { temperature: 0 }, ignoreEnd: true } as const;

async function read(steps: AsyncIterable<GenerationStep>): Promise<GenerationStep[]> {
  const all: GenerationStep[] = [];
  for await (const step of steps) all.push(step);
  return all;
}

const idsOf = (steps: readonly GenerationStep[], choice = 0) =>
  steps.filter((step) => step.choice === choice).map(({ token }) => token.id);

/** Most likely tokens, one sequence by itself. */
async function alone(model: LanguageModel, { prompt, maxTokens }: GenerationRequest): Promise<number[]> {
  const sequence = model.createSequence();
  let logits = (await prefill(model, sequence, prompt)) as Float32Array;
  const ids: number[] = [];
  for (let i = 0; i < maxTokens; i++) {
    if (i > 0) logits = await decodeStep(model, [sequence], [ids[i - 1]]);
    ids.push(logits.indexOf(Math.max(...logits)));
  }
  return ids;
}

describe('TextGenerator', () => {
  it('gives every request the text it would get alone, however many there are', async () => {
    const model = await tinyModel();
    const generator = new TextGenerator(model, tokenizer, { maxActive: 3 });
    const requests = Array.from({ length: 8 }, (_, i) => ({
      ...never,
      prompt: Uint32Array.from({ length: 1 + 7 * i }, (_, j) => (i * j + j * j) % 39),
      maxTokens: 5 + i,
    }));
    const results = await Promise.all(requests.map((request) => read(generator.generate(request))));
    for (const [i, request] of requests.entries()) {
      assert.deepEqual(idsOf(results[i]), await alone(model, request), `request ${i}`);
      const last = results[i].at(-1);
      assert.equal(last?.finishReason, 'length');
      assert.deepEqual(last?.usage, {
        ...{ promptTokens: request.prompt.length, reusedTokens: 0, outputTokens: request.maxTokens },
      });
    }
    assert.deepEqual(generator.load, { waiting: 0, active: 0, cacheBytes: 0, prefixBytes: 0 });
  });

  it('draws choices of their own, the same ones for the same seed', async () => {
    const generator = new TextGenerator(await tinyModel(), tokenizer);
    const request = { prompt: [1, 2], choices: 3, maxTokens: 12, ignoreEnd: true, sampling: { seed: 5 } };
    const steps = await read(generator.generate(request));
    const texts = [0, 1, 2].map((choice) => idsOf(steps, choice).join());
    assert.equal(new Set(texts).size, 3);
    const again = await read(generator.generate(request));
    assert.deepEqual(
      [0, 1, 2].map((choice) => idsOf(again, choice).join()),
      texts,
    );
  });

  it('goes on from texts that it has kept', async () => {
    const model = await tinyModel();
    const generator = new TextGenerator(model, tokenizer, { prefixBytes: 1e7 });
    const first = { ...never, prompt: [3, 1, 4], maxTokens: 6 };
    const ids = idsOf(await read(generator.generate(first)));
    const second = { ...never, prompt: [3, 1, 4, ...ids, 9, 9], maxTokens: 6 };
    const steps = await read(generator.generate(second));
    assert.deepEqual(idsOf(steps), await alone(model, second));
    // The last token of a text is told, not read.
    assert.equal(steps.at(-1)?.usage?.reusedTokens, 3 + 6 - 1);
    assert.ok(generator.load.prefixBytes > 0);
    const [, ...others] = second.prompt;
    const unlike = await read(generator.generate({ ...second, prompt: [7, ...others] }));
    assert.equal(unlike.at(-1)?.usage?.reusedTokens, 0);
    const other = await read(generator.generate({ ...second, sequence: { storage: 'float16' } }));
    assert.equal(other.at(-1)?.usage?.reusedTokens, 0);
  });

  it('ends at stop strings and ending tokens', async () => {
    const generator = new TextGenerator(await tinyModel(), tokenizer);
    const free = await read(generator.generate({ ...never, prompt: [3], maxTokens: 30 }));
    const text = free.map((step) => step.text).join('');
    const stop = text.slice(7, 9);
    const stopped = await read(generator.generate({ ...never, prompt: [3], maxTokens: 30, stop: [stop] }));
    assert.equal(stopped.map((step) => step.text).join(''), text.slice(0, text.indexOf(stop)));
    assert.equal(stopped.at(-1)?.finishReason, 'stop');
    const forced = { temperature: 0, logitBias: new Map([[39, 1000]]) };
    const ended = await read(generator.generate({ prompt: [3], maxTokens: 9, sampling: forced }));
    assert.deepEqual([ended.length, ended[0].text, ended[0].usage?.outputTokens], [1, '', 0]);
  });

  it('drops a text whose reader leaves or whose signal says so, and goes on with the others', async () => {
    const model = await tinyModel();
    const generator = new TextGenerator(model, tokenizer, { maxActive: 2 });
    const request = { ...never, prompt: [5, 6, 7], maxTokens: 400 };
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = read(generator.generate({ ...request, signal: controller.signal }));
    const waiting = new AbortController();
    const left = (async () => {
      let seen = 0;
      for await (const _ of generator.generate(request)) {
        if (++seen === 3) break;
      }
      controller.abort(reason);
    })();
    const queued = read(generator.generate({ ...request, signal: waiting.signal }));
    waiting.abort(reason);
    await Promise.all([left, assert.rejects(aborted, reason), assert.rejects(queued, reason)]);
    const whole = { ...request, maxTokens: 4 };
    assert.deepEqual(idsOf(await read(generator.generate(whole))), await alone(model, whole));
    assert.equal(generator.load.active, 0);
  });

  it('waits for slow readers without holding up the others', async () => {
    const generator = new TextGenerator(await tinyModel(), tokenizer, { maxUnread: 4 });
    const request = { ...never, prompt: [5, 6, 7], maxTokens: 40 };
    const slow = generator.generate(request)[Symbol.asyncIterator]();
    const fast = await read(generator.generate(request));
    assert.equal(fast.length, 40);
    assert.equal(generator.load.active, 1);
    const ids: number[] = [];
    for (;;) {
      const { value, done } = await slow.next();
      if (done) break;
      ids.push(value.token.id);
    }
    assert.deepEqual(ids, idsOf(fast));
  });

  it('ends a request with all of its texts when one fails, and no other', async () => {
    const model = await tinyModel();
    const failure = new Error('no more letters');
    let streams = 0;
    // The second text of the first request fails at its third token; one stream more is made when a request is looked at.
    const failing: Tokenizer = {
      ...tokenizer,
      textStream() {
        const isBroken = ++streams === 4;
        let left = 2;
        const push = (id: number) => {
          if (isBroken && left-- === 0) throw failure;
          return letters[id];
        };
        return { push, end: () => '' };
      },
    };
    const generator = new TextGenerator(model, failing);
    const broken = { prompt: [1, 2], choices: 3, maxTokens: 1000, ignoreEnd: true };
    const whole = { ...never, prompt: [5, 6, 7], maxTokens: 6 };
    const [, steps] = await Promise.all([
      assert.rejects(read(generator.generate(broken)), failure),
      read(generator.generate(whole)),
    ]);
    assert.deepEqual(idsOf(steps), await alone(model, whole));
    assert.deepEqual([generator.load.active, generator.load.waiting], [0, 0]);
  });

  it('lets go of signals that outlive their requests', async () => {
    const generator = new TextGenerator(await tinyModel(), tokenizer);
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++)
      await read(generator.generate({ ...never, prompt: [1], maxTokens: 2, signal }));
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('refuses what is wrong at once, and more than may wait', async () => {
    const generator = new TextGenerator(await tinyModel(), tokenizer, { maxActive: 1, maxWaiting: 1 });
    const request = { ...never, prompt: [1], maxTokens: 3 };
    for (const wrong of [
      { prompt: [] },
      { prompt: [40] },
      { maxTokens: 0 },
      { stop: [''] },
      { choices: 2 },
      { sampling: { temperature: -1 } },
      { sequence: { cache: { policy: 'hybrid', budget: 0 } } },
    ] as Partial<GenerationRequest>[])
      assert.throws(() => generator.generate({ ...request, ...wrong }), { code: 'INVALID_ARGUMENT' });
    const taken = [0, 1].map(() => read(generator.generate({ ...request, maxTokens: 50 })));
    assert.throws(() => generator.generate(request), { code: 'BUSY', message: /wait already/ });
    await Promise.all(taken);
    assert.equal((await read(generator.generate(request))).length, 3);
  });
});
