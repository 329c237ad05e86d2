// What the parts of this system hand to each other: bags with their answers, models that learn from them, and who answers.

import type { Matrix64 } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import type { Bags } from './bags/bags.ts';

/** Mean responses of bags, in the order of the bags. */
export interface BagAnswers {
  /** Mean response of each bag, shape (bags,), in the unit of the responses. May leave the range of the labels when noisy. */
  means: Float64Array;
  /** Variance of the privacy noise in each mean, shape (bags,), ≥ 0. Left out: no noise. */
  noiseVariance?: Float64Array | undefined;
}

/** Features of single samples with responses of bags: what every learner fits. */
export interface AggregateData extends BagAnswers {
  /** Shape (n, d), finite; without a column of ones. */
  features: Matrix64;
  /** bags.samples = n. Samples in no bag are left out of the fit. */
  bags: Bags;
}

/** How the response is distributed about its mean; the link is the canonical one. */
export type Family = 'linear' | 'logistic' | 'poisson';

/** A fitted model. Serialises to JSON by `JSON.stringify` and back by `restoreModel`. */
export interface AggregateModel {
  /** Predicted mean response of each row, shape (n,), on the scale of the responses (probabilities, rates). */
  predict(features: Matrix64): Float64Array;
  /** State as plain JSON data, with a field `kind` that says which model it is. */
  toJSON(): ModelState;
}

/** A model as plain JSON data. */
export type ModelState = { readonly kind: string } & Readonly<Record<string, unknown>>;

export interface FitOptions extends RunOptions {
  /** ρ ≥ 0 of (1 − ρ) · bag-level + ρ · instance-level loss, or 'cv': chosen by cross-validation over bags. */
  rho: number | 'cv';
  /** Seed of everything random in the fit. */
  seed: number;
  /** Bags that 'cv' may hold out, by number. Default: all. Name the random ones when others were put together by a model. */
  validationBags?: ArrayLike<number> | undefined;
}

/** Learns a model from bags. PriorBoost takes any of them. */
export interface Learner {
  /** "linear", "logistic", "mlp": what reports call it. */
  readonly name: string;
  fit(data: AggregateData, options: FitOptions): Promise<AggregateModel>;
  /** The models of `fit` for several ρ, in their order, where they come cheaper together. Left out: they are fitted one by one. */
  fitPath?(
    data: AggregateData,
    rhos: readonly number[],
    options: Omit<FitOptions, 'rho'>,
  ): Promise<AggregateModel[]>;
}

/**
 * Answers the mean response of each bag: the ONLY way to labels. It may be remote and noisy.
 *
 * @param bags - sample indices of the analyst's table; disjoint
 * @param stage - name of the stage; within one no sample may be asked about twice
 */
export type BagQuery = (bags: Bags, stage: string, options?: RunOptions) => Promise<BagAnswers>;
