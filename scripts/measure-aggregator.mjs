// Measures an aggregator in process: queries a second, the time to open it with a ledger of many bags, and to verify that. No HTTP: for that see
// `provably serve`. `node scripts/measure-aggregator.mjs [--labels 1000000] [--queries 20000] [--bags 100000]`; prints one JSON object.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openAggregator, verifyLedger } from '../src/aggregate/aggregator/index.ts';
import { createRng, shuffle } from '../src/core/rng.ts';

const { values } = parseArgs({
  options: {
    labels: { type: 'string', default: '1000000' },
    queries: { type: 'string', default: '20000' },
    bags: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '64' },
  },
});
const [n, queries, bags, clients] = [values.labels, values.queries, values.bags, values.clients].map(Number);
const SIZE = 50;
/** Bags of one query when the ledger is filled. */
const MANY = 1000;

const folder = mkdtempSync(join(tmpdir(), 'provably-measure-'));
const ids = Array.from({ length: n }, (_, i) => `user-${i}`);
const order = shuffle(
  Uint32Array.from({ length: n }, (_, i) => i),
  createRng(1),
);
const options = {
  labels: { ids, labels: Float64Array.from({ length: n }, (_, i) => i % 2) },
  ledger: join(folder, 'ledger.db'),
  ...{ minBag: SIZE, budget: 1000, epsilonPerRelease: 1, bounds: [0, 1], grid: 1 },
};

/** Seconds that pass, and seconds of processors. */
async function timed(work) {
  const start = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return {
    result,
    seconds: round((performance.now() - start) / 1000),
    cpuSeconds: round((user + system) / 1e6),
  };
}

const round = (x) => Number(x.toPrecision(3));
const bagsInStage = Math.floor(n / SIZE);
const stageOf = (bag) => `s${Math.floor(bag / bagsInStage)}`;
/** Bag number `bag`: a random one, disjoint from the others of its stage. */
const bagOf = (bag) => {
  const [stage, first] = [Math.floor(bag / bagsInStage), (bag % bagsInStage) * SIZE];
  return Array.from({ length: SIZE }, (_, i) => ids[order[(first + i + 7 * stage) % n]]);
};

const opened = await timed(() => openAggregator(options));
let aggregator = opened.result;
const latencies = [];
let asked = 0;
const load = await timed(() =>
  Promise.all(
    Array.from({ length: clients }, async () => {
      while (asked < queries) {
        const bag = asked++;
        const start = performance.now();
        await aggregator.query('client', { stage: stageOf(bag), bags: [bagOf(bag)] });
        latencies.push(performance.now() - start);
      }
    }),
  ),
);
latencies.sort((a, b) => a - b);
for (
  let bag = Math.ceil(queries / bagsInStage) * bagsInStage;
  aggregator.head.entry < queries + Math.ceil((bags - queries) / MANY);
) {
  const many = Math.min(MANY, bagsInStage - (bag % bagsInStage));
  await aggregator.query('client', {
    stage: stageOf(bag),
    bags: Array.from({ length: many }, (_, a) => bagOf(bag + a)),
  });
  bag += many;
}
await aggregator.close();
const reopened = await timed(() => openAggregator(options));
aggregator = reopened.result;
const { head } = aggregator;
await aggregator.close();
const verified = await timed(() => verifyLedger(options.ledger, { head: head.hash }));
const { valid, bagsCharged, entries } = verified.result.value;
const seconds = ({ seconds, cpuSeconds }) => ({ seconds, cpuSeconds });
const megabytes = (bytes) => Math.round(bytes / 1e6);
console.log(
  JSON.stringify({
    ...{ labels: n, idsPerBag: SIZE, clients },
    open: seconds(opened),
    queriesPerSecond: Math.round(queries / load.seconds),
    cpuMicrosecondsPerQuery: round((1e6 * load.cpuSeconds) / queries),
    milliseconds: {
      median: round(latencies[queries >> 1]),
      p99: round(latencies[Math.floor(0.99 * queries)]),
    },
    ledger: { entries, bagsCharged, megabytes: megabytes(statSync(options.ledger).size), valid },
    reopen: seconds(reopened),
    verify: seconds(verified),
    residentMegabytes: megabytes(process.memoryUsage().rss),
  }),
);
rmSync(folder, { recursive: true });
process.exitCode = valid ? 0 : 1;
