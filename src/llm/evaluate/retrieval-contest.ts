// Which caches still find a line: records are read once with exact attention, each cache keeps what it will, and every question is put to
// forks of all of them.

import { requireInteger, requireProbability } from '../../core/check.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { createRng, sampleIndices } from '../../core/rng.ts';
import { clopperPearsonInterval, type Interval } from '../../core/statistics/index.ts';
import type { FloatStorage, KeyValueStorage } from '../../kernels/index.ts';
import type { ComparedPolicy } from '../../kv-cache/index.ts';
import { decodeStep } from '../engine/decode-step.ts';
import type { LanguageModel } from '../engine/language-model.ts';
import { prefill } from '../engine/prefill.ts';
import type { Sequence } from '../engine/sequence.ts';
import { cacheBytesPerToken } from '../model/model-config.ts';
import type { ChatTemplate, Tokenizer } from '../text/index.ts';
import { isRightAnswer, retrievalQuestion, retrievalRecord } from './line-retrieval.ts';
import { type SizedEntrant, sizedCache } from './sized-cache.ts';

/** A policy with the storage that it has its rows in. */
export interface RetrievalEntrant {
  /** Without a budget: it gets the largest that fits. */
  policy: ComparedPolicy;
  /** Default: that of the full cache. */
  storage?: KeyValueStorage;
}

export interface RetrievalOptions extends RunOptions {
  /** Compared at equal bytes. One without a budget takes the bytes it takes, and is in only where they fit. */
  entrants: readonly RetrievalEntrant[];
  /** Shares of the bytes of a full cache's keys and values, each in (0, 1). */
  shares: readonly number[];
  /** Lines of a record. */
  lines: number;
  /** Default 10. */
  records?: number;
  /** Distinct lines asked for in each record. Default 10. */
  questions?: number;
  /** Numbers are from 1 to this. Default 50 000, as LongEval's. */
  largest?: number;
  /** Tokens an answer may have. Default 12. */
  answerTokens?: number;
  /** Of the full cache. Default 'float16', as most engines have it. */
  storage?: FloatStorage;
  /** Default 0. */
  seed?: number;
}

export interface RetrievalRow {
  policy: string;
  storage: KeyValueStorage;
  /** Most of a full cache's bytes that it might take; 1 for the full cache. */
  share: number;
  right: number;
  asked: number;
  accuracy: number;
  /** 95 %, as if questions were independent. */
  interval: Interval;
  /** Of all layers, after a record, on average; keys, values and bookkeeping. */
  bytes: number;
  /** Of the bytes of a full cache's keys and values. */
  bytesShare: number;
}

/**
 * Accuracy of line retrieval for a full cache and, at equal bytes, for each policy. Answers are the most likely tokens.
 *
 * @param template - how the model is asked; undefined: record and question as plain text
 * @throws {InvalidArgumentError} sizes out of range, or a share too small for a policy
 *
 * Time: a prefill a record, and `answerTokens` decode steps of all caches together a question.
 */
