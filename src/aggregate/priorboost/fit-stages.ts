// Models of a run: fitted to the pooled bags, kept in the state as JSON, and at hand again without being parsed.

import { NumericalError } from '../../core/errors.ts';
import type { Matrix64 } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng } from '../../core/rng.ts';
import { restoreModel } from '../models/restore.ts';
import type { AggregateModel, Learner, ModelState } from '../types.ts';
import { pooledData } from './pooled-data.ts';
import type { PriorBoostState, StageRecord } from './state.ts';

/** What planning and finishing need beside the state. */
export interface StageFitting extends RunOptions {
  learner: Learner;
  /** Model of a state. Default: `restoreModel`, which knows the models of this library. */
  restore?: ((state: ModelState) => AggregateModel) | undefined;
}

/** Models made in this process, by their states: a learner from outside need not be restorable until the process ends. */
const liveModels = new WeakMap<ModelState, AggregateModel>();

/** State of a model, which `modelOf` turns back. */
export function keepModel(model: AggregateModel): ModelState {
  const state = model.toJSON();
  liveModels.set(state, model);
  return state;
}

/** The model of a state. @throws {DataError} no `restore` was given and the kind is none of this library's */
export function modelOf(
  state: ModelState,
  { restore = restoreModel }: Pick<StageFitting, 'restore'>,
): AggregateModel {
  const live = liveModels.get(state);
  if (live) return live;
  const model = restore(state);
  liveModels.set(state, model);
  return model;
}

/** Fits the bags of some answered stages. @param label - of the fit, for its stream of random numbers */
export async function fitStages(
  state: PriorBoostState,
  features: Matrix64,
  rho: number,
  label: string,
  { learner, signal, onProgress }: StageFitting,
  stages: readonly StageRecord[],
): Promise<AggregateModel> {
  const data = { features, ...pooledData(state, stages) };
  const seed = createRng(state.settings.seed).fork(`fit ${label}`).uint32();
  return await learner.fit(data, { rho, seed, signal, onProgress });
}

/** The same for several ρ, from one pass over the bags where the learner can. */
export async function fitPath(
  state: PriorBoostState,
  features: Matrix64,
  rhos: readonly number[],
  { learner, signal, onProgress }: StageFitting,
  stages: readonly StageRecord[],
): Promise<AggregateModel[]> {
  const data = { features, ...pooledData(state, stages) };
  const seed = createRng(state.settings.seed).fork('fit path').uint32();
  if (learner.fitPath) return await learner.fitPath(data, rhos, { seed, signal, onProgress });
  const models: AggregateModel[] = [];
  for (const [done, rho] of rhos.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'choice of rho', done, total: rhos.length });
    models.push(await learner.fit(data, { rho, seed, signal }));
  }
  return models;
}

/** Predictions of the members of some bags, in their order. @throws {NumericalError} one is not finite */
export function predictMembers(
  model: AggregateModel,
  features: Matrix64,
  members: ArrayLike<number>,
): Float64Array {
  const predictions = model.predict(takeRows64(features, members));
  const wrong = predictions.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0 || predictions.length !== members.length) {
    throw new NumericalError(
      wrong < 0
        ? `priorBoost: the model gives ${predictions.length} predictions for ${members.length} samples; expected one each.`
        : `priorBoost: the prediction for sample ${members[wrong]} is ${predictions[wrong]}; expected a finite number. The fit before diverged: take a larger ridge, or onBadPrior: "random".`,
    );
  }
  return predictions;
}

/**
 * What each bag of an answered stage adds to a model's loss: squared difference of mean answer and mean prediction, times the bag's share of the
 * samples; (unit of the responses)². Shape (bags,).
 */
export function bagErrors(
  model: AggregateModel,
  features: Matrix64,
  { members, offsets, answers }: StageRecord,
): Float64Array {
  const predictions = predictMembers(model, features, members);
  return Float64Array.from(answers!.means, (mean, a) => {
    let sum = 0;
    for (let i = offsets![a]; i < offsets![a + 1]; i++) sum += predictions[i];
    const size = offsets![a + 1] - offsets![a];
    return (size / members.length) * (mean - sum / size) ** 2;
  });
}

function takeRows64({ data, cols }: Matrix64, indices: ArrayLike<number>): Matrix64 {
  const taken = new Float64Array(indices.length * cols);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i] * cols;
    for (let j = 0; j < cols; j++) taken[i * cols + j] = data[row + j];
  }
  return { data: taken, rows: indices.length, cols };
}
