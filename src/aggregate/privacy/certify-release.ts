// What a release of discrete noise promises, in figures: errors with their exact chance, and what privacy rests on.

import type { Assumption, Certificate } from '../../core/certificate.ts';
import { type Bags, bagCount, bagSize } from '../bags/bags.ts';
import { discreteLaplaceQuantile, discreteLaplaceTail } from './discrete-laplace.ts';
import type { ReleasePlan } from './release.ts';

const PUBLIC = 'features, membership and sizes of the bags are public or protected elsewhere';

/**
 * Bounds of |mean − mean of the clipped labels|, one a bag, and the certificate that holds them.
 *
 * The noise of m bags is independent, so all |Z| ≤ z hold together with probability exactly (1 − P(|Z| > z))^m; rounding to the grid adds half a step.
 */
export function certifyRelease(
  bags: Bags,
  { grid, epsilon, scale, failureProbability }: ReleasePlan,
  kind: 'private' | 'simulated',
): { errorBounds: Float64Array; certificate: Certificate } {
  const count = bagCount(bags);
  const perBag = -Math.expm1(Math.log1p(-failureProbability) / count);
  const z = discreteLaplaceQuantile(scale, perBag);
  const errorBounds = Float64Array.from(
    { length: count },
    (_, a) => (grid.step * z) / bagSize(bags, a) + grid.step / 2,
  );
  const privacy =
    kind === 'private'
      ? `ε-label-DP with ε = ${epsilon} for replacing one label (c labels of one person: c·ε)`
      : `NOT private (simulated); the same mechanism with secret bits would give ε = ${epsilon} for replacing one label`;
  return {
    errorBounds,
    certificate: {
      statement: `${privacy}; |released mean − mean of the clipped labels| in every bag`,
      source:
        'label privacy of arXiv 2402.04987 and 2401.11081; exact tail of the discrete Laplace distribution, derived',
      assumptions: kind === 'private' ? privateAssumptions() : simulatedAssumptions(),
      bound: {
        value: errorBounds.reduce((a, b) => Math.max(a, b), 0),
        unit: 'label units',
        failureProbability: -Math.expm1(count * Math.log1p(-discreteLaplaceTail(scale, z))),
        scale: grid.high - grid.low,
      },
      seed: 0,
      backend: 'none',
      warnings:
        kind === 'private'
          ? warningsOf(epsilon)
          : ['simulated noise: whoever knows the seed can take it off'],
    },
  };
}

function privateAssumptions(): Assumption[] {
  return [
    { statement: 'bags are disjoint, so that a label is in one sum only', status: 'proved' },
    { statement: 'noise has scale ≥ Δ/ε on whole numbers, drawn exactly', status: 'proved' },
    { statement: 'bounds and grid are constants known without the labels', status: 'assumed' },
    { statement: 'bits of crypto.getRandomValues are uniform, independent and unseen', status: 'assumed' },
    { statement: 'the time of the call is not observed', status: 'assumed' },
    { statement: PUBLIC, status: 'assumed' },
  ];
}

function simulatedAssumptions(): Assumption[] {
  return [
    { statement: 'bags are disjoint', status: 'proved' },
    { statement: 'bits of the seeded generator are uniform and independent', status: 'assumed' },
  ];
}

/** Beyond this a likelihood ratio of e^ε distinguishes any two labels well: exp(5) ≈ 148. */
const WEAK_EPSILON = 5;

function warningsOf(epsilon: number): string[] {
  return epsilon > WEAK_EPSILON
    ? [
        `epsilon ${epsilon} protects little: one answer may be e^${epsilon} times likelier under one label than under another`,
      ]
    : [];
}
