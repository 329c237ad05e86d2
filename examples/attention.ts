// 8192 queries and keys: attention from a sixteenth of the pairs, what is promised of it, and how far it really is off.
// Run: node --conditions=provably-source examples/attention.ts

import { formatCertificate } from 'provably';
import {
  type AttentionInput,
  auditAttention,
  compareAttention,
  exactAttention,
  hyperAttention,
  tuneAttention,
} from 'provably/attention';
import { plantedAttention } from 'provably/datasets';

const rows = 8192;
const dim = 64;
const planted = plantedAttention({ rows, dim, clusters: 32, strength: 8 });
const one = { batch: 1, heads: 1, rows, cols: dim };
const input: AttentionInput = {
  queries: { data: planted.queries.data, ...one },
  keys: { data: planted.keys.data, ...one },
  values: { data: planted.values.data, ...one },
};

// A quarter of the rows is done exactly to promise something of the others; 64, the default, only tell the typical error.
const result = await hyperAttention(input, { hashBits: 'auto', certifyRows: 2048 });
const { pairs, exactPairs } = result.value.trace;
const { relativeError } = compareAttention(result.value, await exactAttention(input));
console.log(
  `${((100 * pairs) / exactPairs).toFixed(1)} % of the pairs; the output is off by ${(100 * relativeError).toFixed(1)} %`,
);
console.log(formatCertificate((await auditAttention(input, result, { rows: 1000 })).certificate));

// Causal: what comes later never moves a row, not by a bit.
const causal = { ...input, causal: true };
const options = { blockSize: 128, sampleSize: 128, minSequence: 512, certifyRows: 0 };
const before = await hyperAttention(causal, options);
const changed = planted.queries.data.slice().fill(0, 5000 * dim);
const after = await hyperAttention({ ...causal, queries: { data: changed, ...one } }, options);
const moved = before.value.output.data
  .subarray(0, 5000 * dim)
  .findIndex((x, i) => x !== after.value.output.data[i]);
console.log(`\nqueries 5000 … changed: ${moved === -1 ? 'no earlier row moved' : 'an earlier row moved'}`);
if (moved !== -1) throw new Error('causality is broken');

// The cheapest parameters for a wanted error.
const { best } = await tuneAttention(input, { target: 0.2 });
if (best) {
  const { blockSize, sampleSize, hashBits } = best.options;
  console.log(
    `20 % of error: b = ${blockSize}, m = ${sampleSize}, hash bits ${hashBits}, ${(100 * best.cost).toFixed(1)} % of the pairs`,
  );
}
