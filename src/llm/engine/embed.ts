// Texts as vectors: the model's final states, pooled.

import { requireOneOf } from '../../core/check.ts';
import { InvalidArgumentError, NumericalError } from '../../core/errors.ts';
import { defaultBlockRows, type RowBlock, type RowSource } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { LanguageModel } from './language-model.ts';
import { packedStates } from './packed-states.ts';
import { CHUNK_ROWS, prefill } from './prefill.ts';

export interface EmbedOptions extends RunOptions {
  /**
   * 'mean' of all tokens' states, or the state of the 'last' token, which alone has seen the whole text; take what the model was trained for.
   * Default 'mean'.
   */
  pooling?: 'mean' | 'last';
  /** Scale vectors to length 1. Default true. */
  normalise?: boolean;
}

/**
 * The normed final states of tokens, pooled and scaled to length 1.
 *
 * @param tokens - at least one
 * @returns shape (hidden,)
 * @throws {InvalidArgumentError} no tokens, or a token beyond the vocabulary
 * @throws {NumericalError} the pooled state is 0 or not finite
 *
 * Time and memory as `prefill`, exact attention. Sums in float64.
 */
export async function embed(
  model: LanguageModel,
  tokens: ArrayLike<number>,
  options: EmbedOptions = {},
): Promise<Float32Array> {
  const vector = new Float32Array(model.config.hidden);
  for await (const { points } of embedTexts(model, [tokens], options).blocks()) vector.set(points.data);
  return vector;
}

/**
 * Embeddings of many texts as a source of rows, computed as they are read: texts of up to 512 tokens go through the model in packs of as many,
 * so that short ones cost what their tokens cost. Which texts share a pack shows in the last digits: products of more rows sum in another order.
 *
 * @param texts - tokens of each, at least one
 * @returns shape (texts, hidden); a pass computes all of it, and throws {NumericalError} where a pooled state is 0 or not finite
 * @throws {InvalidArgumentError} a text without tokens, or a token beyond the vocabulary
 *
 * Time as `prefill`, exact attention. Memory of one pack, or of the longest text. Sums in float64.
 *
 * @example
 * const source = embedTexts(model, texts.map((text) => tokenizer.encode(text)));
 * await writeNpy('texts.npy', source);
 */
export function embedTexts(
  model: LanguageModel,
  texts: readonly ArrayLike<number>[],
  options: EmbedOptions = {},
): RowSource {
  requireOneOf('embed: pooling', options.pooling ?? 'mean', ['mean', 'last']);
  for (const [i, tokens] of texts.entries()) {
    if (tokens.length === 0) {
      throw new InvalidArgumentError(`embed: there are no tokens in text ${i}; expected at least one.`);
    }
    model.requireTokens(`embed: text ${i}`, tokens);
  }
  const { hidden: cols } = model.config;
  return {
    ...{ rows: texts.length, cols },
    blocks: (maxRows = defaultBlockRows(cols)) => embeddedBlocks(model, texts, options, maxRows),
  };
}

async function* embeddedBlocks(
  model: LanguageModel,
  texts: readonly ArrayLike<number>[],
  { signal, onProgress, ...options }: EmbedOptions,
  maxRows: number,
): AsyncGenerator<RowBlock> {
  const { hidden, slidingWindows } = model.config;
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  const longest = Math.min(CHUNK_ROWS, ...slidingWindows.map((window) => window ?? Infinity));
  let done = 0;
  for (let start = 0; start < texts.length; ) {
    signal?.throwIfAborted();
    const pack = packFrom(texts, start, longest, maxRows);
    const data = new Float32Array(pack.length * hidden);
    if (pack[0].length > longest) await embedAlone(model, pack[0], start, options, data, signal);
    else {
      const states = await packedStates(model, pack, signal);
      let row = 0;
      for (const [i, { length }] of pack.entries()) {
        const sum = new Float64Array(hidden);
        addPooled(sum, states.subarray(row * hidden, (row + length) * hidden), options, true);
        data.set(finish(sum, length, start + i, options), i * hidden);
        row += length;
      }
    }
    done += pack.reduce((sum, { length }) => sum + length, 0);
    onProgress?.({ phase: 'reading texts', done, total });
    yield { start, points: { data, rows: pack.length, cols: hidden } };
    start += pack.length;
  }
}

/** The texts from `start` on that go through the model together: one long one, or short ones of CHUNK_ROWS tokens at most. */
function packFrom(
  texts: readonly ArrayLike<number>[],
  start: number,
  longest: number,
  maxTexts: number,
): readonly ArrayLike<number>[] {
  let end = start + 1;
  let tokens = texts[start].length;
  if (tokens > longest) return [texts[start]];
  while (
    end < Math.min(texts.length, start + maxTexts) &&
    texts[end].length <= longest &&
    tokens + texts[end].length <= CHUNK_ROWS
  ) {
    tokens += texts[end].length;
    end++;
  }
  return texts.slice(start, end);
}

async function embedAlone(
  model: LanguageModel,
  tokens: ArrayLike<number>,
  text: number,
  options: Pick<EmbedOptions, 'pooling' | 'normalise'>,
  out: Float32Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const sum = new Float64Array(model.config.hidden);
  await prefill(model, model.createSequence(), tokens, {
    signal,
    states: (start, rows, states) => addPooled(sum, states, options, start + rows === tokens.length),
  });
  out.set(finish(sum, tokens.length, text, options));
}

/** @param states - rows of one text in order, shape (rows, hidden) @param isEnd - the last of them is the text's last */
function addPooled(
  sum: Float64Array,
  states: Float32Array,
  { pooling = 'mean' }: EmbedOptions,
  isEnd: boolean,
): void {
  const hidden = sum.length;
  if (pooling === 'last' && !isEnd) return;
  for (let at = pooling === 'last' ? states.length - hidden : 0; at < states.length; at += hidden) {
    for (let i = 0; i < hidden; i++) sum[i] += states[at + i];
  }
}

function finish(
  sum: Float64Array,
  tokens: number,
  text: number,
  { pooling = 'mean', normalise = true }: EmbedOptions,
): Float32Array {
  const length = Math.hypot(...sum);
  if (!(length > 0 && length < Infinity)) {
    throw new NumericalError(
      `embed: the pooled state of text ${text} has length ${length}; expected a finite number > 0. Check the model's weights.`,
    );
  }
  const divisor = normalise ? length : pooling === 'mean' ? tokens : 1;
  return Float32Array.from(sum, (x) => x / divisor);
}
