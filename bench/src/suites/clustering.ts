// Assignment to the nearest center and one Lloyd iteration (assignment and sums). Error: against faiss, the share of labels that
// differ; else the largest relative error of sampled distances against a plain loop in float64.

import { availableParallelism } from 'node:os';
import { createRng, sampleIndices } from '../../../src/core/rng.ts';
import { gaussianMixture } from '../../../src/data/datasets/index.ts';
import { type Kernels, loadKernels } from '../../../src/kernels/index.ts';
import { type Case, type Contest, timed } from '../measure.ts';
import { PythonPeer } from '../peer.ts';
import { threadsText } from '../threads.ts';

interface Data {
  points: Float32Array;
  rows: number;
  dim: number;
  centers: Float32Array;
  centerCount: number;
}

type Shape = Pick<Data, 'rows' | 'dim' | 'centerCount'>;

const LARGE: Shape = { rows: 200_000, dim: 128, centerCount: 1000 };
const SMALL: Shape = { rows: 20_000, dim: 64, centerCount: 50 };
const MEDIUM: Shape = { rows: 20_000, dim: 128, centerCount: 1000 };

export function* cases(): Generator<Case> {
  const several = availableParallelism() > 1;
  for (const threads of several ? [1, 2] : [1]) {
    const named = threadsText(threads);
    yield {
      name: `nearest ${textOf(LARGE)} ${named} vs faiss-cpu`,
      ...inSeconds(7),
      setUp: () => againstFaiss(LARGE, threads),
    };
    yield {
      name: `Lloyd iteration ${textOf(LARGE)} ${named} vs scikit-learn`,
      ...inSeconds(5),
      setUp: () => againstScikit(LARGE, threads),
    };
  }
  if (several) {
    yield {
      name: `nearest ${textOf(LARGE)} 2 threads vs 1`,
      ...inSeconds(7),
      setUp: () => amongUs(LARGE, { threads: 2 }, { threads: 1 }),
    };
    yield {
      name: `wasm nearest ${textOf(MEDIUM)} 2 workers vs 1`,
      ...inSeconds(7),
      setUp: () => amongUs(MEDIUM, { backend: 'wasm', threads: 2 }, { backend: 'wasm', threads: 1 }),
    };
  }
  yield {
    name: `wasm nearest ${textOf(SMALL)} 1 thread vs plain loop`,
    ...inSeconds(7),
    setUp: () => againstLoop(SMALL),
  };
  for (const peer of ['ml-kmeans', 'skmeans'] as const) {
    yield {
      name: `Lloyd iteration ${textOf(SMALL)} vs ${peer}`,
      ...inSeconds(5),
      setUp: () => againstNpm(SMALL, peer),
    };
  }
  yield {
    name: `Lloyd iteration ${textOf(MEDIUM)} vs ml-kmeans`,
    ...inSeconds(3),
    setUp: () => againstNpm(MEDIUM, 'ml-kmeans'),
  };
}

function inSeconds(rounds: number) {
  return { unit: 's', work: 1, rounds };
}

function textOf({ rows, dim, centerCount }: Shape): string {
  return `n=${rows} d=${dim} k=${centerCount}`;
}