export async function retrievalContest(
  model: LanguageModel,
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
  options: RetrievalOptions,
): Promise<RetrievalRow[]> {
  const { entrants, shares, lines, storage = 'float16', seed = 0, signal, onProgress } = options;
  const { records = 10, questions = Math.min(10, lines), largest = 50_000, answerTokens = 12 } = options;
  requireInteger('retrievalContest: records', records, 1);
  requireInteger('retrievalContest: questions', questions, 1, lines);
  requireInteger('retrievalContest: answerTokens', answerTokens, 1);
  for (const share of shares) requireProbability('retrievalContest: shares', share);
  const contestants: SizedEntrant[] = [
    { policy: { policy: 'full' }, storage, share: 1 },
    ...shares.flatMap((share) =>
      entrants.map(({ policy, storage: own = storage }) => ({ policy, storage: own, share })),
    ),
  ];
  const rows = contestants.map((contestant) => ({ ...contestant, right: 0, bytes: 0, whole: 0 }));
  for (let record = 0; record < records; record++) {
    const rng = createRng(seed).fork('line retrieval').fork(record);
    const { text, lines: all } = retrievalRecord(lines, rng.fork('record'), largest);
    const asked = [...sampleIndices(lines, questions, rng.fork('questions'))].map((i) => all[i]);
    const prompts = asked.map(({ name }) => promptOf(text + retrievalQuestion(name), tokenizer, template));
    const shared = commonPrefix(prompts);
    const whole = shared * cacheBytesPerToken(model.config, storage);
    const sequences: Sequence[] = [];
    for (const row of rows)
      sequences.push(
        model.createSequence({ storage: row.storage, cache: await sizedCache(model, row, whole) }),
      );
    await prefill(model, sequences, prompts[0].slice(0, shared), { signal });
    rows.forEach((row, i) => {
      row.bytes += sequences[i].bytes().total;
      row.whole += whole;
    });
    for (const [i, { value }] of asked.entries()) {
      await yieldToEventLoop();
      signal?.throwIfAborted();
      onProgress?.({ phase: 'questions', done: record * questions + i, total: records * questions });
      const forks = sequences.map((sequence) => sequence.fork());
      const answers = await answersOf(model, tokenizer, forks, prompts[i].slice(shared), answerTokens);
      rows.forEach((row, j) => {
        if (isRightAnswer(answers[j], value)) row.right++;
      });
    }
  }
  const asked = records * questions;
  return (
    rows
      // A policy without a budget may not fit; a thousandth is for the few bytes that are not its rows'.
      .filter(({ share, bytes, whole }) => share === 1 || bytes <= 1.001 * share * whole)
      .map(({ policy, storage, share, right, bytes, whole }) => ({
        ...{ policy: policy.name ?? policy.policy, storage, share, right, asked, accuracy: right / asked },
        ...{ bytes: bytes / records, bytesShare: bytes / whole },
        interval: clopperPearsonInterval(right, asked),
      }))
  );
}

function promptOf(text: string, tokenizer: Tokenizer, template: ChatTemplate | undefined): number[] {
  return [
    ...(template ? template.encode([{ role: 'user', content: text }]) : tokenizer.encode(`${text}\nAnswer:`)),
  ];
}

/** Tokens that all lists begin with, and at least one less than the shortest has. */
function commonPrefix(lists: readonly number[][]): number {
  const shortest = Math.min(...lists.map((list) => list.length)) - 1;
  let length = 0;
  while (length < shortest && lists.every((list) => list[length] === lists[0][length])) length++;
  return length;
}

/** The most likely tokens after a question, of all sequences together. */
async function answersOf(
  model: LanguageModel,
  tokenizer: Tokenizer,
  sequences: readonly Sequence[],
  question: readonly number[],
  most: number,
): Promise<string[]> {
  const { vocabulary } = model.config;
  let logits = new Float32Array(0);
  for (const token of question)
    logits = (await decodeStep(
      model,
      sequences,
      sequences.map(() => token),
    )) as Float32Array<ArrayBuffer>;
  const answers: number[][] = sequences.map(() => []);
  let going = sequences.map((_, i) => i);
  for (let step = 0; step < most && going.length > 0; step++) {
    const next = going.map((_, row) => largestOf(logits.subarray(row * vocabulary, (row + 1) * vocabulary)));
    const ended = next.map((token) => tokenizer.special.endOfGeneration.has(token));
    next.forEach((token, row) => {
      if (!ended[row]) answers[going[row]].push(token);
    });
    const kept = going.filter((_, row) => !ended[row]);
    const tokens = next.filter((_, row) => !ended[row]);
    going = kept;
    if (going.length > 0 && step + 1 < most)
      logits = (await decodeStep(
        model,
        going.map((i) => sequences[i]),
        tokens,
      )) as Float32Array<ArrayBuffer>;
  }
  return answers.map((ids) => tokenizer.decode(ids, { skipSpecial: true }));
}

function largestOf(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}
