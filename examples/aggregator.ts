// Labels on one side of a wire, features on the other: a model learned from noisy means, and the ledger of what it cost.
// Run: node --conditions=provably-source examples/aggregator.ts

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRng, formatCertificate } from 'provably';
import { createAggregatorClient, linearLearner, priorBoost } from 'provably/aggregate';
import { openAggregator, verifyLedger } from 'provably/aggregate/aggregator';
import { createApiKey, parseApiKeys, startAggregatorServer } from 'provably/server';

// 20 000 people: five features, which the analyst has, and what they spent, which nobody shall see.
const [n, d] = [20_000, 5];
const rng = createRng(1);
const features = { data: Float64Array.from({ length: n * d }, () => rng.normal()), rows: n, cols: d };
const mean = (i: number) => 20 + 5 * features.data[i * d] - 3 * features.data[i * d + 1];
const spent = Float64Array.from({ length: n }, (_, i) => mean(i) + 4 * rng.normal());
const ids = Array.from({ length: n }, (_, i) => `customer-${i}`);

// The owner's side: `provably serve --labels … --bounds 0,50 --min-bag 20 --epsilon 2`.
const folder = mkdtempSync(join(tmpdir(), 'provably-example-'));
const ledger = join(folder, 'ledger.db');
const ann = createApiKey('ann', 'analyst');
const aggregator = await openAggregator({
  ...{ labels: { ids, labels: spent }, ledger, bounds: [0, 50], minBag: 20, budget: 2, epsilonPerRelease: 1 },
});
const server = await startAggregatorServer(aggregator, { port: 0, apiKeys: parseApiKeys(ann.line) });

// The analyst's side: features, ids, a key.
const client = createAggregatorClient({ url: server.url, apiKey: ann.key });
const { minBag, epsilonPerRelease } = await client.info();
const { value, certificate } = await priorBoost({
  ...{ features, query: client.bagQuery(ids), bagSize: minBag, stages: 2, preset: 'best' },
  ...{ learner: linearLearner(), epsilon: epsilonPerRelease, seed: 1 },
});
console.log(formatCertificate(certificate));
const predicted = value.model.predict(features);
const error = predicted.reduce((sum, y, i) => sum + (y - mean(i)) ** 2 / n, 0);
const variance = 25 + 9;
console.log(
  `of the variance that features explain, the model explains ${(100 * (1 - error / variance)).toFixed(1)} %`,
);

// Anybody's side: the file of the ledger, and a hash that was kept.
const { head } = aggregator;
await server.close();
await aggregator.close();
const report = await verifyLedger(ledger, { head: head.hash });
console.log(`${report.value.bagsCharged} bags; nobody has spent more than ε = ${report.value.largestSpend}`);
rmSync(folder, { recursive: true });
if (!report.value.valid || report.value.largestSpend > 1) throw new Error('the ledger does not add up');
if (!(error < variance / 2)) throw new Error('the model has learned nothing');