async function againstFaiss(shape: Shape, threads: number): Promise<Contest> {
  const { data, peer } = await loadPeer(shape, threads);
  const side = ourSide(await loadKernels({ threads }), data);
  return {
    async check() {
      await side.assign();
      await peer.call('search');
      await peer.call('write_labels', { path: peer.pathOf('labels') });
      const theirs = new Uint32Array(peer.read('labels'));
      const share = side.labels.filter((label, i) => label !== theirs[i]).length / data.rows;
      // faiss decides by float32: near-ties may differ, and ours must then be the nearer.
      if (share > 1e-3) throw new Error(`labels differ from faiss for a share ${share} of the rows.`);
      side.exactError();
      return share;
    },
    ours: () => timed(side.assign),
    peer: () => peer.call<number>('search'),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function againstScikit(shape: Shape, threads: number): Promise<Contest> {
  const { data, peer } = await loadPeer(shape, threads);
  const side = ourSide(await loadKernels({ threads }), data);
  return {
    check: side.check,
    ours: () => timed(side.iterate),
    peer: () => peer.call<number>('lloyd'),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function loadPeer(shape: Shape, threads: number) {
  const data = gaussians(shape);
  const peer = new PythonPeer('clustering', threads);
  await peer.call('load', {
    points: peer.share('points', data.points),
    centers: peer.share('centers', data.centers),
    rows: data.rows,
    dim: data.dim,
    count: data.centerCount,
  });
  return { data, peer };
}

type Choice = Parameters<typeof loadKernels>[0];

async function amongUs(shape: Shape, ours: Choice, other: Choice): Promise<Contest> {
  const data = gaussians(shape);
  const [side, peer] = [ourSide(await loadKernels(ours), data), ourSide(await loadKernels(other), data)];
  return {
    check: side.check,
    ours: () => timed(side.assign),
    peer: () => timed(peer.assign),
    async [Symbol.asyncDispose]() {},
  };
}

/** The plain loop over typed arrays that anyone would write first. */
async function againstLoop(shape: Shape): Promise<Contest> {
  const data = gaussians(shape);
  const { points, rows, dim, centers, centerCount } = data;
  const side = ourSide(await loadKernels({ backend: 'wasm', threads: 1 }), data);
  const labels = new Uint32Array(rows);
  const plain = async () => {
    for (let i = 0; i < rows; i++) {
      let best = Infinity;
      for (let j = 0; j < centerCount; j++) {
        let sum = 0;
        for (let p = 0; p < dim; p++) {
          const difference = points[i * dim + p] - centers[j * dim + p];
          sum += difference * difference;
        }
        if (sum < best) {
          best = sum;
          labels[i] = j;
        }
      }
    }
  };
  return {
    check: side.check,
    ours: () => timed(side.assign),
    peer: () => timed(plain),
    async [Symbol.asyncDispose]() {},
  };
}

/** One iteration from the same centers of a package that takes arrays of arrays. */
async function againstNpm(shape: Shape, peer: 'ml-kmeans' | 'skmeans'): Promise<Contest> {
  const data = gaussians(shape);
  const { centerCount, dim } = data;
  const side = ourSide(await loadKernels(), data);
  const nested = (values: Float32Array) =>
    Array.from({ length: values.length / dim }, (_, i) => [...values.subarray(i * dim, (i + 1) * dim)]);
  const [points, centers] = [nested(data.points), nested(data.centers)];
  // Optional packages of bench/, installed on first use: their types are not there when the repository is checked.
  const { kmeans, default: standard } = await import(peer as string);
  const iterate =
    peer === 'ml-kmeans'
      ? () => kmeans(points, centerCount, { initialization: centers, maxIterations: 1 })
      : () => standard(points, centerCount, centers, 1);
  return {
    check: side.check,
    ours: () => timed(side.iterate),
    peer: () => timed(async () => iterate()),
    async [Symbol.asyncDispose]() {},
  };
}

function ourSide(kernels: Kernels, data: Data) {
  const { points, rows, dim, centers, centerCount } = data;
  const labels = new Uint32Array(rows);
  const distances = new Float64Array(rows);
  const assign = () => kernels.nearest({ ...data, labels, distances });
  const exactError = () => {
    const rng = createRng(2);
    let worst = 0;
    for (const i of sampleIndices(rows, 200, rng)) {
      let best = Infinity;
      for (let j = 0; j < centerCount; j++) {
        let sum = 0;
        for (let p = 0; p < dim; p++) sum += (points[i * dim + p] - centers[j * dim + p]) ** 2;
        best = Math.min(best, sum);
      }
      // A center is a point of the data, whose distance is 0: then ours must be 0 as well.
      worst = Math.max(worst, Math.abs(distances[i] - best) / (best || Number.MIN_VALUE));
    }
    // Two sums of dim squares in float64, in different orders.
    if (!(worst <= 2 * (dim + 2) * Number.EPSILON))
      throw new Error(`a distance is off by ${worst} of itself.`);
    return worst;
  };
  return {
    labels,
    assign,
    exactError,
    async check() {
      await assign();
      return exactError();
    },
    async iterate() {
      await assign();
      const [sums, counts] = [new Float64Array(centerCount * dim), new Float64Array(centerCount)];
      await kernels.labelSums({ points, rows, dim, labels, centerCount, sums, counts });
      const means = new Float32Array(centerCount * dim);
      for (let x = 0; x < means.length; x++) means[x] = sums[x] / counts[Math.floor(x / dim)];
      return means;
    },
  };
}

/** Points around `centerCount` hidden means, and centers that are points: what a k-means meets in its first iterations. */
function gaussians({ rows, dim, centerCount }: Shape): Data {
  const { data: points } = gaussianMixture({
    rows,
    cols: dim,
    clusters: centerCount,
    spread: 1,
    seed: rows,
  }).points;
  const centers = new Float32Array(centerCount * dim);
  for (const [j, i] of sampleIndices(rows, centerCount, createRng(rows)).entries())
    centers.set(points.subarray(i * dim, (i + 1) * dim), j * dim);
  return { points, rows, dim, centers, centerCount };
}
