// Records as platforms send them: a JSON list, one object, or one object a line.

import { DataError } from '../../core/errors.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

/** @throws {DataError} it is no JSON, or holds something else than objects: the message names the line or place */
export function parseJsonRecords(where: string, text: string): JsonRecord[] {
  const trimmed = text.trim();
  if (trimmed === '') throw new DataError(`${where}: the text is empty; expected JSON records.`);
  const whole = tryParse(trimmed);
  if (whole !== undefined) return [whole].flat().map((item, i) => requireRecord(where, `record ${i}`, item));
  return trimmed
    .split('\n')
    .map((line, i) => ({ line: line.trim(), place: `line ${i + 1}` }))
    .filter(({ line }) => line !== '')
    .map(({ line, place }) => requireRecord(where, place, tryParse(line)));
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requireRecord(where: string, place: string, item: unknown): JsonRecord {
  if (typeof item === 'object' && item !== null && !Array.isArray(item)) return item as JsonRecord;
  throw new DataError(
    `${where}: ${place} is ${item === undefined ? 'no JSON' : JSON.stringify(item)}; expected an object, as in a JSON list or one object a line.`,
  );
}
