// Line retrieval, the task that long contexts are tried with (LongEval, in arXiv 2402.06082 §4): a record of lines with a number each, and a
// question for one of them.

import { requireInteger } from '../../core/check.ts';
import { type Rng, sampleIndices } from '../../core/rng.ts';

export interface RetrievalRecord {
  /** All lines, and what comes before them. */
  text: string;
  /** Distinct names, and the number on each one's line. */
  lines: readonly { name: string; value: number }[];
}

/** Names are an adjective and a noun. */
const ADJECTIVES =
  'amber brave calm dusty eager faint gentle hollow icy jolly keen lively misty noble odd proud quiet rusty silver tidy upper vivid warm yellow young ancient bitter clever distant early'.split(
    ' ',
  );
const NOUNS =
  'anchor basket candle desert engine forest garden harbor island jacket kettle ladder mirror needle orchard pillow quarry river saddle tunnel valley window harvest meadow barrel copper feather hammer lantern marble'.split(
    ' ',
  );

export const MOST_LINES: number = ADJECTIVES.length * NOUNS.length;

/**
 * A record of `lines` lines. Numbers are uniform from 1 to `largest`.
 *
 * @throws {InvalidArgumentError} more lines than there are names, or none
 */
export function retrievalRecord(lines: number, rng: Rng, largest = 50_000): RetrievalRecord {
  requireInteger('retrievalRecord: lines', lines, 1, MOST_LINES);
  const chosen = [...sampleIndices(MOST_LINES, lines, rng.fork('names'))].map((i) => ({
    name: `${ADJECTIVES[i % ADJECTIVES.length]}-${NOUNS[Math.floor(i / ADJECTIVES.length)]}`,
    value: 1 + Math.floor(rng.next() * largest),
  }));
  const body = chosen.map(({ name, value }) => `line ${name}: REGISTER_CONTENT is <${value}>\n`).join('');
  return {
    lines: chosen,
    text: `Below is a record of lines. Each line has a name and a register content, which is a number. Remember the number of every line.\n\n${body}`,
  };
}

export function retrievalQuestion(name: string): string {
  return `\nWhat is the REGISTER_CONTENT in line ${name}? Answer with the number only.`;
}

/** Whether the last whole number of an answer is the one that was asked for. */
export function isRightAnswer(answer: string, value: number): boolean {
  const numbers = answer.match(/\d+/g);
  return numbers !== null && Number(numbers[numbers.length - 1]) === value;
}
