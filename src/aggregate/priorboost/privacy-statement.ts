// What a run may say about the privacy of labels.

import type { PriorBoostState } from './state.ts';

export interface LabelPrivacy {
  /** ε of label differential privacy of the whole run; Infinity: nothing is promised. */
  epsilon: number;
  /** One sentence for a report. */
  statement: string;
}

/**
 * Stages ask about disjoint people, and the bags of a stage depend on features and on noisy answers to earlier stages alone: adaptive parallel
 * composition, so the run costs the largest ε of its stages, not their sum. Two runs over the same people add up.
 *
 * The ε of a stage is what the answers came with; that they were released with it is the aggregator's word.
 */
export function privacyOf({ stages, settings }: PriorBoostState): LabelPrivacy {
  const asked = stages.filter(({ answers }) => answers !== null);
  const open = asked.filter(({ answers }) => answers!.epsilon === null);
  if (open.length > 0) {
    const noisy = open.every(({ answers }) => answers!.noiseVariance !== null);
    return {
      epsilon: Infinity,
      statement: noisy
        ? `No label privacy is stated: answers carry noise, but ${open.length} of ${asked.length} stages came without their ε.`
        : `No label privacy: ${open.length} of ${asked.length} stages were answered without an ε. Means of ${settings.bagSize} are an aggregation, not a privacy guarantee.`,
    };
  }
  const epsilon = Math.max(...asked.map(({ answers }) => answers!.epsilon!));
  const several = asked.length > 1 ? `, the largest of ${asked.length} stages over disjoint people` : '';
  return {
    epsilon,
    statement: `${epsilon}-label-DP (replacing one person's label)${several}; features, bags and their sizes are public. Another run over the same people adds its ε.`,
  };
}
