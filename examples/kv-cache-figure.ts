// Draws docs/images/kv-cache-policies.svg: how far each cache is off, against the bytes it holds.
// Run: node --conditions=provably-source examples/kv-cache-figure.ts docs/images/kv-cache-policies.svg

import { writeFile } from 'node:fs/promises';
import { plantedStream } from 'provably/datasets';
import { type ComparedPolicy, comparePolicies } from 'provably/kv-cache';
import { renderChart, resolveTheme } from 'provably/report';

const dim = 32;
const shape = { heads: 1, keyHeads: 1, dim, valueDim: dim };
const { keys, values, centers, groups } = plantedStream({ rows: 3000, dim, clusters: 64 });
// A query looks for the group of its token.
const queries = keys.data.map((_, i) => centers.data[groups[Math.floor(i / dim)] * dim + (i % dim)]);
const stream = { keys: keys.data, values: values.data, queries };

const policies: ComparedPolicy[] = [
  { policy: 'sink-window' },
  { policy: 'uniform' },
  { policy: 'h2o' },
  { policy: 'keydiff' },
  { policy: 'k-center', recent: 16, name: 'k-center, select' },
  { policy: 'hybrid', recent: 16, secondOrder: false },
];
const points = new Map<string, { x: number; y: number }[]>();
for (const kilobytes of [20, 40, 60, 80, 100, 130, 160, 200, 260]) {
  const options = { policies, bytes: 1000 * kilobytes, queries: 60 };
  for (const { name, bytes, relativeError } of await comparePolicies(shape, stream, options)) {
    const line = points.get(name) ?? [];
    points.set(name, [...line, { x: bytes / 1000, y: relativeError }]);
    console.log(`${name} at ${bytes} bytes: ${relativeError.toPrecision(3)}`);
  }
}
const svg = await renderChart({
  kind: 'line',
  title: 'Error of a cache against the bytes it holds',
  description:
    'Relative error of the output after 3000 tokens of 64 groups (768 kB as float32), mean of 60 queries that look for a group. Caches of centers change all at once when they have as many centers as there are groups.',
  x: { label: 'bytes held (kB)' },
  y: { label: 'relative error', scale: 'log' },
  series: [...points].map(([name, line]) => ({ name, points: line })),
});
const path = process.argv[2];
if (path) await writeFile(path, resolveTheme(svg, 'light').replace('background:none', 'background:#ffffff'));
