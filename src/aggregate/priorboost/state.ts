// Where a run of PriorBoost is: plain JSON that a platform keeps between its stages, checked whenever it is read.

import { requireInteger, requireLength } from '../../core/check.ts';
import { DataError, ProvablyError } from '../../core/errors.ts';
import { type Bags, requireBags } from '../bags/bags.ts';
import type { BagAnswers, ModelState } from '../types.ts';
import { type PriorBoostSettings, requireSettings } from './settings.ts';

/** Layout of the state; another one is refused. */
export const PRIOR_BOOST_STATE_VERSION = 1;

/** What the bags of a stage were cut by. */
export type BagOrigin = 'random' | 'slice' | 'chunk' | 'buckets';

export interface StageAnswers {
  /** Shape (bags,). */
  means: number[];
  /** Shape (bags,); null: no noise. */
  noiseVariance: number[] | null;
  /** ε that each person in the stage was charged; null: not said, or no privacy. */
  epsilon: number | null;
}

export interface StageRecord {
  /** What the aggregator is asked under: "priorboost.1", "priorboost.validation". */
  name: string;
  purpose: 'validate' | 'train';
  /** Samples of the stage; once planned, bag after bag and without those that no bucket had room for. */
  members: number[];
  /** Bag a holds members[offsets[a]] … members[offsets[a + 1] − 1]; null until planned. */
  offsets: number[] | null;
  /** null until planned. */
  origin: BagOrigin | null;
  /** null until ingested. */
  answers: StageAnswers | null;
  /** Model fitted when this stage was the newest answered one; null until then. */
  model: ModelState | null;
  /** Loss of that model on the validation bags, (unit of the responses)²; null without validation. */
  validationLoss: number | null;
}

/** State of a run. Holds bags, mean answers and models; no features and no single response. */
export interface PriorBoostState {
  kind: 'priorboost';
  version: typeof PRIOR_BOOST_STATE_VERSION;
  settings: PriorBoostSettings;
  /** Rows and columns of the features. */
  samples: number;
  columns: number;
  /** Hash of the features: answers belong to rows, so another table or another order of rows is refused. */
  fingerprint: number;
  /** Name of the learner; null until the first fit. */
  learner: string | null;
  /** Model that stage 1 is sorted by; null: random bags. */
  prior: ModelState | null;
  /** In the order in which they are asked. */
  stages: StageRecord[];
  /** Stopped early: the stages left are not asked. */
  stopped: boolean;
  warnings: string[];
}

/** Bags of a planned stage. */
export function bagsOf({ samples }: PriorBoostState, { members, offsets }: StageRecord): Bags {
  return { samples, members: Uint32Array.from(members), offsets: Uint32Array.from(offsets ?? [0]) };
}

/** Stages that models are fitted to, in order. */
export function trainingStages({ stages }: PriorBoostState): StageRecord[] {
  return stages.filter(({ purpose }) => purpose === 'train');
}

/** Answers as learners take them. */
export function answersOf({ means, noiseVariance }: StageAnswers): BagAnswers {
  return {
    means: Float64Array.from(means),
    noiseVariance: noiseVariance ? Float64Array.from(noiseVariance) : undefined,
  };
}

/**
 * A state from parsed JSON.
 *
 * @param json - what `JSON.parse` gave, or a state
 * @throws {DataError} it is not a state of this version, or its parts contradict each other: a sample in two stages or bags, a bag below the least
 * size, answers without bags or of another number, a stage answered before an earlier one. The message names the place
 *
 * O(n).
 */
export function readPriorBoostState(json: unknown): PriorBoostState {
  const state = json as PriorBoostState;
  if (typeof state !== 'object' || state === null || state.kind !== 'priorboost') {
    throw new DataError(
      'readPriorBoostState: not a state of PriorBoost; expected an object of kind "priorboost".',
    );
  }
  if (state.version !== PRIOR_BOOST_STATE_VERSION) {
    throw new DataError(
      `readPriorBoostState: version is ${state.version}; expected ${PRIOR_BOOST_STATE_VERSION}. Start anew, or use the release that wrote it.`,
    );
  }
  try {
    requireParts(state);
  } catch (error) {
    // Parts that have another type altogether fail in their own words: still the file's fault.
    if (!(error instanceof ProvablyError || error instanceof TypeError)) throw error;
    throw new DataError(`readPriorBoostState: damaged state. ${error.message}`, { cause: error });
  }
  return state;
}

