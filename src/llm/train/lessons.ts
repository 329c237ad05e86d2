// What a small model is taught: English text, and line retrieval in the very words that it is tried with (evaluate/line-retrieval.ts).

import { requireInteger } from '../../core/check.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { MOST_LINES, retrievalQuestion, retrievalRecord } from '../evaluate/line-retrieval.ts';
import type { Tokenizer } from '../text/index.ts';
import type { TokenRows } from './network.ts';

/** What makes up a batch. */
export interface LessonPlan {
  rows: number;
  /** Tokens of a row. */
  length: number;
  /** Shares of rows, in [0, 1], that are copies, repeated lines and English text; the rest are questions. */
  copies: number;
  repeats: number;
  text: number;
  /** Weight of the digits of answers, > 0. Default that of the rest of an answer, 4. */
  digits?: number;
}

/** Weights in the loss. Answers are few beside text and records, whose names and numbers cannot be foreseen. */
const WEIGHT = { answer: 4, copy: 1, text: 1, record: 0.05 };

export interface Lessons {
  /** The batch of a step; a pure function of plan and stream. */
  batch(plan: LessonPlan, rng: Rng): TokenRows;
}

/**
 * Lessons in the tokens of a vocabulary.
 *
 * @param corpus - tokens of the text that English rows are cut from, more than any row's length
 */
export function createLessons(tokenizer: Tokenizer, corpus: Uint16Array): Lessons {
  const end = tokenizer.special.eos as number;
  const mostLines = lineCounter(tokenizer);
  return {
    batch({ rows, length, copies, repeats, text, digits = WEIGHT.answer }, rng) {
      requireInteger('lessons: rows', rows, 1);
      requireInteger('lessons: length', length, 64, corpus.length - 1);
      const batch: TokenRows = {
        ...{ rows, length },
        inputs: new Uint32Array(rows * length),
        targets: new Uint32Array(rows * length),
        weights: new Float32Array(rows * length),
      };
      for (let row = 0; row < rows; row++) {
        const stream = rng.fork(row);
        // Kinds are spread evenly over the rows, and the places where one ends move with the step.
        const place = (row + stream.next()) / rows;
        const lesson = new Lesson(tokenizer, length + 1);
        if (place < text) lesson.addTokens(corpusSlice(corpus, length + 1, stream), WEIGHT.text);
        else if (place < text + copies) addCopies(lesson, stream, tokenizer.vocabularySize);
        else if (place < text + copies + repeats) addRepeats(lesson, stream, digits);
        else addQuestions(lesson, stream, { mostLines, end, digits });
        lesson.copyTo(batch, row);
      }
      return batch;
    },
  };
}

function corpusSlice(corpus: Uint16Array, length: number, rng: Rng): Uint16Array {
  const from = rng.integer(corpus.length - length + 1);
  return corpus.subarray(from, from + length);
}

/** Numbers of one to five digits: short ones are found first, and long ones are what is asked for. */
function largestNumber(rng: Rng): number {
  return [9, 99, 999, 9_999, 50_000, 50_000, 50_000, 50_000][rng.integer(8)];
}

/** Tokens by chance, again and again: what followed the last time follows now. From few different ones, more than the last token must be looked at. */
function addCopies(lesson: Lesson, rng: Rng, vocabulary: number): void {
  const alphabet = Uint32Array.from({ length: 8 << rng.integer(6) }, () => 1 + rng.integer(vocabulary - 1));
  const period = Uint32Array.from(
    { length: 4 + rng.integer(Math.floor(lesson.room / 2) - 4) },
    () => alphabet[rng.integer(alphabet.length)],
  );
  lesson.addTokens(period, 0);
  while (!lesson.full) lesson.addTokens(period, WEIGHT.copy);
}

/** Lines drawn again and again from a few: a line that has been there tells its number. */
function addRepeats(lesson: Lesson, rng: Rng, digits: number): void {
  const { lines } = retrievalRecord(2 + rng.integer(6), rng, largestNumber(rng));
  const seen = new Set<string>();
  while (!lesson.full) {
    const { name, value } = lines[rng.integer(lines.length)];
    lesson.add(`line ${name}: REGISTER_CONTENT is <`, WEIGHT.record);
    lesson.add(`${value}`, seen.has(name) ? digits : 0);
    lesson.add('>\n', WEIGHT.record);
    seen.add(name);
  }
}

/**
 * The answer begins with the name, as the line does: what comes before the number is then the same in both, which a small model finds much
 * sooner than to look for a name that stands elsewhere. Scores count the last number of an answer.
 */
export function retrievalAnswer(name: string, value: number): string {
  return ` ${name}: REGISTER_CONTENT is <${value}>`;
}

/** A record as long as the row has room for it and a question, or shorter; then questions until the row is full. */
function addQuestions(
  lesson: Lesson,
  rng: Rng,
  { mostLines, end, digits }: { mostLines: (tokens: number) => number; end: number; digits: number },
): void {
  const { text, lines } = retrievalRecord(1 + rng.integer(mostLines(lesson.room)), rng, largestNumber(rng));
  let before = text;
  while (!lesson.full) {
    const { name, value } = lines[rng.integer(lines.length)];
    lesson.add(`${before}${retrievalQuestion(name)}\nAnswer:`, WEIGHT.record);
    const answer = retrievalAnswer(name, value);
    const number = answer.indexOf('<') + 1;
    lesson.add(answer.slice(0, number), WEIGHT.answer);
    lesson.add(`${value}`, digits);
    lesson.add('>', WEIGHT.answer);
    lesson.addTokens([end], WEIGHT.answer);
    before = '';
  }
}

/** How many lines fit in so many tokens, one question with its answer besides; at least one, whatever the room. */
function lineCounter(tokenizer: Tokenizer): (tokens: number) => number {
  const { text, lines } = retrievalRecord(MEASURED_LINES, createRng(0));
  const size = (part: string) => tokenizer.encode(part, { addSpecial: false }).length;
  const first = text.indexOf('\nline ') + 1;
  const line = size(text.slice(first)) / MEASURED_LINES;
  const question =
    size(`${retrievalQuestion(lines[0].name)}\nAnswer:${retrievalAnswer(lines[0].name, 50_000)}`) + 1;
  const fixed = size(text.slice(0, first)) + question;
  return (tokens) => Math.min(MOST_LINES, Math.max(1, Math.floor((tokens - fixed) / line)));
}

const MEASURED_LINES = 50;

/** Tokens with the weights of being predicted, cut off at a length. */
class Lesson {
  private readonly tokens: Uint32Array;
  private readonly weights: Float32Array;
  private readonly tokenizer: Tokenizer;
  private used = 0;

  constructor(tokenizer: Tokenizer, length: number) {
    this.tokenizer = tokenizer;
    this.tokens = new Uint32Array(length);
    this.weights = new Float32Array(length);
  }

  get room(): number {
    return this.tokens.length - this.used;
  }

  get full(): boolean {
    return this.room === 0;
  }

  add(text: string, weight: number): void {
    this.addTokens(this.tokenizer.encode(text, { addSpecial: false }), weight);
  }

  addTokens(tokens: ArrayLike<number>, weight: number): void {
    for (let i = 0; i < tokens.length && !this.full; i++, this.used++) {
      this.tokens[this.used] = tokens[i];
      this.weights[this.used] = weight;
    }
  }

  copyTo({ length, inputs, targets, weights }: TokenRows, row: number): void {
    inputs.set(this.tokens.subarray(0, length), row * length);
    targets.set(this.tokens.subarray(1, length + 1), row * length);
    weights.set(this.weights.subarray(1, length + 1), row * length);
  }
}
