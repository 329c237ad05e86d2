// The exact, slow, obvious twin of losses and fits: sums by definition, elimination, and long gradient descent.

import { bagMembers } from './bags/bags.ts';
import type { AggregateData } from './types.ts';

type PlainLoss = 'square' | 'logistic' | 'poisson';

const plain: Record<PlainLoss, { mean(eta: number): number; loss(y: number, mean: number): number }> = {
  square: { mean: (eta) => eta, loss: (y, mean) => (y - mean) ** 2 },
  logistic: {
    mean: (eta) => 1 / (1 + Math.exp(-eta)),
    loss: (y, p) => -y * Math.log(p) - (1 - y) * Math.log(1 - p),
  },
  poisson: { mean: (eta) => Math.exp(eta), loss: (y, rate) => rate - y * Math.log(rate) },
};

/** (1 − ρ) L_bag + ρ L_ins by definition, bags weighted by size; predictions η of a bag are averaged as means or on the link scale. */
export function plainInterpolatingLoss(
  predictions: ArrayLike<number>,
  { bags, means }: Pick<AggregateData, 'bags' | 'means'>,
  rho: number,
  loss: PlainLoss = 'square',
  aggregateIn: 'mean' | 'link' = 'mean',
): number {
  const { mean, loss: of } = plain[loss];
  let bagLevel = 0;
  let instanceLevel = 0;
  for (let a = 0; a < means.length; a++) {
    const etas = Array.from(bagMembers(bags, a), (i) => predictions[i]);
    const average = (values: number[]): number => values.reduce((s, x) => s + x, 0) / values.length;
    const bagMean = aggregateIn === 'link' ? mean(average(etas)) : average(etas.map(mean));
    bagLevel += etas.length * of(means[a], bagMean);
    for (const eta of etas) instanceLevel += of(means[a], mean(eta));
  }
  return ((1 - rho) * bagLevel + rho * instanceLevel) / bags.members.length;
}

/** (intercept, coefficients) with M and b by definition, a column of ones, and Gauss-Jordan elimination; sizes as weights. */
export function plainLinearFit(data: AggregateData, rho: number, ridge: number = 0): Float64Array {
  const { features, bags, means } = data;
  const width = features.cols + 1;
  const rowOf = (i: number): number[] => [
    1,
    ...features.data.subarray(i * features.cols, (i + 1) * features.cols),
  ];
  const rows = Array.from({ length: width }, () => new Array<number>(width + 1).fill(0));
  for (let a = 0; a < means.length; a++) {
    const members = Array.from(bagMembers(bags, a), rowOf);
    const mean = members[0].map((_, j) => members.reduce((s, x) => s + x[j], 0) / members.length);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        rows[i][j] += (1 - rho) * members.length * mean[i] * mean[j];
        for (const x of members) rows[i][j] += rho * x[i] * x[j];
      }
      rows[i][width] += members.length * mean[i] * means[a];
    }
  }
  for (let j = 1; j < width; j++) rows[j][j] += ridge;
  for (let c = 0; c < width; c++) {
    let pivot = c;
    for (let r = c; r < width; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    rows[c] = rows[c].map((x) => x / rows[c][c]);
    for (let r = 0; r < width; r++) {
      if (r !== c) rows[r] = rows[r].map((x, j) => x - rows[r][c] * rows[c][j]);
    }
  }
  return Float64Array.from(rows, (r) => r[width]);
}

/**
 * Gradient descent with a fixed step, to the last bit if it runs long enough: values, which are flat near a minimum, play no part.
 *
 * @param gradient - at a point, same shape
 * @param step - below 2 / the greatest curvature
 */
export function gradientDescent(
  gradient: (point: Float64Array) => Float64Array,
  start: Float64Array,
  { step, iterations }: { step: number; iterations: number },
): Float64Array {
  let point = start;
  for (let t = 0; t < iterations; t++) {
    const slope = gradient(point);
    point = point.map((x, j) => x - step * slope[j]);
  }
  return point;
}