function requireParts(state: PriorBoostState): void {
  const { settings, samples, stages } = state;
  requireSettings('settings', settings);
  requireInteger('samples', samples, 1, 0xfffffffe);
  requireInteger('columns', state.columns, 1);
  requireInteger('fingerprint', state.fingerprint, 0, 0xffffffff);
  if (state.learner !== null) requireText('learner', state.learner);
  if (typeof state.stopped !== 'boolean')
    throw new DataError(`stopped is ${state.stopped}; expected a boolean.`);
  state.warnings.forEach((warning, i) => {
    requireText(`warnings[${i}]`, warning);
  });
  if (state.prior !== null) requireModel('prior', state.prior);
  const count = settings.stages + (settings.validation > 0 ? 1 : 0);
  requireInteger('number of stages', stages.length, count, count);
  const seen = new Uint8Array(samples);
  let open = false; // a stage before is not answered
  stages.forEach((stage, s) => {
    const where = `stages[${s}]`;
    const train = settings.validation > 0 ? s : s + 1;
    const purpose = train === 0 ? 'validate' : 'train';
    if (stage.purpose !== purpose || stage.name !== stageName(settings, train)) {
      throw new DataError(
        `${where} is "${stage.name}", purpose "${stage.purpose}"; expected "${stageName(settings, train)}", purpose "${purpose}".`,
      );
    }
    requireMembers(where, stage, samples, seen);
    if (stage.offsets !== null && open) {
      throw new DataError(`${where} is planned; expected the stages before it to be answered first.`);
    }
    requireStage(where, stage, state);
    open = stage.answers === null;
  });
}

/** Name of training stage t ≥ 1, or of the validation stage, t = 0. */
export function stageName({ run }: PriorBoostSettings, t: number): string {
  return t === 0 ? `${run}.validation` : `${run}.${t}`;
}

function requireMembers(where: string, { members }: StageRecord, samples: number, seen: Uint8Array): void {
  for (let i = 0; i < members.length; i++) {
    requireInteger(`${where}.members[${i}]`, members[i], 0, samples - 1);
    if (seen[members[i]]++ > 0) {
      throw new DataError(
        `${where}.members[${i}]: sample ${members[i]} is there twice; expected it in one stage.`,
      );
    }
  }
}

function requireStage(where: string, stage: StageRecord, state: PriorBoostState): void {
  const { offsets, answers, model, validationLoss } = stage;
  if (offsets === null) {
    if (answers !== null || model !== null || stage.origin !== null) {
      throw new DataError(`${where} has no bags but answers, a model or an origin; expected none of them.`);
    }
    return;
  }
  for (const [a, offset] of offsets.entries())
    requireInteger(`${where}.offsets[${a}]`, offset, 0, 0xffffffff);
  requireBags(where, bagsOf(state, stage));
  for (let a = 0; a + 1 < offsets.length; a++) {
    const size = offsets[a + 1] - offsets[a];
    if (size < state.settings.bagSize) {
      throw new DataError(
        `${where}: bag ${a} holds ${size} samples; expected at least ${state.settings.bagSize}.`,
      );
    }
  }
  if (!['random', 'slice', 'chunk', 'buckets'].includes(stage.origin as string)) {
    throw new DataError(`${where}.origin is ${stage.origin}; expected random, slice, chunk or buckets.`);
  }
  if (answers !== null) requireAnswers(`${where}.answers`, answers, offsets.length - 1);
  if (model !== null) {
    requireModel(`${where}.model`, model);
    if (answers === null) throw new DataError(`${where} has a model but no answers; expected both.`);
  }
  if (validationLoss !== null && !(validationLoss >= 0)) {
    throw new DataError(`${where}.validationLoss is ${validationLoss}; expected a number ≥ 0, or null.`);
  }
}

/** @throws {ShapeError | DataError} answers are of another number than the bags, or not finite */
export function requireAnswers(
  where: string,
  { means, noiseVariance, epsilon }: Readonly<StageAnswers>,
  bags: number,
): void {
  requireLength(`${where}.means`, means, bags);
  means.forEach((mean, a) => {
    if (!Number.isFinite(mean)) {
      throw new DataError(`${where}.means[${a}] is ${mean}; expected a finite mean response.`);
    }
  });
  if (noiseVariance !== null) {
    requireLength(`${where}.noiseVariance`, noiseVariance, bags);
    noiseVariance.forEach((variance, a) => {
      if (!(variance >= 0 && variance < Infinity)) {
        throw new DataError(`${where}.noiseVariance[${a}] is ${variance}; expected a finite variance ≥ 0.`);
      }
    });
  }
  if (epsilon !== null && !(epsilon > 0 && epsilon < Infinity)) {
    throw new DataError(`${where}.epsilon is ${epsilon}; expected a finite number > 0, or none.`);
  }
}

function requireModel(where: string, model: ModelState): void {
  if (typeof model !== 'object' || typeof model.kind !== 'string') {
    throw new DataError(`${where} is no model; expected an object with a field "kind".`);
  }
}

function requireText(where: string, text: string): void {
  if (typeof text !== 'string') throw new DataError(`${where} is ${text}; expected text.`);
}
