// Which caches still find a line: records are read once with exact attention, each cache keeps what it will, and every question is put to
// forks of all of them.

import { requireInteger, requireProbability } from '../../core/check.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng, sampleIndices } from '../../core/rng.ts';
import { clopperPearsonInterval, type Interval } from '../../core/statistics/index.ts';
import type { KeyValueStorage } from '../../kernels/index.ts';
import type { ComparedPolicy } from '../../kv-cache/index.ts';
import { decodeStep } from '../engine/decode-step.ts';
import type { LanguageModel } from '../engine/language-model.ts';
import { prefill } from '../engine/prefill.ts';
import type { Sequence } from '../engine/sequence.ts';
import type { ChatTemplate, Tokenizer } from '../text/index.ts';
import { isRightAnswer, retrievalQuestion, retrievalRecord } from './line-retrieval.ts';
import { sizedCache } from './sized-cache.ts';

export interface RetrievalOptions extends RunOptions {
  /** Without budgets; compared at equal bytes. */
  policies: readonly ComparedPolicy[];
  /** Shares of the bytes that a full cache takes for a record, each in (0, 1). */
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
  storage?: KeyValueStorage;
  /** Default 0. */
  seed?: number;
}

export interface RetrievalRow {
  policy: string;
  /** Of a full cache's bytes; 1 for the full cache. */
  share: number;
  right: number;
  asked: number;
  accuracy: number;
  /** 95 %, as if questions were independent. */
  interval: Interval;
  /** Of all layers, after a record, on average. */
  bytes: number;
}

/**
 * Accuracy of line retrieval for a full cache and, at equal bytes, for each policy. Answers are the most likely tokens.
 *
 * @param template - how the model is asked; undefined: record and question as plain text
 * @throws {InvalidArgumentError} no policies, sizes out of range, or a share too small for a policy
 *
 * Time: a prefill a record, and `answerTokens` decode steps of all caches together a question.
 */
export async function retrievalContest(
  model: LanguageModel,
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
  options: RetrievalOptions,
): Promise<RetrievalRow[]> {
  const { policies, shares, lines, storage = 'float32', seed = 0, signal, onProgress } = options;
  const { records = 10, questions = Math.min(10, lines), largest = 50_000, answerTokens = 12 } = options;
  requireInteger('retrievalContest: records', records, 1);
  requireInteger('retrievalContest: questions', questions, 1, lines);
  requireInteger('retrievalContest: answerTokens', answerTokens, 1);
  for (const share of shares) requireProbability('retrievalContest: shares', share);
  const tally = new Map<string, { policy: string; share: number; right: number; bytes: number }>();
  const count = (policy: string, share: number) => {
    const key = `${policy} ${share}`;
    const known = tally.get(key) ?? { policy, share, right: 0, bytes: 0 };
    tally.set(key, known);
    return known;
  };
  for (let record = 0; record < records; record++) {
    const rng = createRng(seed).fork('line retrieval').fork(record);
    const { text, lines: all } = retrievalRecord(lines, rng.fork('record'), largest);
    const asked = [...sampleIndices(lines, questions, rng.fork('questions'))].map((i) => all[i]);
    const prompts = asked.map(({ name }) => promptOf(text + retrievalQuestion(name), tokenizer, template));
    const shared = commonPrefix(prompts);
    const entrants: { policy: string; share: number; sequence: Sequence }[] = [
      { policy: 'full', share: 1, sequence: model.createSequence({ storage }) },
    ];
    for (const share of shares)
      for (const policy of policies)
        entrants.push({
          ...{ policy: policy.name ?? policy.policy, share },
          sequence: model.createSequence({
            storage,
            cache: await sizedCache(model, policy, { share, tokens: shared, storage }),
          }),
        });
    const read = prompts[0].slice(0, shared);
    await prefill(
      model,
      entrants.map(({ sequence }) => sequence),
      read,
      { signal },
    );
    for (const { policy, share, sequence } of entrants) count(policy, share).bytes += sequence.bytes().total;
    for (const [i, { value }] of asked.entries()) {
      signal?.throwIfAborted();
      onProgress?.({ phase: 'questions', done: record * questions + i, total: records * questions });
      const forks = entrants.map(({ sequence }) => sequence.fork());
      const answers = await answersOf(model, tokenizer, forks, prompts[i].slice(shared), answerTokens);
      entrants.forEach(({ policy, share }, j) => {
        if (isRightAnswer(answers[j], value)) count(policy, share).right++;
      });
    }
  }
  const asked = records * questions;
  return [...tally.values()].map(({ policy, share, right, bytes }) => ({
    ...{ policy, share, right, asked, accuracy: right / asked, bytes: bytes / records },
    interval: clopperPearsonInterval(right, asked),
  }));
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
