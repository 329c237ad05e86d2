// The end of a run: the last model, what the bags were like, and what may be promised.

import type { Certified } from '../../core/certificate.ts';
import { requireFinite, requireLength } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Matrix64 } from '../../core/matrix.ts';
import type { Bags } from '../bags/bags.ts';
import type { AggregateModel, BagAnswers } from '../types.ts';
import { certifyRun } from './certify.ts';
import { chooseRho, type RhoChoice } from './choose-rho.ts';
import { type DiagnosticsOptions, diagnoseStages, type StageDiagnostics } from './diagnostics.ts';
import { fitStages, keepModel, modelOf, type StageFitting } from './fit-stages.ts';
import { requireLearner } from './plan.ts';
import { lastPool } from './pooled-data.ts';
import { type LabelPrivacy, privacyOf } from './privacy-statement.ts';
import { requireSameFeatures } from './start.ts';
import { answersOf, bagsOf, type PriorBoostState, readPriorBoostState } from './state.ts';

/** One asked and answered stage. */
export interface AnsweredStage {
  stage: string;
  bags: Bags;
  answers: BagAnswers;
}

export interface PriorBoostResult {
  /** The last model. */
  model: AggregateModel;
  /** Model after each answered training stage; the last one is `model`. */
  models: AggregateModel[];
  stages: AnsweredStage[];
  /** ρ of the last fit, and how it was chosen when it was. */
  rho: number;
  rhoChoice?: RhoChoice | undefined;
  diagnostics: StageDiagnostics[];
  privacy: LabelPrivacy;
  /** The finished state, with the last model. */
  state: PriorBoostState;
}

export interface FinishOptions extends StageFitting, DiagnosticsOptions {}

/**
 * Fits the last model of a run to the answers it has, and says what the run was worth.
 *
 * @param state - with at least one answered training stage; stages that are left are not asked, and the certificate warns of them
 * @param features - the table of the start
 * @returns models, bags, answers and diagnostics; the certificate bounds the mean squared error of the linear model's predictions for the samples it
 * was fitted to, (unit of the responses)², and is infinite for other learners
 * @throws {DataError} the state is damaged @throws {InvalidArgumentError} no training stage is answered; features or learner are not those of the run
 *
 * One fit, with `finalRho: 'cv'` 14 more; one pass of predictions a stage.
 * Reference: arXiv 2402.04987 (PriorBoost); the error given the bags is derived.
 */
export async function finishPriorBoost(
  state: PriorBoostState,
  features: Matrix64,
  options: FinishOptions,
): Promise<Certified<PriorBoostResult>> {
  const where = 'finishPriorBoost';
  readPriorBoostState(state);
  requireSameFeatures(where, state, features);
  requireLearner(where, state, options);
  if (options.truth) {
    requireLength(`${where}: truth`, options.truth, state.samples);
    requireFinite(`${where}: truth`, options.truth);
  }
  const newest = state.stages.findLastIndex(
    ({ purpose, answers }) => purpose === 'train' && answers !== null,
  );
  if (newest < 0) {
    throw new InvalidArgumentError(`${where}: no training stage is answered; expected at least one.`);
  }
  const { finalRho } = state.settings;
  const held = state.stages.find(({ purpose, answers }) => purpose === 'validate' && answers !== null);
  const rhoChoice = finalRho === 'cv' ? await chooseRho(state, features, held!, options) : undefined;
  const rho = rhoChoice?.rho ?? (finalRho as number);
  const model = await fitStages(state, features, rho, 'last', options, lastPool(state));
  const last = { ...state.stages[newest], model: keepModel(model) };
  const finished: PriorBoostState = {
    ...state,
    learner: options.learner.name,
    stages: state.stages.with(newest, last),
  };
  const models = finished.stages.flatMap(({ model: own }) => (own ? modelOf(own, options) : []));
  const privacy = privacyOf(finished);
  const value: PriorBoostResult = {
    ...{ model, models, rho, rhoChoice, privacy, state: finished },
    stages: finished.stages.flatMap((stage) =>
      stage.answers
        ? { stage: stage.name, bags: bagsOf(finished, stage), answers: answersOf(stage.answers) }
        : [],
    ),
    diagnostics: await diagnoseStages(finished, features, models, options, options),
  };
  return { value, certificate: await certifyRun(value, features, options) };
}
