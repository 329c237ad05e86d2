// What is worth saying about a selection beside its bound.

import { shortNumber } from '../core/certificate.ts';
import type { LearnedScores } from './learn-scores.ts';
import type { SamplingScheme } from './types.ts';

export interface WarningInput {
  learned: LearnedScores;
  scheme: SamplingScheme;
  /** s asked for. */
  size: number;
  requestedK: number;
  effectiveSize: number;
  /** Draws or rows in the sample. */
  draws: number;
  /** Ids left out. */
  dropped: number;
}

/** Share of held-back probes above σ beyond which the robust and balanced scores are called into question. */
const TOLERATED_SHARE = 0.05;
const NAMED_CLUSTERS = 10;

/** Warnings in the order of their weight. */
export function selectionWarnings(input: WarningInput): string[] {
  const { learned, scheme, size, requestedK, effectiveSize, draws, dropped } = input;
  const { model, dominance, rowWeights } = learned;
  const warnings: string[] = [];
  if (model.total === 0) warnings.push('All scores are 0: the sample is uniform.');

  if (dominance && dominance.above > 0) {
    const share = dominance.above / dominance.checked;
    // The paper's mode rests on ℓ ≤ σ alone; the others have a floor that bounds the damage.
    if (model.mode === 'paper' || share > TOLERATED_SHARE) {
      const named = dominance.clusters.slice(0, NAMED_CLUSTERS).join(', ');
      const more =
        dominance.clusters.length > NAMED_CLUSTERS
          ? `, and ${dominance.clusters.length - NAMED_CLUSTERS} more`
          : '';
      warnings.push(
        `Assumption violated: ${dominance.above} of ${dominance.checked} held-back probes (${shortNumber(100 * share)} %) have losses above their scores, in clusters ${named}${more}.`,
      );
    }
  }

  const least = leastRelativeProbability(model.probabilities, rowWeights);
  if (least < 0.01) {
    warnings.push(
      `Some rows are drawn ${shortNumber(1 / least)}× more rarely than by uniform sampling (min p·n = ${shortNumber(least)}): ` +
        'if their losses are not small, the error is large. Raise alpha.',
    );
  }
  if (effectiveSize < size / 4 && draws >= size / 2) {
    warnings.push(
      `Weights are uneven: the effective sample size is ${shortNumber(effectiveSize)} of ${draws} rows. Raise alpha for a more even sample.`,
    );
  }
  if (model.proxies.length < requestedK) {
    warnings.push(
      `k was reduced from ${requestedK} to ${model.proxies.length}: there are no more distinct rows.`,
    );
  }
  if (scheme !== 'hansen-hurwitz' && size > draws && scheme !== 'poisson') {
    warnings.push(`Only ${draws} rows can be drawn; all of them were.`);
  }
  if (dropped > 0) warnings.push(`${dropped} rows were left out: their embeddings or losses are not finite.`);
  return warnings;
}

/** Smallest p·U/u of the rows that take part: 1 for a uniform sample. */
function leastRelativeProbability(p: Float64Array, rowWeights: Float64Array | undefined): number {
  let least = Infinity;
  let population = 0;
  for (let e = 0; e < p.length; e++) {
    const u = rowWeights ? rowWeights[e] : 1;
    population += u;
    if (u > 0) least = Math.min(least, p[e] / u);
  }
  return least * population;
}
