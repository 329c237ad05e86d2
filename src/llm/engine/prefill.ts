// Reads a prompt: layer after layer over all of its rows, so that HyperAttention sees whole layers and no more than one layer's exact keys and
// values exist at a time; then each layer's cache takes them in.

import { InvalidArgumentError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import type { CachePolicy, TokenStream } from '../../kv-cache/index.ts';
import { decodeStep } from './decode-step.ts';
import { toHeads } from './head-layout.ts';
import type { LanguageModel } from './language-model.ts';
import {
  attendApproximately,
  attendRows,
  type LayerInput,
  type PrefillAttention,
} from './layer-attention.ts';
import type { RowProgram } from './row-program.ts';
import { Sequence } from './sequence.ts';

export interface PrefillOptions {
  /** Of every layer, or of layer i. Default 'exact'. */
  attention?: PrefillAttention | ((layer: number) => PrefillAttention);
  /**
   * Receives the logits of tokens [start, start + rows) of the prompt, shape (rows, vocabulary), which are overwritten later; or 'last', to be
   * given those of the last token. Default 'last'.
   */
  logits?: 'last' | ((start: number, rows: number, logits: Float32Array) => void);
  /**
   * Receives the normed final states of tokens [start, start + rows), shape (rows, hidden), which are overwritten later; then no logits are
   * computed. Only for sequences without tokens. Default: none.
   */
  states?: (start: number, rows: number, states: Float32Array) => void;
  /**
   * Receives what a layer attends with, keys and queries turned to their positions: arrays as caches take them, which are overwritten later. Is
   * waited for. Default: none.
   */
  onLayer?: (layer: number, stream: TokenStream) => void | Promise<void>;
}

/** Rows that go through a layer's products at a time. */
export const CHUNK_ROWS = 512;

/** Rows whose logits exist at a time. */
const LOGIT_ROWS = 64;

/** Caches that score tokens by the attention they get. */
const NEEDS_QUERIES: ReadonlySet<CachePolicy> = new Set(['h2o', 'snapkv']);

/**
 * Takes tokens into a sequence, or into several that begin with them, whose caches differ. Each step that it gives way after takes a fraction of a second, so that other work can go on between.
 *
 * @param sequences - one; or several, all empty
 * @returns with 'last', the logits of the last token, shape (vocabulary,); else nothing
 * @throws {InvalidArgumentError} no tokens, a token beyond the vocabulary, or sequences that are not empty where they must be
 *
 * Time O(n · weights) and attention's: O(n²) a layer, or HyperAttention's. Memory O(n · (hidden + heads · headDim)), of one layer.
 * After earlier tokens a query meets them as the caches keep them (a block approximation unless these are exact).
 */
export async function* prefillSteps(
  model: LanguageModel,
  sequences: Sequence | readonly Sequence[],
  tokens: ArrayLike<number>,
  { attention = 'exact', logits = 'last', states, onLayer }: PrefillOptions = {},
): AsyncGenerator<{ done: number; total: number }, Float32Array | undefined> {
  const { config } = model;
  model.requireTokens('prefill', tokens);
  const rows = tokens.length;
  if (rows === 0) throw new InvalidArgumentError('prefill: there are no tokens; expected at least one.');
  const all = sequences instanceof Sequence ? [sequences] : sequences;
  const [sequence] = all;
  for (const one of all) one.requireWhole();
  const first = sequence.tokens.length;
  if (all.length > 1 && all.some(({ tokens }) => tokens.length > 0)) {
    throw new InvalidArgumentError(
      'prefill: several sequences have tokens already; expected empty ones. Only then do their layers see the same.',
    );
  }
  if (states && first > 0) {
    throw new InvalidArgumentError(
      'prefill: the sequence has tokens already; expected an empty one where states are asked for.',
    );
  }
  if (first > 0 && config.slidingWindows.some((window) => window !== null && window < first + rows)) {
    // Windows move with each row over what the caches hold.
    return yield* stepByStep(model, sequence, tokens, logits);
  }
  for (const one of all) one.begin();
  const { hidden, heads, keyHeads, headDim, layers, vocabulary } = config;
  const [queryWidth, keyWidth] = [heads * headDim, keyHeads * headDim];
  const state = new Float32Array(rows * hidden);
  const queries = new Float32Array(rows * queryWidth);
  const [keys, values, keysByHead, valuesByHead] = Array.from(
    { length: 4 },
    () => new Float32Array(rows * keyWidth),
  );
  const chunks = cut(rows, CHUNK_ROWS);
  const total = layers * (chunks.length + 1) + 1;
  let done = 0;
  const load = (program: RowProgram, { start, end }: Chunk) => {
    program.state.set(state.subarray(start * hidden, end * hidden));
    program.attended.set(queries.subarray(start * queryWidth, end * queryWidth));
    program.place(Float64Array.from({ length: end - start }, (_, i) => first + start + i));
  };
  for (let layer = 0; layer < layers; layer++) {
    const past = sequence.caches[layer];
    const input: LayerInput = {
      ...{ config, kernels: model.kernels, window: config.slidingWindows[layer], past },
      ...{ rows, queries, keys: keysByHead, values: valuesByHead },
    };
    for (const chunk of chunks) {
      const { start, end } = chunk;
      await model.exclusive(end - start, async (program) => {
        load(program, chunk);
        if (layer === 0) await program.embed(Array.prototype.slice.call(tokens, start, end));
        await program.run(layer);
        state.set(program.state, start * hidden);
        queries.set(program.queries, start * queryWidth);
        keys.set(program.keys, start * keyWidth);
        values.set(program.values, start * keyWidth);
        const layout = { rows: end - start, heads: keyHeads, dim: headDim, height: rows, start };
        toHeads(program.keys, keysByHead, layout);
        toHeads(program.values, valuesByHead, layout);
      });
      yield { done: ++done, total };
    }
    await onLayer?.(layer, { queries, keys, values });
    const caches = all.map((one) => one.caches[layer]);
    const asked = caches.some(({ policy }) => NEEDS_QUERIES.has(policy)) ? { queries: queries.slice() } : {};
    const way = typeof attention === 'function' ? attention(layer) : attention;
    if (way === 'exact' || input.window !== null) {
      for (const { start, end } of chunks) {
        await attendRows(input, start, end);
        yield { done, total };
      }
    } else await attendApproximately(input, way);
    for (const cache of caches) await cache.append(keys, values, asked);
    yield { done: ++done, total };
  }
  const wanted = logits === 'last' && !states ? [{ start: rows - 1, end: rows }] : cut(rows, LOGIT_ROWS);
  let last: Float32Array | undefined;
  for (const chunk of wanted) {
    await model.exclusive(chunk.end - chunk.start, async (program) => {
      load(program, chunk);
      await program.run(layers);
      if (states) return states(chunk.start, chunk.end - chunk.start, program.output);
      const result = await program.logits();
      if (logits === 'last') last = result.slice(0, vocabulary);
      else logits(chunk.start, chunk.end - chunk.start, result);
    });
    yield { done, total };
  }
  for (const one of all) one.end(tokens);
  yield { done: total, total };
  return last;
}

async function* stepByStep(
  model: LanguageModel,
  sequence: Sequence,
  tokens: ArrayLike<number>,
  logits: NonNullable<PrefillOptions['logits']>,
): AsyncGenerator<{ done: number; total: number }, Float32Array | undefined> {
  let result: Float32Array | undefined;
  for (let i = 0; i < tokens.length; i++) {
    result = await decodeStep(model, [sequence], [tokens[i]]);
    if (logits !== 'last') logits(i, 1, result);
    yield { done: i + 1, total: tokens.length };
  }
  return logits === 'last' ? result : undefined;
}

interface Chunk {
  start: number;
  end: number;
}

function cut(rows: number, size: number): Chunk[] {
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => ({
    start: i * size,
    end: Math.min(rows, (i + 1) * size),
  }));
}

/** `prefillSteps` to its end. */
export async function prefill(
  model: LanguageModel,
  sequences: Sequence | readonly Sequence[],
  tokens: ArrayLike<number>,
  { signal, onProgress, ...options }: PrefillOptions & RunOptions = {},
): Promise<Float32Array | undefined> {
  const steps = prefillSteps(model, sequences, tokens, options);
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value;
    await yieldToEventLoop();
    signal?.throwIfAborted();
    onProgress?.({ phase: 'reading the prompt', ...step.value });
  }
}
