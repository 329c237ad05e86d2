// A few kills; `npm run crash:aggregator` does 200.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { crashAggregator } from './crash-aggregator.ts';

it('an aggregator that is killed leaves a ledger in which every answer is charged once', async () => {
  const { kills, answers, entries } = await crashAggregator(10, 1);
  assert.equal(kills, 10);
  assert.ok(answers > 0 && entries > answers, `${answers} answers, ${entries} entries`);
});
