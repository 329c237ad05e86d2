// Cluster 30 000 rows, see that every way of assigning gives the same clusters, do it again in passes over blocks, and pick a row
// to speak for each cluster. Run: node --conditions=provably-source examples/clustering.ts

import { matrixSource } from 'provably';
import { kCenterGreedy, kMeans, miniBatchKMeans, roundToMedoids } from 'provably/clustering';
import { gaussianMixture } from 'provably/datasets';

const k = 60;
const mixture = gaussianMixture({ rows: 30_000 + k, cols: 32, clusters: k, spread: 1, seed: 1 });
// Without the first k rows, which are the centers of the mixture themselves.
const points = { data: mixture.points.data.subarray(k * 32), rows: 30_000, cols: 32 };

const clustering = await kMeans(points, { k, seed: 7 });
const { inertia, iterations, counts, backend } = clustering;
console.log(`k-means: inertia ${inertia.toFixed(0)} after ${iterations} iterations (${backend})`);
console.log(`clusters of ${Math.min(...counts)} to ${Math.max(...counts)} rows`);

// Bounds save comparisons, never change a label.
for (const algorithm of ['lloyd', 'hamerly', 'yinyang'] as const) {
  const other = await kMeans(points, { k, seed: 7, algorithm });
  const same = other.labels.every((label, i) => label === clustering.labels[i]);
  const scanned = other.history.reduce((sum, pass) => sum + pass.scanned, 0) / (iterations * points.rows);
  console.log(`  ${algorithm}: same labels ${same}, ${(100 * scanned).toFixed(0)} % of the rows looked at`);
}

// A source is anything that delivers rows in blocks, such as a table on disk. Nothing but a sample is held.
const outOfCore = await kMeans(matrixSource(points), { k, seed: 7, trainRowsPerCenter: 100 });
console.log(`from ${100 * k} of the rows: inertia ${(outOfCore.inertia / inertia).toFixed(3)} times that`);
const miniBatch = await miniBatchKMeans(points, { k, seed: 7 });
console.log(`by mini-batches: ${(miniBatch.inertia / inertia).toFixed(3)} times`);

const { medoids, distances } = await roundToMedoids(points, clustering);
const potential = distances.reduce((sum, distance) => sum + distance, 0);
console.log(
  `rows ${medoids.slice(0, 4).join(', ')}, … stand for their clusters at ${(potential / inertia).toFixed(2)} times`,
);

const { radius } = await kCenterGreedy(points, { k, seed: 7 });
console.log(
  `k-center: every row within ${radius.toFixed(2)} of one of ${k} rows, at most twice the least possible`,
);
