// An aggregator under load, to be killed: opens the ledger it is given, asks again what was answered before, then lets 16 clients ask until it dies.
// Every answer is one line on standard output, written before the client goes on: what a client of it has received.

import { writeSync } from 'node:fs';
import { openAggregator } from '../src/aggregate/aggregator/index.ts';
import type { AggregatorAnswer, AggregatorQuery } from '../src/aggregate/index.ts';
import { RefusedError } from '../src/aggregate/index.ts';
import { createRng, type Rng, sampleIndices } from '../src/core/rng.ts';
import { type CrashTask, crashTable } from './crash-aggregator.ts';

const { ledger, seed, again }: CrashTask = JSON.parse(process.argv[2]);
const rng = createRng(seed);
const table = crashTable();

const aggregator = await openAggregator({
  ...{ labels: table, ledger, minBag: 5, budget: 4, epsilonPerRelease: 0.1 },
  ...{ bounds: [0, 1], grid: 1, cadence: 1, maxBags: 4 },
});

function tell(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function ask(query: AggregatorQuery): Promise<AggregatorAnswer | undefined> {
  try {
    const answer = await aggregator.query('client', query);
    tell({ query, answer });
    return answer;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    tell({ refused: error.reason });
    return undefined;
  }
}

/** Bags of 5 to 12 samples; now and then one that is too small or in a stage where it overlaps. */
function randomQuery(client: Rng): AggregatorQuery {
  const sizes = Array.from({ length: 1 + client.integer(3) }, () => 4 + client.integer(9));
  const rows = sampleIndices(
    table.ids.length,
    sizes.reduce((a, b) => a + b),
    client,
  );
  let first = 0;
  const bags = sizes.map((size) => {
    first += size;
    return Array.from(rows.subarray(first - size, first), (row) => table.ids[row]);
  });
  return { stage: `s${seed}-${client.integer(4)}`, bags };
}

tell({ ready: true });
for (const query of again) await ask(query);
await Promise.all(
  Array.from({ length: 16 }, async (_, i) => {
    const client = rng.fork(i);
    let last: AggregatorQuery | undefined;
    for (;;) {
      const query = last && client.integer(4) === 0 ? last : randomQuery(client);
      if (await ask(query)) last = query;
    }
  }),
);
