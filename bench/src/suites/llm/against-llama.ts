// SmolLM2-135M-Instruct (Q4_1) against llama.cpp by node-llama-cpp: the same file, tokens and threads. Error of times: total variation between the
// two distributions of the token after the prompt, once 64 greedy tokens were found to be equal; of perplexity: the relative difference. Keys
// and values: ours float32, theirs float16, as either has it by default.

import { availableParallelism } from 'node:os';
import { decodeStep, type LanguageModel, perplexity, prefill } from '../../../../src/llm/index.ts';
import { type Case, type Contest, type Once, type Row, timed } from '../../measure.ts';
import { LlamaPeer } from '../../peers/llama-cpp.ts';
import { threadsText, useThreads } from '../../threads.ts';
import { greedy, modelAndText, modelPath, readAll } from './smollm2.ts';

const PROMPT = 2048;
const SHORT = 512;
const STEPS = 64;
/** Ours may differ from llama.cpp's by this share. */
const PERPLEXITY_TOLERANCE = 0.005;

export function* llamaCases(): Generator<Case | Once> {
  for (const threads of availableParallelism() > 1 ? [1, 2] : [1]) {
    yield {
      name: `SmolLM2-135M prefill n=${PROMPT} ${threadsText(threads)} vs llama.cpp`,
      ...{ unit: 'tokens/s', work: PROMPT },
      setUp: () => readingContest(threads),
    };
    yield {
      name: `SmolLM2-135M decode n=${SHORT} ${threadsText(threads)} vs llama.cpp`,
      ...{ unit: 'tokens/s', work: STEPS, rounds: 11 },
      setUp: () => writingContest(threads),
    };
  }
  yield { name: `SmolLM2-135M perplexity n=${PROMPT} vs llama.cpp`, run: comparedPerplexity };
}

interface Sides extends AsyncDisposable {
  model: LanguageModel;
  peer: LlamaPeer;
  tokens: number[];
}

/** Both with the same tokens, which is checked. */
async function openSides(threads: number): Promise<Sides> {
  const restore = useThreads(threads);
  const { model, tokens } = await modelAndText(PROMPT);
  const peer = await LlamaPeer.load(await modelPath(), threads, 2 * PROMPT);
  return {
    ...{ model, peer, tokens },
    async [Symbol.asyncDispose]() {
      restore();
      await peer[Symbol.asyncDispose]();
    },
  };
}

async function readingContest(threads: number): Promise<Contest> {
  const sides = await openSides(threads);
  const { model, peer, tokens } = sides;
  return {
    async check() {
      await requireSameGreedy(sides);
      return nextTokenDistance(sides, PROMPT);
    },
    ours: () => timed(() => prefill(model, model.createSequence(), tokens)),
    peer: () => peer.prefill(tokens),
    [Symbol.asyncDispose]: () => sides[Symbol.asyncDispose](),
  };
}

/** Each round writes the same tokens after the same 512. */
async function writingContest(threads: number): Promise<Contest> {
  const sides = await openSides(threads);
  const { model, peer, tokens } = sides;
  const before = await readAll(model, tokens.slice(0, SHORT - 1));
  const last = tokens[SHORT - 1];
  return {
    async check() {
      await requireSameGreedy(sides);
      return nextTokenDistance(sides, SHORT);
    },
    async ours() {
      const sequence = before.fork();
      // A fork's memory is its own after the first step.
      const [first] = await greedy(model, sequence, last, 1);
      return timed(() => greedy(model, sequence, first, STEPS));
    },
    async peer() {
      await peer.rewind(SHORT - 1);
      const { seconds } = await peer.greedy(last, STEPS + 1);
      return seconds;
    },
    [Symbol.asyncDispose]: () => sides[Symbol.asyncDispose](),
  };
}

/** @throws {Error} the most likely tokens after 512 differ */
async function requireSameGreedy({ model, peer, tokens }: Sides): Promise<void> {
  const last = tokens[SHORT - 1];
  const ours = await greedy(model, await readAll(model, tokens.slice(0, SHORT - 1)), last, STEPS);
  await peer.prefill(tokens.slice(0, SHORT - 1));
  const theirs = (await peer.greedy(last, STEPS)).tokens;
  const at = ours.findIndex((token, i) => token !== theirs[i]);
  if (at >= 0) throw new Error(`greedy token ${at} is ${ours[at]}; llama.cpp's is ${theirs[at]}.`);
}

/** Half the sum of |p − q| over the vocabulary, after the first `count` tokens; the peer keeps all but the last of them. */
async function nextTokenDistance({ model, peer, tokens }: Sides, count: number): Promise<number> {
  const last = tokens[count - 1];
  const logits = await decodeStep(model, [await readAll(model, tokens.slice(0, count - 1))], [last]);
  await peer.prefill(tokens.slice(0, count - 1));
  const theirs = await peer.next(last);
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = Float64Array.from(logits, (x) => Math.exp(x - most));
  const total = weights.reduce((a, b) => a + b, 0);
  const distance = weights.reduce(
    (sum, weight, id) => sum + Math.abs(weight / total - (theirs.get(id) ?? 0)),
    0,
  );
  if (!(distance < 0.2))
    throw new Error(`the distributions after ${count} tokens differ by ${distance / 2}.`);
  return distance / 2;
}

async function comparedPerplexity(): Promise<Omit<Row, 'case'>> {
  await using sides = await openSides(availableParallelism());
  const { model, peer, tokens } = sides;
  const ours = (await perplexity(model, tokens)).perplexity;
  const logprobs = await peer.logprobs(tokens);
  const theirs = Math.exp(-logprobs.reduce((a, b) => a + b, 0) / logprobs.length);
  const error = Math.abs(ours / theirs - 1);
  if (!(error <= PERPLEXITY_TOLERANCE))
    throw new Error(`perplexity is ${ours}; llama.cpp's is ${theirs}, ${100 * error} % away.`);
  return { ours, peer: theirs, unit: 'ppl', ratio: theirs / ours, error };
}
