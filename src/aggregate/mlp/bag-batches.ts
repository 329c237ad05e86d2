// Steps made of whole bags: a bag that is split has another loss, so nothing here can split one.

import { type Rng, shuffle } from '../../core/rng.ts';
import type { Tensors } from '../../training/index.ts';
import { type Bags, bagCount, bagMembers, bagSize } from '../bags/bags.ts';
import type { AggregateData } from '../types.ts';

/** What steps are cut from. */
export interface BagRows {
  /** Standardised features, shape (n, d). */
  features: Float32Array;
  columns: number;
  bags: Bags;
  /** Response of each bag, shape (bags,). */
  targets: Float64Array;
}

/** The one shape of all steps of a fit: shorter ones are filled up with rows and bags of weight 0. */
export interface StepShape {
  /** Bags in a step, ≥ 1. */
  bags: number;
  /** Rows of the largest possible step: the sum of the `bags` largest sizes. */
  rows: number;
  /** Steps of one pass over all bags. */
  steps: number;
}

export function stepShape(bags: Bags, bagsPerStep: number): StepShape {
  const count = Math.min(bagsPerStep, bagCount(bags));
  const sizes = Uint32Array.from({ length: bagCount(bags) }, (_, a) => bagSize(bags, a)).sort();
  const rows = sizes.subarray(sizes.length - count).reduce((sum, size) => sum + size, 0);
  return { bags: count, rows, steps: Math.ceil(sizes.length / count) };
}

/** Bags of each step of one pass, shuffled. @param rng - stream of this pass */
export function shuffledSteps(bags: Bags, shape: StepShape, rng: Rng): Uint32Array[] {
  const order = shuffle(
    Uint32Array.from({ length: bagCount(bags) }, (_, a) => a),
    rng,
  );
  return Array.from({ length: shape.steps }, (_, step) =>
    order.subarray(step * shape.bags, (step + 1) * shape.bags),
  );
}

/**
 * One step as arrays: `features` (rows, d); `average` (bags, rows), which takes outputs to their bag means; `targets` (bags,) and
 * `weights` (bags,), k_a over the mean number of rows in a step, so that steps are unbiased for the whole loss; `rowTargets` and `rowWeights` (rows,) likewise.
 *
 * @param chosen - bags of this step, at most shape.bags
 */
export function bagStep(
  { features, columns, bags, targets }: BagRows,
  chosen: Uint32Array,
  shape: StepShape,
): Tensors {
  const perStep = bags.members.length / shape.steps;
  const step = {
    features: new Float32Array(shape.rows * columns),
    average: new Float32Array(shape.bags * shape.rows),
    targets: new Float32Array(shape.bags),
    weights: new Float32Array(shape.bags),
    rowTargets: new Float32Array(shape.rows),
    rowWeights: new Float32Array(shape.rows),
  };
  let at = 0;
  chosen.forEach((bag, a) => {
    const members = bagMembers(bags, bag);
    step.targets[a] = targets[bag];
    step.weights[a] = members.length / perStep;
    for (const sample of members) {
      step.features.set(features.subarray(sample * columns, (sample + 1) * columns), at * columns);
      step.average[a * shape.rows + at] = 1 / members.length;
      step.rowTargets[at] = targets[bag];
      step.rowWeights[at] = 1 / perStep;
      at++;
    }
  });
  return {
    features: { shape: [shape.rows, columns], data: step.features },
    average: { shape: [shape.bags, shape.rows], data: step.average },
    targets: { shape: [shape.bags], data: step.targets },
    weights: { shape: [shape.bags], data: step.weights },
    rowTargets: { shape: [shape.rows], data: step.rowTargets },
    rowWeights: { shape: [shape.rows], data: step.rowWeights },
  };
}

/** The bags of some numbers, as bags of the same samples. */
export function takeBags(data: AggregateData, chosen: readonly number[]): AggregateData {
  const { bags, means, noiseVariance } = data;
  const offsets = new Uint32Array(chosen.length + 1);
  chosen.forEach((a, i) => {
    offsets[i + 1] = offsets[i] + bagSize(bags, a);
  });
  const members = new Uint32Array(offsets[chosen.length]);
  chosen.forEach((a, i) => {
    members.set(bags.members.subarray(bags.offsets[a], bags.offsets[a + 1]), offsets[i]);
  });
  const taken: Bags = { samples: bags.samples, members, offsets };
  return {
    ...data,
    bags: taken,
    means: Float64Array.from(chosen, (a) => means[a]),
    ...(noiseVariance ? { noiseVariance: Float64Array.from(chosen, (a) => noiseVariance[a]) } : {}),
  };
}
