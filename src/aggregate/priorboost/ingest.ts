// Answers of a planned stage go into the state.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { BagAnswers } from '../types.ts';
import { type PriorBoostState, readPriorBoostState, requireAnswers, type StageAnswers } from './state.ts';

/** Mean responses of a stage, with what they cost. */
export interface IngestedAnswers extends BagAnswers {
  /** ε that each person in the stage was charged, > 0. Default: not said, and nothing is promised. */
  epsilon?: number | undefined;
}

/**
 * Takes the answers to the planned stage into the state.
 *
 * @param answers - in the order of the planned bags
 * @returns the state to plan on; the one passed in is left as it was
 * @throws {InvalidArgumentError} no stage waits for answers
 * @throws {ShapeError | DataError} answers do not fit the bags, or are not finite
 *
 * O(n).
 */
export function ingestStage(state: PriorBoostState, answers: IngestedAnswers): PriorBoostState {
  readPriorBoostState(state);
  const at = state.stages.findIndex((stage) => stage.offsets !== null && stage.answers === null);
  if (at < 0) {
    throw new InvalidArgumentError('ingestStage: no stage waits for answers; expected planStage before.');
  }
  const { means, noiseVariance, epsilon } = answers;
  const stage = state.stages[at];
  const ingested: StageAnswers = {
    means: Array.from(means),
    noiseVariance: noiseVariance ? Array.from(noiseVariance) : null,
    // An infinite ε promises nothing, and JSON has no infinity.
    epsilon: epsilon === undefined || epsilon === Infinity ? null : epsilon,
  };
  requireAnswers(`ingestStage: ${stage.name}`, ingested, stage.offsets!.length - 1);
  return { ...state, stages: state.stages.with(at, { ...stage, answers: ingested }) };
}
