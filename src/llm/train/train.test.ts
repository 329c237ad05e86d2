import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import {
  adamW,
  constantSchedule,
  createTrainer,
  loadJax,
  loadTrainerState,
  runSteps,
  saveTrainerState,
  type Tensors,
  type Trainer,
  type TrainerState,
} from '../../training/index.ts';
import { openLanguageModel, openModel, prefill, tokenizerFromJson } from '../index.ts';
import { END_OF_TEXT, trainBytePairs } from './byte-pairs.ts';
import { createLessons } from './lessons.ts';
import { initialWeights, type TrainableShape } from './model-shape.ts';
import { nextTokenLoss, tokenBatch, traceLogits } from './network.ts';
import { writeModel } from './write-model.ts';

const tokenizer = trainBytePairs(
  [{ text: 'line amber-anchor: <12> line calm-basket: <34>', weight: 1 }],
  262,
);
const shape: TrainableShape = {
  ...{ vocabulary: 262, hidden: 32, intermediate: 48, layers: 2, heads: 4, keyHeads: 2, headDim: 8 },
  ...{ ropeBase: 10_000, normEpsilon: 1e-5, context: 64 },
};
const rng = createRng(4);

/** Rows with gains and embeddings away from their initial values, so that no factor can be left out unseen. */
function randomWeights(): Tensors {
  const weights = initialWeights(shape, rng.fork('weights'));
  for (const [name, { data }] of Object.entries(weights)) {
    const stream = rng.fork(name);
    data.forEach((x, i) => {
      data[i] = name.endsWith('norm.weight') ? 1 + 0.3 * stream.normal() : 2 * x;
    });
  }
  return weights;
}

const [rows, length] = [2, 19];
const tokens = Uint32Array.from({ length: rows * length }, (_, i) => (i * i * 7 + 3 * i) % 262);

async function jaxLogits(weights: Tensors): Promise<Float32Array> {
  const jax = await loadJax();
  const arrays = (tensors: Tensors) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { shape, data }]) => [
        name,
        jax.numpy.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] }),
      ]),
    );
  const weightless = new Float32Array(tokens.length).fill(1);
  const batch = arrays(
    tokenBatch(shape, { rows, length, inputs: tokens, targets: tokens, weights: weightless }),
  );
  const { inputs, targets, weights: ones, ...tables } = batch;
  targets.dispose();
  ones.dispose();
  const logits = traceLogits(jax, shape, arrays(weights), inputs, tables);
  return new Float32Array(await logits.data());
}

describe('a trained model', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'provably-tiny-lm-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** Largest distance of the engine's logits from those that were trained. */
  async function distance(storedAs: 'float16' | 'float32'): Promise<number> {
    const weights = randomWeights();
    const expected = await jaxLogits(weights);
    const path = join(folder, storedAs);
    await writeModel(path, { shape, weights, tokenizer }, storedAs);
    const { model } = await openLanguageModel(await openModel(path), { activations: 'float32' });
    let most = 0;
    for (let row = 0; row < rows; row++) {
      const read = tokens.subarray(row * length, (row + 1) * length);
      await prefill(model, model.createSequence(), read, {
        logits: (start, count, logits) => {
          const from = (row * length + start) * shape.vocabulary;
          for (let i = 0; i < count * shape.vocabulary; i++)
            most = Math.max(most, Math.abs(logits[i] - expected[from + i]));
        },
      });
    }
    const size = Math.max(...expected.map(Math.abs));
    assert.ok(size > 1, 'logits are large enough to differ');
    return most;
  }

  it('has the same logits in the engine as in jax-js', async () => {
    // Both compute in float32, with sums in another order: some ten products of at most 48 terms with logits below 30.
    assert.ok((await distance('float32')) < 1e-3);
  });

  it('loses only the rounding of its weights in float16', async () => {
    // Each weight moves by at most 2⁻¹¹ of itself; through 14 products that add like random errors, well below 5 % of a logit.
    const moved = await distance('float16');
    assert.ok(moved > 0 && moved < 0.3, `${moved}`);
  });

  it('reads its own tokens', async () => {
    const path = join(folder, 'float32');
    const { tokenizer: read } = await openLanguageModel(await openModel(path));
    const text = 'line amber-anchor: <12>\n\nÄ 日';
    assert.equal(read.decode(read.encode(text)), text);
    assert.deepEqual([...read.special.endOfGeneration], [0]);
    assert.equal(read.vocabularySize, 262);
  });
});

