// What a selection promises: the bound, what it rests on, and what the user should know.

import { type Assumption, type Bound, type Certificate, shortNumber } from '../core/certificate.ts';
import type { DominanceCheck } from './dominance.ts';
import { bernsteinDeviation } from './sample-size.ts';
import type { ScoreModel } from './score-rows.ts';
import type { SamplingScheme } from './types.ts';

export interface CertificateInput {
  model: ScoreModel;
  scheme: SamplingScheme;
  /** s asked for. */
  size: number;
  failureProbability: number;
  /** Held-back check of the probes; undefined when nothing was probed. */
  dominance: DominanceCheck | undefined;
  /** Largest u·ℓ/p among the rows whose loss was looked at. */
  largestRatio: number;
  /** Largest u/p of all rows. */
  largestStep: number;
  /** Σu. */
  population: number;
  /** Upper bound of every loss, when the caller knows one. */
  maxLoss: number | undefined;
  /** Every row is its own representative, so every loss is known. */
  allKnown: boolean;
  /** The sample holds every row that has weight. */
  everything: boolean;
  /** Where the clusters come from. */
  partition: 'k-means' | 'given';
  /** Estimated Σuℓ. */
  total: number;
  seed: number;
  backend: string;
  warnings: string[];
}

/**
 * R with u·ℓ ≤ R·p for every row is all that Bernstein's inequality needs; then |estimate − Σuℓ| ≤ ε(s, δ)·R.
 *
 * ℓ ≤ σ gives R = T/(1−α). A known ℓ ≤ M gives R = M·max u/p with no assumption on the scores. When losses seen lie above, R
 * is raised to cover them all, and the assumption is reported as violated.
 */
export function selectionCertificate(input: CertificateInput): Certificate {
  const { model, scheme, seed, backend, dominance, maxLoss, allKnown, everything } = input;
  const warnings = [...input.warnings];
  const unconditional = allKnown || everything || maxLoss !== undefined;
  if (scheme === 'gumbel' && !everything) {
    warnings.push(
      'No deviation bound is proved for gumbel samples: use the interval of estimateTotal instead.',
    );
  } else if (!unconditional && input.largestRatio > scoreRange(model) * (1 + 1e-9)) {
    warnings.push(
      `A loss seen lies above its score: the bound is ${shortNumber(input.largestRatio / scoreRange(model))}× that of ` +
        'ε·T/(1−α), so that it covers every loss seen; rows nobody looked at may still exceed it. ' +
        'The interval of estimateTotal does not rest on the scores.',
    );
  }
  if (!unconditional && !dominance) {
    warnings.push('Nothing was probed: whether the scores bound the losses was not looked at.');
  }
  return {
    statement: '|Σ weight·loss of the sample − Σ loss of all rows|',
    source: everything || allKnown ? 'derived: every loss enters' : sourceOf(scheme),
    assumptions: [dominanceAssumption(input), schemeAssumption(input), clusteringAssumption(input)],
    bound: boundOf(input),
    seed,
    backend,
    warnings,
  };
}

/** T/(1−α): the range R when ℓ ≤ σ. Infinity for a uniform sample. */
function scoreRange({ total, alpha }: ScoreModel): number {
  return alpha < 1 ? total / (1 - alpha) : Infinity;
}

/** R of the bound: an upper bound of u·ℓ/p over all rows, as far as is known. */
export function errorRange(
  input: Pick<CertificateInput, 'model' | 'largestRatio' | 'largestStep' | 'maxLoss' | 'allKnown'>,
): number {
  if (input.allKnown) return input.largestRatio;
  if (input.maxLoss !== undefined) return input.maxLoss * input.largestStep;
  return Math.max(scoreRange(input.model), input.largestRatio);
}

function boundOf(input: CertificateInput): Bound {
  const { model, scheme, size, failureProbability, maxLoss, allKnown, everything } = input;
  const scale = input.total > 0 ? { scale: input.total } : {};
  if (everything || (allKnown && model.alpha === 0 && scheme === 'hansen-hurwitz')) {
    // Exact but for rounding: n products, and a sum of them.
    const value = model.scores.length * Number.EPSILON * input.total;
    return { value, unit: 'loss units', failureProbability: 0, ...scale };
  }
  const range = errorRange(input);
  let total = range;
  if (allKnown) total = input.total;
  else if (maxLoss !== undefined) total = Math.min(range, maxLoss * input.population);
  const bounded = scheme !== 'gumbel' && range < Infinity;
  return {
    value: bounded ? bernsteinDeviation({ draws: size, range, total, failureProbability }) : Infinity,
    unit: 'loss units',
    failureProbability,
    ...scale,
  };
}

function dominanceAssumption({
  model,
  dominance,
  allKnown,
  everything,
  maxLoss,
}: CertificateInput): Assumption {
  if (allKnown || everything) return { statement: 'every loss is known or in the sample', status: 'proved' };
  if (maxLoss !== undefined) {
    return {
      statement: `ℓ(e) ≤ ${shortNumber(maxLoss)} for every row, as the caller states`,
      status: 'assumed',
    };
  }
  const statement =
    model.mode === 'paper'
      ? 'ℓ(e) ≤ σ(e) for every row (losses well-behaved in the embedding)'
      : 'ℓ(e) ≤ σ(e) for every row';
  if (!dominance || dominance.checked === 0) return { statement, status: 'assumed' };
  return {
    statement,
    status: dominance.above > 0 ? 'violated' : 'checked',
    measured: dominance.above / dominance.checked,
    measure: `share of ${dominance.checked} held-back probes above σ`,
  };
}

function schemeAssumption({ scheme, model: { alpha } }: CertificateInput): Assumption {
  const drawn = {
    'hansen-hurwitz': 'rows are drawn independently from p',
    'fixed-size': 'rows are drawn by the pivotal method with Σπ = s',
    poisson: 'rows are drawn independently of each other with Σπ = s',
    gumbel: 'rows are kept by hash-keyed exponential times',
  }[scheme];
  return { statement: `${drawn}, uniform floor α = ${alpha}`, status: 'proved' };
}

function clusteringAssumption({ partition }: CertificateInput): Assumption {
  return {
    statement: `the clustering (${partition}) is within a constant factor of the best: only the size of T rests on it`,
    status: 'assumed',
  };
}

function sourceOf(scheme: SamplingScheme): string {
  const paper = 'arXiv 2402.17327, sampling theorem';
  if (scheme === 'hansen-hurwitz') return `${paper}; derived: ln(2/δ), floor`;
  if (scheme === 'gumbel') return 'derived: unbiased, no deviation bound';
  return `${paper}; derived: holds without repeats too`;
}
