// Draws docs/images/attention-map.svg: attention in the order of its hash buckets, with the blocks and samples of HyperAttention over it.
// Run: node --conditions=provably-source examples/attention-figure.ts docs/images/attention-map.svg

import { writeFile } from 'node:fs/promises';
import { type AttentionInput, attentionMap, hyperAttention } from 'provably/attention';
import { plantedAttention } from 'provably/datasets';
import { renderChart, resolveTheme } from 'provably/report';

const rows = 1024;
const planted = plantedAttention({ rows, clusters: 16, strength: 8, seed: 1 });
const one = { batch: 1, heads: 1, rows, cols: planted.queries.cols };
const input: AttentionInput = {
  queries: { data: planted.queries.data, ...one },
  keys: { data: planted.keys.data, ...one },
  values: { data: planted.values.data, ...one },
};
const { value } = await hyperAttention(input, {
  blockSize: 64,
  sampleSize: 64,
  minSequence: 1,
  certifyRows: 0,
  seed: 1,
});
const { bins, values, blocks, samples } = attentionMap(input, value.trace, { bins: 96, rowsPerBin: 8 });
const inBlocks = blocks.reduce(
  (sum, block) => sum + (block.rows[1] - block.rows[0]) * (block.keys[1] - block.keys[0]),
  0,
);
console.log(
  `blocks cover ${((100 * inBlocks) / rows ** 2).toFixed(2)} % of the pairs; ${samples.length} keys are sampled`,
);
const svg = await renderChart({
  kind: 'shade-map',
  title: 'Attention, sorted by hash',
  description:
    'Attention of 1024 queries to 1024 keys in 16 clusters, queries and keys in the order of their hash buckets. The mass lies in rectangles near the diagonal; blocks of 64 keys cover part of each, sampled keys stand for the rest.',
  value: 'n · p (1: uniform)',
  x: { label: 'keys by bucket', end: rows },
  y: { label: 'queries by bucket', end: rows },
  rows: bins,
  columns: bins,
  values,
  outlines: {
    name: 'block, exact',
    rectangles: blocks.map((block) => ({ x: block.keys, y: block.rows })),
  },
  ticks: { name: 'sampled keys', positions: [...samples] },
});
const path = process.argv[2];
// A ground of its own: the picture must be readable on a dark page too.
if (path) await writeFile(path, resolveTheme(svg, 'light').replace('background:none', 'background:#ffffff'));