describe('training a language model', () => {
  const words = tokenizerFromJson(tokenizer, { eos_token: END_OF_TEXT });
  const corpus = Uint16Array.from({ length: 200 }, (_, i) => 1 + (i % 50));
  const lessons = createLessons(words, corpus);
  const batch = (step: number) =>
    tokenBatch(shape, lessons.batch({ rows: 4, length: 64, copies: 0, repeats: 0, text: 1 }, rng.fork(step)));
  const start = (resume?: TrainerState) =>
    createTrainer(initialWeights(shape, rng.fork('start')), {
      ...{ loss: nextTokenLoss(shape), optimizer: adamW(), clipNorm: 1, resume },
    });
  const run = async (trainer: Trainer, steps: number) => {
    const losses: number[] = [];
    const learningRate = constantSchedule(3e-3);
    await runSteps(trainer, { steps, batch, learningRate, onStep: (_, loss) => losses.push(loss) });
    return losses;
  };

  it('begins at the entropy of a guess and learns a text that repeats', async () => {
    using trainer = await start();
    const losses = await run(trainer, 25);
    assert.ok(Math.abs(losses[0] - Math.log(262)) < 1, `first loss ${losses[0]}`);
    assert.ok(losses[24] < losses[0] / 2, `${losses[0]} → ${losses[24]}`);
  });

  it('goes on from a file as if it had never stopped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'provably-state-'));
    try {
      const path = join(folder, 'state.safetensors');
      using whole = await start();
      const losses = await run(whole, 6);
      using first = await start();
      const before = await run(first, 3);
      await saveTrainerState(path, await first.state());
      using second = await start(await loadTrainerState(path, initialWeights(shape, rng)));
      assert.deepEqual([...before, ...(await run(second, 6))], losses);
      assert.deepEqual(await second.state(), await whole.state());
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('lessons', () => {
  const json = trainBytePairs([{ text: 'line: REGISTER_CONTENT is <> Answer', weight: 1 }], 270);
  const words = tokenizerFromJson(json, { eos_token: END_OF_TEXT });
  const lessons = createLessons(
    words,
    Uint16Array.from({ length: 3000 }, (_, i) => 1 + (i % 200)),
  );

  it('weigh the answers to questions, and they are right', () => {
    const batch = lessons.batch(
      { rows: 6, length: 1200, copies: 0, repeats: 0, text: 0 } as const,
      createRng(2),
    );
    for (let row = 0; row < batch.rows; row++) {
      const at = (array: Uint32Array | Float32Array) =>
        array.slice(row * batch.length, (row + 1) * batch.length);
      const text = words.decode(at(batch.inputs));
      const known = new Map(
        [...text.matchAll(/line ([a-z-]+): REGISTER_CONTENT is <(\d+)>/g)].map((m) => [m[1], m[2]]),
      );
      const asked = [
        ...text.matchAll(
          /in line ([a-z-]+)\?[^\n]*\nAnswer: \1: REGISTER_CONTENT is <(\d+)><\|endoftext\|>/g,
        ),
      ];
      assert.ok(asked.length > 0, text);
      for (const [, name, number] of asked) assert.equal(known.get(name), number);
      const weights = at(batch.weights) as Float32Array;
      const heaviest = words.decode(at(batch.targets).filter((_, i) => weights[i] === 4));
      assert.ok(
        heaviest.startsWith(
          asked.map(([, name, number]) => ` ${name}: REGISTER_CONTENT is <${number}><|endoftext|>`).join(''),
        ),
      );
    }
  });

  it('weigh numbers of lines only where they have been there', () => {
    const batch = lessons.batch({ rows: 4, length: 700, copies: 0, repeats: 1, text: 0 }, createRng(3));
    for (let row = 0; row < batch.rows; row++) {
      const [from, to] = [row * batch.length, (row + 1) * batch.length];
      const weights = batch.weights.slice(from, to);
      const text = words.decode(batch.targets.slice(from, to));
      assert.equal(
        text.length,
        batch.targets.slice(from, to).reduce((sum, id) => sum + words.decode([id]).length, 0),
      );
      const seen = new Map<string, string>();
      let again = '';
      for (const [, name, number] of text.matchAll(/ine ([a-z-]+): REGISTER_CONTENT is <(\d+)/g)) {
        if (seen.has(name)) again += number;
        if (seen.has(name))
          assert.ok(
            number.startsWith(seen.get(name)!.slice(0, number.length)) || seen.get(name)!.startsWith(number),
          );
        else seen.set(name, number);
      }
      const heaviest = words.decode(batch.targets.slice(from, to).filter((_, i) => weights[i] === 4));
      assert.equal(heaviest, again);
    }
  });

  it('weigh the digits of answers as asked', () => {
    const { targets, weights } = lessons.batch(
      { rows: 4, length: 700, copies: 0, repeats: 0.5, text: 0, digits: 9 },
      createRng(3),
    );
    const heavy = targets.filter((_, i) => weights[i] === 9);
    assert.match(words.decode(heavy), /^\d{20,}$/);
    assert.ok(!/\d/.test(words.decode(targets.filter((_, i) => weights[i] === 4))));
  });

  it('repeat a period of tokens, and weigh all but its first time', () => {
    const { rows, length, inputs, weights } = lessons.batch(
      { rows: 9, length: 90, copies: 1, repeats: 0, text: 0 },
      createRng(6),
    );
    for (let row = 0; row < rows; row++) {
      const ids = inputs.subarray(row * length, (row + 1) * length);
      // The weight of position i is that of predicting token i + 1.
      const period = 1 + weights.subarray(row * length, (row + 1) * length).indexOf(1);
      assert.ok(period >= 4 && period < length / 2 + 1, `${period}`);
      for (let i = period; i < length; i++) {
        assert.equal(ids[i], ids[i - period]);
        assert.equal(weights[row * length + i], 1);
      }
    }
  });

  it('are the same for the same stream, and cut text from the corpus', () => {
    const plan = { rows: 5, length: 100, copies: 0.2, repeats: 0.2, text: 0.4 };
    assert.deepEqual(lessons.batch(plan, createRng(1)), lessons.batch(plan, createRng(1)));
    const { inputs, targets, weights } = lessons.batch({ ...plan, text: 1 }, createRng(1));
    for (let i = 0; i < inputs.length; i++) assert.equal(targets[i], 1 + (inputs[i] % 200));
    assert.ok(weights.every((weight) => weight === 1));
  });

  it('refuse rows longer than the corpus', () => {
    assert.throws(
      () => lessons.batch({ rows: 1, length: 3000, copies: 0, repeats: 0, text: 1 }, createRng(0)),
      {
        code: 'INVALID_ARGUMENT',
        message: /length is 3000/,
      },
    );
  });
});
