// For tests of `provably aggregate`: the Boston table in a folder that is removed, and how subcommands run on it.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { loadBoston, type ResponseTable } from '../src/data/datasets/index.ts';
import { parseCsv } from './cli-fixtures.ts';
import { runInProcess } from './run-cli.ts';

export const cwd: string = mkdtempSync(join(tmpdir(), 'provably-aggregate-'));
after(() => rmSync(cwd, { recursive: true }));
export const at = (file: string): string => join(cwd, file);
export const read = (file: string): string => readFileSync(at(file), 'utf8');

export const boston: ResponseTable = await loadBoston();
export const rows: number = boston.response.length;
export const ids: string[] = Array.from({ length: rows }, (_, i) => `tract-${i}`);
const rowText = (i: number): string =>
  [ids[i], ...boston.features.data.subarray(i * 12, (i + 1) * 12), boston.response[i]].join(',');
writeFileSync(
  at('boston.csv'),
  `id,${boston.columns.join(',')},medv\n${ids.map((_, i) => rowText(i)).join('\n')}\n`,
);
export const labelOf: ReadonlyMap<string, number> = new Map(ids.map((id, i) => [id, boston.response[i]]));

/** What the tests read of the JSON that subcommands print. */
export interface Printed {
  input: Record<string, number>;
  value: {
    byBagSize: unknown[];
    best: { bagSize: number };
    coefficients: { value: number }[];
    notes: string[];
    model: unknown;
    privacy: { statement: string };
    stages: { origin: string; within?: { share: number } }[];
  };
  figures: Record<string, number>;
  recipe: { command: string };
  valid: boolean;
  largestSpend: number;
}

/** Runs a subcommand here and parses what it prints. */
export async function aggregate(words: string[]): Promise<Printed> {
  const { code, stdout, stderr } = await runInProcess(['aggregate', ...words, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Bags of a file by their key: responses of their members. */
export function responsesByKey(file: string): Map<string, number[]> {
  const byKey = new Map<string, number[]>();
  for (const { id, bag, key = bag } of parseCsv(read(file))) {
    byKey.set(key, [...(byKey.get(key) ?? []), labelOf.get(id) as number]);
  }
  return byKey;
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
