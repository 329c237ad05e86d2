// What to ask next: fits the newest model, then cuts the bags of the next stage by its predictions.

import { InvalidArgumentError, NumericalError } from '../../core/errors.ts';
import type { Matrix64 } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { type Bags, bagCount } from '../bags/bags.ts';
import { chunkBags, randomBags } from '../bags/chunks.ts';
import { sliceBags } from '../bags/slice.ts';
import type { AggregateModel } from '../types.ts';
import { bagErrors, fitStages, keepModel, modelOf, predictMembers, type StageFitting } from './fit-stages.ts';
import { pooledStages } from './pooled-data.ts';
import { bucketOf, closeBuckets, expectedBucketSize, scoreBuckets } from './score-buckets.ts';
import { requireSameFeatures } from './start.ts';
import {
  type BagOrigin,
  bagsOf,
  type PriorBoostState,
  readPriorBoostState,
  type StageRecord,
  trainingStages,
} from './state.ts';

/** Bags to ask the means of. */
export interface StagePlan {
  /** Name of the stage, for the aggregator's books. */
  stage: string;
  purpose: StageRecord['purpose'];
  origin: BagOrigin;
  /** Rows of the features. */
  bags: Bags;
}

export interface PlannedStage {
  /** Keep this one; the state passed in is left as it was. */
  state: PriorBoostState;
  /** null: nothing is left to ask; go on to `finishPriorBoost`. */
  plan: StagePlan | null;
}

/**
 * Plans the next stage of a run. A stage that was planned and is not answered is planned again as it was: asking twice after a crash is safe where the
 * aggregator repeats its answers.
 *
 * @param state - of `startPriorBoost` or `ingestStage`
 * @param features - the table of the start
 * @returns the bags, which depend on the features, the seed and answers to earlier stages only
 * @throws {DataError} the state is damaged
 * @throws {InvalidArgumentError} features or learner are not those of the run
 * @throws {NumericalError} predictions are not finite and `onBadPrior` is 'error'
 *
 * One fit, one pass of predictions over the stage, O(m log m) for its m samples.
 * Reference: arXiv 2402.04987 (PriorBoost).
 */
export async function planStage(
  state: PriorBoostState,
  features: Matrix64,
  fitting: StageFitting,
): Promise<PlannedStage> {
  readPriorBoostState(state);
  requireSameFeatures('planStage', state, features);
  requireLearner('planStage', state, fitting);
  const pending = state.stages.find(({ offsets, answers }) => offsets !== null && answers === null);
  if (pending) return { state, plan: planOf(state, pending) };
  if (state.stopped || state.stages.every(({ answers }) => answers !== null)) return { state, plan: null };

  const fitted = await withNewestModel(state, features, fitting);
  if (fitted.stopped) return { state: fitted, plan: null };
  fitting.signal?.throwIfAborted();
  const next = fitted.stages.findIndex(({ offsets }) => offsets === null);
  const { bags, origin, warning } = await cutBags(fitted, fitted.stages[next], features, fitting);
  const stage: StageRecord = {
    ...fitted.stages[next],
    ...{ members: Array.from(bags.members), offsets: Array.from(bags.offsets), origin },
  };
  const warnings = warning === undefined ? fitted.warnings : [...fitted.warnings, warning];
  const planned = { ...fitted, stages: fitted.stages.with(next, stage), warnings };
  return { state: planned, plan: planOf(planned, stage) };
}

/** @throws {InvalidArgumentError} earlier stages were fitted by another learner */
export function requireLearner(where: string, { learner }: PriorBoostState, fitting: StageFitting): void {
  if (learner !== null && learner !== fitting.learner.name) {
    throw new InvalidArgumentError(
      `${where}: learner is "${fitting.learner.name}"; expected "${learner}", which fitted the stages before.`,
    );
  }
}

function planOf(state: PriorBoostState, stage: StageRecord): StagePlan {
  return { stage: stage.name, purpose: stage.purpose, origin: stage.origin!, bags: bagsOf(state, stage) };
}

