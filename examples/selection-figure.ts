// Draws docs/images/selection-error.svg: error against sample size, promised, predicted and exact, for three kinds of score.
// Run: node --conditions=provably-source examples/selection-figure.ts docs/images/selection-error.svg

import { writeFile } from 'node:fs/promises';
import { createRng } from 'provably';
import { gaussianMixture } from 'provably/datasets';
import { renderChart, resolveTheme } from 'provably/report';
import { exactTotal, exactVariance, selectData } from 'provably/selection';

// Losses that follow the embedding, and 1 % label errors that do not.
const { points, losses } = gaussianMixture({ rows: 20_000, cols: 16, clusters: 60, lambda: 0.1, seed: 1 });
const rng = createRng(5);
for (let e = 0; e < losses.length; e++) if (rng.next() < 0.01) losses[e] += 6;
const total = exactTotal(losses);
const loss = (ids: Uint32Array): Float64Array => Float64Array.from(ids, (id) => losses[id]);

const sizes = [50, 100, 200, 400, 800];
const uniform = new Float64Array(losses.length).fill(1 / losses.length);
const percent = (p: Float64Array, s: number): number =>
  (100 * Math.sqrt(exactVariance(losses, p, s))) / total;
const series = [{ name: 'uniform', points: sizes.map((s) => ({ x: s, y: percent(uniform, s) })) }];
for (const [name, options] of [
  ['robust (default)', {}],
  ['balanced', { mode: 'balanced' }],
  ['paper, Λ estimated', { mode: 'paper', alpha: 0 }],
] as const) {
  const { value } = await selectData(points, {
    loss,
    size: 400,
    k: 80,
    scheme: 'hansen-hurwitz',
    ...options,
  });
  series.push({ name, points: sizes.map((s) => ({ x: s, y: percent(value.model.probabilities, s) })) });
  if (name.startsWith('robust')) {
    console.log(`robust: predicted ${(100 * value.predicted.relativeError).toFixed(2)} % at s = 400`);
  }
}
for (const { name, points: line } of series) {
  console.log(`${name}: ${line.map(({ x, y }) => `s=${x} ${y.toFixed(2)} %`).join(', ')}`);
}
const svg = await renderChart({
  kind: 'line',
  title: 'Error of the estimated total loss',
  description:
    'Relative standard error by the exact variance identity, 20 000 rows with 1 % label errors, 80 clusters. All fall as 1/√s; how high they lie depends on the scores.',
  x: { label: 'rows drawn s', scale: 'log' },
  y: { label: 'relative standard error (%)', scale: 'log' },
  series,
});
const path = process.argv[2];
// A ground of its own: the picture must be readable on a dark page too.
if (path) await writeFile(path, resolveTheme(svg, 'light').replace('background:none', 'background:#ffffff'));
