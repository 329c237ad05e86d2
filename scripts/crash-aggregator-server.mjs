// Kills `provably serve --labels` with SIGKILL at random points while clients ask it, and starts it again, many times over.
//
// Afterwards: every answer that a client ever got is in the ledger as it was told and with the hash it came with; every bag was charged
// once, whether its answer arrived, was lost on the way or was asked for again; `verifyLedger` finds nothing; the head of each life is
// still in the log.
//
// node scripts/crash-aggregator-server.mjs [--kills 200] [--clients 8] [--seed 1]; prints one JSON object; exit code 1 when something is wrong.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { verifyLedger } from '../src/aggregate/aggregator/index.ts';
import { createAggregatorClient } from '../src/aggregate/index.ts';
import { createRng } from '../src/core/rng.ts';

const text = (value) => ({ type: 'string', default: String(value) });
const { values } = parseArgs({ options: { kills: text(200), clients: text(8), seed: text(1) } });
const [kills, clients, seed] = [values.kills, values.clients, values.seed].map(Number);

const LABELS = 2000;
const BAG = 5;
/** Share of lives that end while the server still starts. */
const EARLY = 0.15;

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'provably-kill-'));
const table = join(folder, 'labels.csv');
const ledger = join(folder, 'ledger.db');
const ids = Array.from({ length: LABELS }, (_, i) => i);
writeFileSync(table, `id,y\n${ids.map((i) => `${i},${i % 2}`).join('\n')}\n`);
const words = [
  ...[main, 'serve', '--labels', table, '--id', 'id', '--label', 'y', '--bounds', '0,1', '--grid', '1'],
  ...['--min-bag', String(BAG), '--epsilon', '100000', '--epsilon-per-release', '1', '--cadence', '2'],
  ...['--ledger', ledger, '--port', '0', '--json', '--quiet'],
];

const rng = createRng(seed);
/** Means of bags that were answered, by stage and first id. */
const known = new Map();
/** Queries to ask again: their answer never came (`isLost`), so that they may have been charged; or it came. */
const again = [];
/** [entry, hash] of every answer. */
const heads = [];
const counts = { kills: 0, early: 0, lives: 0, answers: 0, lost: 0, recovered: 0, repeated: 0 };
let asked = 0;

/** The next one to four bags that nobody asked about. */
function newQuery() {
  const bags = Math.floor(LABELS / BAG);
  const size = 1 + Math.floor(rng.next() * 4);
  const firsts = [];
  const stage = `s${Math.floor(asked / bags)}`;
  while (firsts.length < size && `s${Math.floor(asked / bags)}` === stage)
    firsts.push(BAG * (asked++ % bags));
  return { stage, bags: firsts.map((first) => ids.slice(first, first + BAG)) };
}

/** What names bag `a` of a query. */
function keyOf({ stage, bags }, a) {
  return `${stage} ${bags[a][0]}`;
}

/** Keeps an answer, and holds it against what was answered before. */
function keep(query, answer, isLost) {
  heads.push([answer.entry, answer.head]);
  counts.answers++;
  let isRecovered = isLost;
  query.bags.forEach((_, a) => {
    const key = keyOf(query, a);
    const { mean, charged } = answer.bags[a];
    const before = known.get(key);
    if (before === undefined) known.set(key, mean);
    else {
      assert.equal(mean, before, 'an answer was given anew');
      assert.equal(charged, 0, 'a bag was charged twice');
      counts.repeated++;
    }
    // Its charge had reached the disk, its answer not the client.
    isRecovered &&= charged === 0;
  });
  counts.recovered += Number(isRecovered);
}

/** Asks until the server is gone. */
async function client(url) {
  const aggregator = createAggregatorClient({ url, retries: 0, timeout: 30 });
  for (;;) {
    const { query, isLost } = again.pop() ?? { query: newQuery(), isLost: false };
    const isNew = !known.has(keyOf(query, 0));
    let answer;
    try {
      answer = await aggregator.query(query);
    } catch (error) {
      assert.equal(error.code, 'BUSY', String(error));
      counts.lost += Number(isNew && !isLost);
      again.push({ query, isLost: isNew });
      return;
    }
    keep(query, answer, isLost);
    // Now and then something that was answered is asked again.
    if (rng.next() < 0.1) again.push({ query, isLost: false });
  }
}

/** One life of the server. @param life - milliseconds from its start, or from when it listens */
async function live(isEarly, life) {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part) => {
    said += part;
  });
  const exited = once(child, 'exit');
  if (isEarly) {
    await Promise.race([delay(life), exited]);
  } else {
    const line = await Promise.race([once(createInterface(child.stdout), 'line'), exited]);
    assert.equal(typeof line[0], 'string', `the server does not start: ${said}`);
    const { url } = JSON.parse(line[0]);
    const work = Array.from({ length: clients }, () => client(url));
    await delay(life);
    child.kill('SIGKILL');
    await Promise.all(work);
    counts.lives++;
  }
  child.kill('SIGKILL');
  await exited;
}

try {
  const start = performance.now();
  for (; counts.kills < kills; counts.kills++) {
    const isEarly = rng.next() < EARLY;
    counts.early += Number(isEarly);
    await live(isEarly, (isEarly ? 900 : 250) * rng.next());
  }
  // The last life: what was never answered is asked again, and the server ends as it should.
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(createInterface(child.stdout), 'line');
  const aggregator = createAggregatorClient({ url: JSON.parse(line).url });
  for (const { query, isLost } of again.splice(0)) keep(query, await aggregator.query(query), isLost);
  const log = new Map();
  for await (const { entry, hash } of aggregator.log()) log.set(entry, hash);
  child.kill('SIGTERM');
  assert.equal((await once(child, 'exit'))[0], 0);
  for (const [entry, hash] of heads)
    assert.equal(log.get(entry), hash, `entry ${entry} is not as it was told`);
  const { value: report } = await verifyLedger(ledger, { head: heads[0]?.[1] });
  assert.ok(report.valid, JSON.stringify(report.problem));
  assert.equal(report.bagsCharged, known.size, 'bags charged and bags answered');
  const result = { ...counts, bags: known.size, entries: report.entries, largestSpend: report.largestSpend };
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(`${JSON.stringify({ ...result, stages: report.stages, seconds, sound: true })}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