/** The state with a model for the newest answered stage, and with the decision to go on. */
async function withNewestModel(
  state: PriorBoostState,
  features: Matrix64,
  fitting: StageFitting,
): Promise<PriorBoostState> {
  const { settings, stages } = state;
  const newest = stages.findLastIndex(({ purpose, answers }) => purpose === 'train' && answers !== null);
  if (newest < 0 || stages[newest].model !== null) return state;
  const model = await fitStages(
    state,
    features,
    settings.priorRho,
    stages[newest].name,
    fitting,
    pooledStages(state, settings.priorPool),
  );
  const held = stages.find(({ purpose }) => purpose === 'validate');
  const validationLoss = held
    ? bagErrors(model, features, held).reduce((sum, error) => sum + error, 0)
    : null;
  const stage = { ...stages[newest], model: keepModel(model), validationLoss };
  const before = trainingStages(state).flatMap(({ validationLoss: loss }) => loss ?? []);
  const stopped = settings.stopEarly && before.length > 0 && validationLoss! >= Math.min(...before);
  return { ...state, learner: fitting.learner.name, stages: stages.with(newest, stage), stopped };
}

async function cutBags(
  state: PriorBoostState,
  stage: StageRecord,
  features: Matrix64,
  fitting: StageFitting,
): Promise<{ bags: Bags; origin: BagOrigin; warning?: string }> {
  const { settings, samples } = state;
  const { bagSize: size, bagger } = settings;
  const seed = createRng(settings.seed).fork(`bags ${stage.name}`).uint32();
  const members = Uint32Array.from(stage.members);
  const model = stage.purpose === 'train' ? cuttingModel(state, stage, fitting) : undefined;
  const atRandom = () => randomBags({ samples, size, members, seed });
  if (!model) return { bags: atRandom(), origin: 'random' };
  try {
    const scores = predictMembers(model, features, members);
    if (bagger === 'buckets') {
      return { bags: bucketBags(state, stage, model, features, scores, seed), origin: bagger };
    }
    if (bagger === 'chunk') {
      return { bags: chunkBags(scores, { size, members, samples, seed }), origin: bagger };
    }
    const { signal, onProgress } = fitting;
    const sliced = await sliceBags(scores, { minSize: size, members, samples, seed, signal, onProgress });
    return { bags: sliced.value.bags, origin: bagger };
  } catch (error) {
    if (!(error instanceof NumericalError) || settings.onBadPrior === 'error') throw error;
    const bags = atRandom();
    return {
      ...{ bags, origin: 'random' },
      warning: `Stage ${stage.name} has ${bagCount(bags)} random bags: ${error.message}`,
    };
  }
}

/** The model whose predictions cut the bags of a training stage: the one before it, or the prior. */
export function cuttingModel(
  state: PriorBoostState,
  stage: StageRecord,
  fitting: Pick<StageFitting, 'restore'>,
): AggregateModel | undefined {
  const training = trainingStages(state);
  const t = training.findIndex(({ name }) => name === stage.name);
  const model = t === 0 ? state.prior : training[t - 1].model;
  return model ? modelOf(model, fitting) : undefined;
}

/** Bags by thresholds from the predictions for the stage before; those of stage 1 come from its own samples. */
function bucketBags(
  state: PriorBoostState,
  stage: StageRecord,
  model: AggregateModel,
  features: Matrix64,
  scores: Float64Array,
  seed: number,
): Bags {
  const { bagSize } = state.settings;
  const training = trainingStages(state);
  const t = training.findIndex(({ name }) => name === stage.name);
  const known = t === 0 ? scores : predictMembers(model, features, training[t - 1].members);
  const count = Math.max(1, Math.floor(scores.length / expectedBucketSize(bagSize)));
  const frozen = scoreBuckets(known, Math.min(count, known.length));
  const ties = createRng(seed).fork('ties');
  // By sample, not by place: a later sample of a stream gets its bucket without the others.
  const buckets = Array.from(scores, (score, i) => bucketOf(frozen, score, ties.at(stage.members[i])));
  return closeBuckets(buckets, { minSize: bagSize, members: stage.members, samples: state.samples });
}
