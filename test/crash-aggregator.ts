// Kills aggregators at random moments and looks at what they leave behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { verifyLedger } from '../src/aggregate/aggregator/index.ts';
import { openForReading, readEntries } from '../src/aggregate/aggregator/ledger-reading.ts';
import type { AggregatorAnswer, AggregatorQuery, SampleId } from '../src/aggregate/index.ts';
import { createRng, type Rng } from '../src/core/rng.ts';

/** What a child is to do. */
export interface CrashTask {
  ledger: string;
  seed: number;
  /** Queries that were answered before, to be asked again first. */
  again: AggregatorQuery[];
}

/** What the kills found. */
export interface CrashReport {
  kills: number;
  /** Kills before the child was ready: while it opened the ledger. */
  early: number;
  answers: number;
  repeated: number;
  refused: number;
  entries: number;
}

/** The label table of every child. */
export function crashTable(): { ids: string[]; labels: Float64Array; people: number[] } {
  const ids = Array.from({ length: 2000 }, (_, i) => `id-${i}`);
  return {
    ids,
    labels: Float64Array.from(ids, (_, i) => i % 2),
    people: ids.map((_, i) => Math.floor(i / 1.25)), // every fourth person has two rows
  };
}

interface Received {
  query: AggregatorQuery;
  answer: AggregatorAnswer;
}

const childFile = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

/**
 * Starts an aggregator under load and SIGKILLs it, again and again on one ledger; after each kill the ledger must verify, hold the last
 * entry a client was told of, and hold each answer received just as it was; what was answered before must be answered the same, for nothing.
 */
export async function crashAggregator(kills: number, seed: number): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), 'provably-crash-'));
  const ledger = join(folder, 'ledger.db');
  const rng = createRng(seed);
  const report: CrashReport = {
    kills: 0,
    early: 0,
    answers: 0,
    repeated: 0,
    refused: 0,
    entries: 0,
  };
  const means = new Map<string, number>();
  const past: AggregatorQuery[] = [];
  let head: { entry: number; head: string } | undefined;
  try {
    while (report.kills < kills) {
      const again = past.length > 0 ? [0, 1, 2].map(() => past[rng.integer(past.length)]) : [];
      const { received, refused, ready } = await runAndKill(
        { ledger, seed: seed + report.kills, again },
        rng,
      );
      report.kills++;
      report.refused += refused;
      if (!ready) report.early++;
      for (const { query, answer } of received) {
        compareMeans(means, query, answer, report);
        if (!head || answer.entry > head.entry) head = answer;
        past.push(query);
      }
      report.answers += received.length;
      // A ledger whose making was interrupted has nothing in it yet, and nobody was told anything.
      if (!head) continue;
      const { value } = await verifyLedger(ledger, { head: head.head });
      assert.ok(value.valid, JSON.stringify(value.problem));
      requireAccounted(ledger, received);
      report.entries = value.entries;
    }
    return report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs one child and kills it at a random moment: most under load, some while it opens. */
async function runAndKill(
  task: CrashTask,
  rng: Rng,
): Promise<{ received: Received[]; refused: number; ready: boolean }> {
  const child = spawn(process.execPath, [childFile, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const drained = once(child.stdout, 'end');
  // So many lines are waited for, that a slow machine does as much before it is killed as a fast one.
  const wanted = 1 + rng.integer(40);
  let text = '';
  const worked = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.split('\n').length > wanted) resolve();
    });
  });
  if (rng.integer(5) === 0) await Promise.race([delay(rng.next() * 400), exited]);
  else {
    await Promise.race([worked, exited]);
    await delay(rng.next() * 10);
  }
  child.kill('SIGKILL');
  const [code, signal] = await exited;
  assert.equal(signal, 'SIGKILL', `the child ended by itself, with code ${code}`);
  await drained;
  // The last line may have been cut: that answer was not received.
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return {
    received: lines.filter((line) => 'answer' in line),
    refused: lines.filter((line) => 'refused' in line).length,
    ready: lines.length > 0,
  };
}

const keyOf = (stage: string, ids: readonly SampleId[]): string => `${stage}:${ids.toSorted().join()}`;

/** A bag has one answer for ever; only its first one is charged. */
function compareMeans(
  means: Map<string, number>,
  query: AggregatorQuery,
  answer: AggregatorAnswer,
  report: CrashReport,
): void {
  for (const [a, { mean, charged }] of answer.bags.entries()) {
    const key = keyOf(query.stage, query.bags[a]);
    const known = means.get(key);
    if (known !== undefined) {
      assert.equal(charged, 0, `charged twice: ${key}`);
      assert.equal(mean, known, `answered anew: ${key}`);
    }
    if (charged === 0) report.repeated++;
    means.set(key, mean);
  }
}

/** Each answer is in the log under the number and the hash that its receiver was told, with as many charged bags as it said. */
function requireAccounted(ledger: string, received: Received[]): void {
  const db = openForReading(ledger);
  try {
    for (const { answer } of received) {
      const [{ entry }] = readEntries(db, answer.entry, 1);
      assert.equal(entry.hash, answer.head);
      assert.equal(entry.kind, 'answer');
      assert.equal(entry.charged, answer.bags.filter(({ charged }) => charged > 0).length);
    }
  } finally {
    db.close();
  }
}
