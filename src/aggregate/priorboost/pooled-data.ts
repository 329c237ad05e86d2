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
  const members: number[] = [];
  const offsets = [0];
  const means: number[] = [];
  const variances: number[] = [];
  for (const stage of stages) {
    const ends = stage.offsets!;
    const { means: own, noiseVariance } = stage.answers!;
    for (let a = 0; a + 1 < ends.length; a++) {
      for (let i = ends[a]; i < ends[a + 1]; i++) members.push(stage.members[i]);
      offsets.push(members.length);
      means.push(own[a]);
      variances.push(noiseVariance?.[a] ?? 0);
    }
  }
  return {
    bags: { samples, members: Uint32Array.from(members), offsets: Uint32Array.from(offsets) },
    means: Float64Array.from(means),
    noiseVariance: variances.some((variance) => variance > 0) ? Float64Array.from(variances) : undefined,
  };
}
