// Long prompts by HyperAttention against exact attention, tokens written from small caches against the full one, and bytes of caches against the
// formula. SmolLM2-135M was trained for 8192 tokens: beyond, the engine computes as ever, though neither side predicts as well. The error is how
// much higher the perplexity of the next tokens of the text is than the peer's, as a share of it (below 0: lower).

import type { CacheOptions } from '../../../../src/kv-cache/index.ts';
import {
  decodeStep,
  type LanguageModel,
  negativeLogLikelihood,
  type PrefillOptions,
  prefill,
  type Sequence,
} from '../../../../src/llm/index.ts';
import { predictedBytes } from '../../cache-bytes.ts';
import { type Case, type Contest, median, type Once, type Row, timed } from '../../measure.ts';
import { modelAndText } from './smollm2.ts';

const BUDGET = 2048;
const LONG = 32_768;
/** Tokens of the text that are predicted one by one, for the error. */
const SCORED = 256;
const CONTESTANTS: CacheOptions[] = [
  { policy: 'hybrid', budget: BUDGET },
  { policy: 'sink-window', budget: BUDGET },
];

const STEPS = 16;
const ROUNDS = 7;

export function* longCases(): Generator<Case | Once> {
  // An exact reading of 32 768 tokens takes minutes: once is enough to tell.
  for (const [rows, rounds] of [
    [16_384, 3],
    [LONG, 1],
  ] as const)
    yield {
      name: `SmolLM2-135M prefill n=${rows} hyper vs exact, sink-window ${BUDGET}`,
      run: () => readings(rows, rounds),
    };
  for (const cache of CONTESTANTS)
    yield {
      name: `SmolLM2-135M decode ${cache.policy} budget=${BUDGET} n=${LONG} vs full cache`,
      ...{ unit: 'tokens/s', work: STEPS, rounds: ROUNDS },
      setUp: () => decodes(cache),
    };
  for (const cache of [{ policy: 'full' } as const, ...CONTESTANTS])
    yield {
      name: `SmolLM2-135M bytes ${cache.policy} n=${2 * BUDGET} vs predicted`,
      run: () => bytesAsPredicted(cache),
    };
}

/** The same prompt into the same cache; rounds take turns. */
async function readings(rows: number, rounds: number): Promise<Omit<Row, 'case'>> {
  const { model, tokens } = await modelAndText(rows + SCORED);
  const [prompt, rest] = [tokens.slice(0, rows), tokens.slice(rows)];
  const read = async (attention: PrefillOptions['attention'] & {}) => {
    const sequence = model.createSequence({ cache: { policy: 'sink-window', budget: BUDGET } });
    const seconds = await timed(() => prefill(model, sequence, prompt.slice(0, -1), { attention }));
    return { sequence, seconds };
  };
  const seconds = { ours: [] as number[], peer: [] as number[] };
  let error = 0;
  for (let round = 0; round < rounds; round++) {
    const ours = await read({});
    const peer = await read('exact');
    seconds.ours.push(ours.seconds);
    seconds.peer.push(peer.seconds);
    if (round > 0) continue;
    const following = [prompt[rows - 1], ...rest];
    error =
      (await perplexityOn(model, ours.sequence, following)) /
        (await perplexityOn(model, peer.sequence, following)) -
      1;
  }
  const [ours, peer] = [rows / median(seconds.ours), rows / median(seconds.peer)];
  return { ours, peer, unit: 'tokens/s', ratio: ours / peer, error };
}

let filled: Promise<{ model: LanguageModel; rest: number[]; full: Sequence; kept: Sequence[] }> | undefined;

/** Caches of all contestants and a full one, by one reading of a prompt; what is written after it stays within 32 768 tokens. */
async function fill() {
  const room = SCORED + (ROUNDS + 1) * STEPS;
  const { model, tokens } = await modelAndText(LONG);
  const full = model.createSequence();
  const kept = CONTESTANTS.map((cache) => model.createSequence({ cache }));
  // By HyperAttention, which takes less time: both sides get the same keys and values.
  await prefill(model, [full, ...kept], tokens.slice(0, LONG - room), { attention: {} });
  return { model, rest: tokens.slice(LONG - room), full, kept };
}

async function decodes(cache: CacheOptions): Promise<Contest> {
  filled ??= fill();
  const { model, rest, full, kept } = await filled;
  const sides = { ours: kept[CONTESTANTS.indexOf(cache)].fork(), peer: full.fork() };
  const at = { ours: SCORED, peer: SCORED };
  const write = (side: 'ours' | 'peer') =>
    timed(async () => {
      for (let i = 0; i < STEPS; i++) await decodeStep(model, [sides[side]], [rest[at[side]++]]);
    });
  return {
    async check() {
      const scored = rest.slice(0, SCORED + 1);
      return (
        (await perplexityOn(model, sides.ours, scored)) / (await perplexityOn(model, sides.peer, scored)) - 1
      );
    },
    ours: () => write('ours'),
    peer: () => write('peer'),
    async [Symbol.asyncDispose]() {},
  };
}

/** Perplexity of tokens but the first, which the sequence takes in one by one, all but the last. */
async function perplexityOn(
  model: LanguageModel,
  sequence: Sequence,
  tokens: readonly number[],
): Promise<number> {
  let nats = 0;
  for (let i = 0; i + 1 < tokens.length; i++) {
    nats += negativeLogLikelihood(await decodeStep(model, [sequence], [tokens[i]]), tokens[i + 1]);
  }
  return Math.exp(nats / (tokens.length - 1));
}

async function bytesAsPredicted(cache: CacheOptions): Promise<Omit<Row, 'case'>> {
  const { model, tokens } = await modelAndText(2 * BUDGET);
  const sequence = model.createSequence({ cache });
  await prefill(model, sequence, tokens);
  const { keyHeads: heads, headDim: dim, layers } = model.config;
  const size = { heads, dim, budget: BUDGET, tokens: tokens.length };
  const predicted = layers * predictedBytes(cache.policy, size);
  const { total } = sequence.bytes();
  if (total !== predicted)
    throw new Error(`a sequence with caches "${cache.policy}" holds ${total} bytes, predicted ${predicted}.`);
  return { ours: total, peer: predicted, unit: 'bytes', ratio: predicted / total, error: 0 };
}
