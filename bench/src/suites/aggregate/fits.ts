// Models from bag means. Error of a path: the largest difference of a coefficient from that of a single fit; of a logistic fit: from that of
// scikit-learn's newton-cholesky run to 1e-12. What scikit-learn reaches at its tolerance is printed beside.

import {
  type AggregateData,
  bagMeans,
  fitGlm,
  fitLinear,
  fitLinearPath,
  randomBags,
} from '../../../../src/aggregate/index.ts';
import { createRng } from '../../../../src/core/rng.ts';
import { type Case, type Contest, timed } from '../../measure.ts';
import { PythonPeer } from '../../peer.ts';
import { useThreads } from '../../threads.ts';

const BAG = 5;

export function* fitCases(): Generator<Case> {
  yield {
    name: 'path of 100 rho n=100000 d=50 vs one fit of ours (bar: ratio 0.33)',
    unit: 's',
    work: 1,
    setUp: () => pathAgainstFit(100_000, 50),
  };
  for (const [n, d] of [
    [100_000, 50],
    [10_000, 20],
  ]) {
    for (const [solver, tolerance] of [
      ['lbfgs', 1e-4],
      ['lbfgs', 1e-8],
      ['newton-cholesky', 1e-8],
    ] as const) {
      yield {
        name: `logistic n=${n} d=${d} bags of ${BAG} vs scikit-learn ${solver} tol=${tolerance} 1 thread`,
        unit: 's',
        work: 1,
        setUp: () => againstScikitLearn(n, d, solver, tolerance),
      };
    }
  }
}

function makeData(n: number, d: number, binary: boolean): AggregateData {
  const rng = createRng(1);
  const features = { data: Float64Array.from({ length: n * d }, () => rng.normal()), rows: n, cols: d };
  const theta = Float64Array.from({ length: d }, () => (2 * rng.normal()) / Math.sqrt(d));
  const labels = Float64Array.from({ length: n }, (_, i) => {
    let eta = -0.5;
    for (let j = 0; j < d; j++) eta += theta[j] * features.data[i * d + j];
    return binary ? Number(rng.next() < 1 / (1 + Math.exp(-eta))) : eta + rng.normal();
  });
  const bags = randomBags({ samples: n, size: BAG, seed: 1 });
  return { features, bags, means: bagMeans(labels, bags) };
}

async function pathAgainstFit(n: number, d: number): Promise<Contest> {
  const data = makeData(n, d, false);
  const rhos = Float64Array.from({ length: 100 }, (_, i) => i / 99);
  return {
    check: async () => {
      const path = await fitLinearPath(data, rhos);
      let error = 0;
      for (const r of [0, 7, 50, 99]) {
        const { value } = await fitLinear(data, { rho: rhos[r] });
        value.coefficients.forEach((x, j) => {
          error = Math.max(error, Math.abs(x - path.coefficients[r][j]));
        });
      }
      return error;
    },
    ours: () => timed(() => fitLinearPath(data, rhos)),
    peer: () => timed(() => fitLinear(data, { rho: 0.3 })),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function againstScikitLearn(
  n: number,
  d: number,
  solver: 'lbfgs' | 'newton-cholesky',
  tolerance: number,
): Promise<Contest> {
  const data = makeData(n, d, true);
  const { bags, means } = data;
  const soft = new Float64Array(n);
  for (let a = 0; a < means.length; a++) {
    for (let i = bags.offsets[a]; i < bags.offsets[a + 1]; i++) soft[bags.members[i]] = means[a];
  }
  const ridge = 1e-8 * n;
  const restoreThreads = useThreads(1);
  const peer = new PythonPeer('glm', 1);
  await peer.call('load', {
    features: peer.share('features', data.features.data),
    labels: peer.share('labels', soft),
    rows: n,
    cols: d,
  });
  const fit = () => fitGlm(data, { family: 'logistic', rho: 1, ridge });
  return {
    check: async () => {
      const { value } = await fit();
      const exact = { ridge, solver: 'newton-cholesky', tolerance: 1e-12 };
      const best = await peer.call<number[]>('coefficients', exact);
      const theirs = await peer.call<number[]>('coefficients', { ridge, solver, tolerance });
      const distance = (found: ArrayLike<number>): number =>
        Math.max(...best.map((x, j) => Math.abs(x - found[j])));
      // Their error belongs beside their time: a fit that stops early is a cheap one.
      console.error(`${solver} tol=${tolerance}: error ${distance(theirs).toExponential(1)}`);
      return distance([value.intercept, ...value.coefficients]);
    },
    ours: () => timed(fit),
    peer: () => peer.call<number>('fit', { ridge, solver, tolerance }),
    [Symbol.asyncDispose]: async () => {
      restoreThreads();
      await peer[Symbol.asyncDispose]();
    },
  };
}
