// The ways to learn from the same table that the experiments compare.

import type { Certified } from '../../../core/certificate.ts';
import type { Matrix64 } from '../../../core/matrix.ts';
import {
  type AggregateModel,
  type Bags,
  chunkBags,
  type Learner,
  localBagQuery,
  type PriorBoostOptions,
  type PriorBoostResult,
  priorBoost,
  randomBags,
  singletonBags,
} from '../../index.ts';

/** A table with its answers, and how they are released. */
export interface ArmInput {
  features: Matrix64;
  responses: Float64Array;
  learner: Learner;
  bagSize: number;
  seed: number;
  /** Label privacy of the answers, simulated. Default: exact means. */
  privacy?: { bounds: readonly [number, number]; epsilon: number } | undefined;
}

/** Single labels, each with the noise of the release: what everything is compared with. */
export async function fitIndividual(input: ArmInput): Promise<AggregateModel> {
  return fitBags(input, singletonBags({ samples: input.features.rows }), 1);
}

/** Random bags of all samples. @param rho - 1: every sample has its bag's mean as label; 0: bag means only */
export async function fitRandom(input: ArmInput, rho: number): Promise<AggregateModel> {
  const { features, bagSize, seed } = input;
  return fitBags(input, randomBags({ samples: features.rows, size: bagSize, seed }), rho);
}

/** All samples in bags that are sorted by their true means: what no analyst has. */
export async function fitOracle(input: ArmInput, truth: Float64Array): Promise<AggregateModel> {
  const { bagSize, seed } = input;
  return fitBags(input, chunkBags(truth, { size: bagSize, seed }), 1);
}

/** PriorBoost with bags of equal size. */
export async function boost(input: ArmInput, options: Partial<PriorBoostOptions>): Promise<PriorBoostResult> {
  return (await boostCertified(input, options)).value;
}

/** The same, with its certificate. */
export async function boostCertified(
  input: ArmInput,
  options: Partial<PriorBoostOptions>,
): Promise<Certified<PriorBoostResult>> {
  const { features, learner, bagSize, seed } = input;
  return priorBoost({
    ...{ features, learner, bagSize, seed, query: queryOf(input), bagger: 'chunk' },
    ...options,
  });
}

async function fitBags(input: ArmInput, bags: Bags, rho: number): Promise<AggregateModel> {
  const { features, learner, seed } = input;
  return learner.fit({ features, bags, ...(await queryOf(input)(bags, 'all')) }, { rho, seed });
}

function queryOf({ responses, privacy, seed }: ArmInput) {
  return localBagQuery(responses, { mode: privacy ? { simulate: { ...privacy, seed } } : 'exact' });
}
