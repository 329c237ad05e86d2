// SubGen's theorem with constants: how far one answer of the sampled sketch is off, but for a given chance.

import type { Assumption } from '../core/certificate.ts';
import type { SubGenCache } from './policies/subgen.ts';

export interface SubGenBound {
  /** ‖õ − o‖ / (‖softmax‖₂ ‖V‖_op) of every answer is at most this, but for the chance given; Infinity where nothing is known. */
  epsilon: number;
  assumptions: Assumption[];
  warnings: string[];
}

/**
 * The bound for queries of length at most r, scale · ‖q‖ ≤ r.
 *
 * With w_i = e^{s_i}, Z = Σ w and o the exact output: E‖z − Zo‖² ≤ μ Σ w² / s, and μ = ‖V‖_F² ≤ d_v ‖V‖_op², so ‖z − Zo‖ ≤ a Z ‖softmax‖₂ ‖V‖_op with
 * a = √(d_v / (s η)) but for a chance η (Chebyshev). Keys of a cluster are within δ of its first, so logits within it differ by 2δr at most, the variance of
 * w there is at most sinh²(δr) of the squared mean (Kantorovich), and |τ − Z| ≤ b Z with b = sinh(δr) / √(t η). As ‖o‖ ≤ ‖softmax‖₂ ‖V‖_op,
 * ‖z/τ − o‖ ≤ (a + b) / (1 − b) of that. At 1 it is vacuous, for 0 is as good an answer.
 *
 * @param answers - of how many it shall hold, queries times heads: η is chance / (2 answers)
 *
 * Source: arXiv 2402.06082, main theorem (t = O(ε⁻² e^{2δr} log n), s = O(ε⁻² d)); the constants are derived.
 */
export function subGenBound(cache: SubGenCache, r: number, answers: number, chance: number): SubGenBound {
  const { keyHeads, valueDim } = cache.shape;
  const { delta, clusterSamples: t, valueSamples: s, selfNormalised } = cache.settings;
  const eta = chance / (2 * answers);
  const spread = r === 0 ? 0 : delta * r;
  const a = Math.sqrt(valueDim / (s * eta));
  const b = Math.sinh(spread) / Math.sqrt(t * eta);
  const epsilon = !selfNormalised && b < 1 ? (a + b) / (1 - b) : Infinity;
  const clusters = Math.max(...Array.from({ length: keyHeads }, (_, head) => cache.clusters(head)));
  const scattered = cache.tokens > 1 && clusters > cache.tokens / 2;
  return {
    epsilon,
    assumptions: [
      { statement: 'slots are independent, and uniform or ∝ ‖v‖² at every step', status: 'proved' },
      { statement: 'keys of a cluster are within δ of its first', status: 'proved' },
      { statement: 'queries do not depend on the samples', status: 'assumed' },
      {
        statement: 'e^{2δr} is small against t',
        status: b < 1 ? 'checked' : 'violated',
        // JSON knows no infinity.
        measured: Math.min(spread, Number.MAX_VALUE),
        measure: 'δr, r the largest scale · ‖q‖',
      },
      {
        statement: 'keys cluster: m = o(n)',
        status: scattered ? 'violated' : 'checked',
        measured: clusters,
        measure: `clusters of ${cache.tokens} keys, the most of any key head`,
      },
    ],
    warnings: [
      ...(selfNormalised
        ? ['Numerator and denominator from the same samples are consistent, but no bound is known for them.']
        : epsilon < 1
          ? []
          : [remedy(spread, r, { valueDim, eta, s, t })]),
      ...(scattered
        ? [
            `${clusters} clusters of ${cache.tokens} keys: these do not cluster at δ = ${delta}, so little is saved.`,
          ]
        : []),
    ],
  };
}

/** Both errors at 1/4 make (1/4 + 1/4) / (1 − 1/4) < 1. */
function remedy(
  spread: number,
  r: number,
  { valueDim, eta, s, t }: { valueDim: number; eta: number; s: number; t: number },
): string {
  const valueSamples = Math.ceil((16 * valueDim) / eta);
  const clusterSamples = Math.ceil((16 * Math.sinh(spread) ** 2) / eta);
  const more = [
    ...(s < valueSamples ? [`valueSamples of ${valueSamples}`] : []),
    ...(t < clusterSamples
      ? [
          `${clusterSamples < 1e6 ? `clusterSamples of ${clusterSamples}, or ` : ''}delta of ${Number((Math.LN2 / (2 * r)).toPrecision(3))}, where weights within a cluster differ twofold`,
        ]
      : []),
  ];
  return `The bound is vacuous at δr = ${Number(spread.toPrecision(3))}; it takes ${more.join(' and ')}.`;
}
