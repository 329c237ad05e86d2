// Bags of several stages as one set of bags with answers, for a learner.

import type { Bags } from '../bags/bags.ts';
import type { BagAnswers } from '../types.ts';
import type { StagePool } from './settings.ts';
import { type PriorBoostState, type StageRecord, trainingStages } from './state.ts';

/** Answered training stages that belong to a pool. */
export function pooledStages(state: PriorBoostState, pool: StagePool): StageRecord[] {
  const answered = trainingStages(state).filter(({ answers }) => answers !== null);
  if (pool === 'all') return answered;
  const sorted = answered.filter(({ origin }) => origin !== 'random');
  // Before the first sorted stage there are only random bags to learn from.
  if (pool === 'skip-random' && sorted.length > 0) return sorted;
  return answered.slice(-1);
}

/** Stages of the last fit: with the pool 'all' also the validation bags, which have done their work by then. */
export function lastPool(state: PriorBoostState): StageRecord[] {
  const { stages, settings } = state;
  return settings.pool === 'all'
    ? stages.filter(({ answers }) => answers !== null)
    : pooledStages(state, settings.pool);
}

/** Bags with answers of the given stages, one after the other. */
export function pooledData(
  { samples }: PriorBoostState,
  stages: readonly StageRecord[],
): BagAnswers & { bags: Bags } {
  let size = 0;
  let count = 0;
  for (const { members, answers } of stages) {
    size += members.length;
    count += answers!.means.length;
  }
  const members = new Uint32Array(size);
  const offsets = new Uint32Array(count + 1);
  const means = new Float64Array(count);
  const noiseVariance = new Float64Array(count);
  let start = 0;
  let bag = 0;
  for (const stage of stages) {
    members.set(stage.members, start);
    stage.answers!.means.forEach((mean, a) => {
      offsets[bag + 1] = start + stage.offsets![a + 1];
      means[bag] = mean;
      noiseVariance[bag++] = stage.answers!.noiseVariance?.[a] ?? 0;
    });
    start += stage.members.length;
  }
  const noisy = noiseVariance.some((variance) => variance > 0);
  return { bags: { samples, members, offsets }, means, noiseVariance: noisy ? noiseVariance : undefined };
}
