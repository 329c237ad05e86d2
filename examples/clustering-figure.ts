// Draws docs/images/clustering.svg: how far each way of choosing the first centers leaves k-means from the best it finds.
// Run: node --conditions=provably-source examples/clustering-figure.ts docs/images/clustering.svg

import { writeFile } from 'node:fs/promises';
import { kMeans, SEEDING_METHODS } from 'provably/clustering';
import { gaussianMixture } from 'provably/datasets';
import { renderChart, resolveTheme } from 'provably/report';

const { points } = gaussianMixture({ rows: 20_000, cols: 16, clusters: 100, spread: 3, seed: 2 });
const runs: { init: string; inertias: number[] }[] = [];
for (const init of SEEDING_METHODS) {
  const all: number[][] = [];
  for (let seed = 0; seed < 5; seed++) {
    const { history } = await kMeans(points, { k: 100, init, seed, tolerance: 0, maxIterations: 30 });
    all.push(history.map(({ inertia }) => inertia));
  }
  // Median over the seeds; a run that has converged stays where it is.
  const passes = Array.from({ length: 30 }, (_, i) => i);
  const inertias = passes.map(
    (i) => all.map((run) => run[Math.min(i, run.length - 1)]).sort((a, b) => a - b)[2],
  );
  runs.push({ init, inertias });
}
const best = Math.min(...runs.flatMap(({ inertias }) => inertias));
for (const { init, inertias } of runs) {
  console.log(
    `${init}: ${[0, 4, 29].map((i) => `pass ${i + 1} ${(inertias[i] / best).toFixed(2)}`).join(', ')}`,
  );
}
const svg = await renderChart({
  kind: 'line',
  title: 'Where k-means ends depends on where it starts',
  description:
    'Inertia over the least found, median of 5 seeds: 20 000 rows in 16 columns from 100 normal distributions, k = 100. Iterating does not make up for a poor start.',
  x: { label: 'passes over the data', scale: 'log' },
  y: { label: 'inertia ÷ least found', scale: 'log' },
  series: runs.map(({ init, inertias }) => ({
    name: init,
    points: inertias.map((inertia, i) => ({ x: i + 1, y: inertia / best })),
  })),
});
const path = process.argv[2];
// A ground of its own: the picture must be readable on a dark page too.
if (path) await writeFile(path, resolveTheme(svg, 'light').replace('background:none', 'background:#ffffff'));
