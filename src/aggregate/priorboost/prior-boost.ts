// The main entry where answers come at once: plan, ask, ingest, until nothing is left to ask.

import type { Certified } from '../../core/certificate.ts';
import type { Matrix64 } from '../../core/matrix.ts';
import type { BagQuery } from '../types.ts';
import { type FinishOptions, finishPriorBoost, type PriorBoostResult } from './finish.ts';
import { type IngestedAnswers, ingestStage } from './ingest.ts';
import { planStage } from './plan.ts';
import { type StartOptions, startPriorBoost } from './start.ts';

export interface PriorBoostOptions extends StartOptions, FinishOptions {
  /** Shape (n, d), finite; without a column of ones. */
  features: Matrix64;
  /** Answers mean responses: the only way to labels. Asked once a stage. */
  query: BagQuery;
  /** ε that the query charges each person of a stage. Default: the one its answers come with, else not said. */
  epsilon?: number | undefined;
}

/**
 * Learns a model from mean responses of bags that it chooses itself (PriorBoost).
 *
 * Stage 1 asks about random bags, or bags sorted by `prior`. Every later stage sorts its own, not yet asked samples by the newest model's predictions
 * and asks about bags of neighbours, which are nearly homogeneous: their mean is a good label for each member.
 * It is the loop over `startPriorBoost`, `planStage`, `ingestStage` and `finishPriorBoost`, which platforms that answer later call themselves.
 *
 * For linear models with many more bags than features, the bag-level loss (ρ = 0) on random bags is unbiased and beats the `paper` preset: sorted bags
 * win where a learner takes soft labels only, where bags are few, or with a good prior.
 *
 * @returns models, bags, answers, diagnostics; the certificate bounds the mean squared error of a linear model's predictions given the bags
 * @throws {InvalidArgumentError} a setting leaves its range, or a stage would have fewer samples than a bag needs: nothing was asked
 * @throws {NumericalError} a model's predictions are not finite and `onBadPrior` is 'error'
 *
 * T fits (with `finalRho: 'cv'` 14 more), T queries. Same seed and answers: same bags and models.
 * Reference: arXiv 2402.04987 (PriorBoost), reconstructed from its abstract; presets and settings: measured, see `provably reproduce priorboost`.
 *
 * @example
 * const { value } = await priorBoost({ features, query, bagSize: 50, learner: linearLearner(), preset: 'best' });
 */
export async function priorBoost(options: PriorBoostOptions): Promise<Certified<PriorBoostResult>> {
  const { features, query, epsilon, signal, onProgress } = options;
  let state = startPriorBoost(features, options);
  const total = state.stages.length;
  for (let done = 0; ; done++) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'stages', done, total });
    const planned = await planStage(state, features, options);
    state = planned.state;
    if (planned.plan === null) break;
    const { bags, stage } = planned.plan;
    const answers: IngestedAnswers = await query(bags, stage, { signal, onProgress });
    state = ingestStage(state, { ...answers, epsilon: epsilon ?? answers.epsilon });
  }
  return await finishPriorBoost(state, features, options);
}
