// Protocol X5: the same budget in one go or in rounds, with losses refreshed and rows embedded anew in between.

import { takeRows } from '../../core/matrix.ts';
import { takeLabelled } from '../../data/datasets/index.ts';
import {
  firstSeeds,
  gainOf,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { type Mlp, trainMlp } from '../../training/index.ts';
import { adaptiveSelect } from '../index.ts';
import {
  candidateLosses,
  longTailPool,
  type Pilot,
  type Pool,
  type PoolOptions,
  PROTOCOL_TRAINING,
  trainPilot,
} from './pool.ts';

export interface RoundsOptions extends ProtocolOptions, PoolOptions {
  /** Numbers of rounds compared; the first is what the others are held against. Default [1, 2, 5]. */
  rounds?: readonly number[] | undefined;
  /** Rows that may be labelled, the pilot's 20 % included. Default 500. */
  budget?: number | undefined;
  /** Rows of the largest class of the pool; the smallest has 1/50 of them. Default 4000. */
  head?: number | undefined;
}

export interface RoundsFigures {
  rounds: number;
  /** Test accuracy in per cent. */
  accuracy: Measured;
  /** Minus that of the first number of rounds, run by run. */
  gain: Measured;
  /** Losses asked in all rounds. */
  queries: number;
  /** Total variation between the probabilities of a round and the one before, on the rows left; mean over runs, shape (rounds − 1,). */
  change: number[];
}

/**
 * Long-tailed pool, mode `balanced`; the model is trained from scratch after every round on all rows bought so far, and
 * gives the losses and the embeddings of the next.
 *
 * Default: 20 seeds, since with 5 no benefit could be told from chance. Time about 4 minutes on two busy cores.
 */
export async function reproduceRounds(options: RoundsOptions = {}): Promise<ProtocolReport<RoundsFigures[]>> {
  const { rounds: roundCounts = [1, 2, 5], seeds = firstSeeds(20), budget = 500 } = options;
  const pool = await longTailPool(options);
  const results = roundCounts.map((rounds) => ({
    rounds,
    accuracy: [] as number[],
    queries: 0,
    changes: [] as number[][],
  }));
  for (const [i, seed] of seeds.entries()) {
    const pilotSize = Math.floor(0.2 * budget);
    const pilot = await trainPilot(pool, pilotSize, {
      seed,
      training: PROTOCOL_TRAINING,
      signal: options.signal,
    });
    for (const [j, result] of results.entries()) {
      const run = partOf(
        options,
        `${result.rounds} rounds`,
        i * results.length + j,
        seeds.length * results.length,
      );
      const outcome = await runRounds(pool, pilot, {
        size: budget - pilotSize,
        rounds: result.rounds,
        seed,
        ...run,
      });
      result.accuracy.push(outcome.accuracy);
      result.queries = Math.max(result.queries, outcome.queries);
      result.changes.push(outcome.change);
    }
  }
  const accuracies = results.map(({ accuracy }) => measure(accuracy));
  const figures = results.map(
    ({ rounds, queries, changes }, j): RoundsFigures => ({
      rounds,
      accuracy: accuracies[j],
      gain: gainOf(accuracies[j], accuracies[0]),
      queries,
      change: changes[0].map((_, r) => changes.reduce((sum, change) => sum + change[r], 0) / changes.length),
    }),
  );
  return {
    id: 'X5',
    title: 'The same budget in rounds',
    setting: { dataset: pool.name, pool: pool.rows.labels.length, budget, rounds: roundCounts, seeds },
    figures,
    verdicts: verdictsOf(figures),
  };
}

/** One run: selects in rounds, training in between. */
async function runRounds(
  pool: Pool,
  pilot: Pilot,
  {
    size,
    rounds,
    seed,
    signal,
  }: { size: number; rounds: number; seed: number; signal?: AbortSignal | undefined },
): Promise<{ accuracy: number; queries: number; change: number[] }> {
  let model: Mlp = pilot.model;
  const candidateFeatures = takeRows(pool.rows.features, pilot.candidates);
  const { value } = await adaptiveSelect(pilot.embeddings, {
    size,
    rounds,
    mode: 'balanced',
    seed,
    signal,
    loss: (ids) => candidateLosses(pool, { ...pilot, model }, ids),
    embed: () => model.embed(candidateFeatures),
    train: async ({ ids }) => {
      const bought = [...pilot.trained, ...Array.from(ids, (id) => pilot.candidates[id])];
      const options = { ...PROTOCOL_TRAINING, classes: pool.classes, seed, signal };
      ({ model } = await trainMlp(takeLabelled(pool.rows, bought), options));
    },
  });
  const distributions = value.rounds.map((round) => round.value.model.probabilities);
  return {
    accuracy: 100 * (await model.accuracy(pool.test.features, pool.test.labels)),
    queries: value.queries,
    change: distributions.slice(1).map((p, r) => totalVariation(distributions[r], p)),
  };
}

/** ½Σ|p − q| over the rows that `next` can draw, `last` normalised to them. */
function totalVariation(last: Float64Array, next: Float64Array): number {
  let mass = 0;
  for (let e = 0; e < next.length; e++) if (next[e] > 0) mass += last[e];
  let distance = 0;
  for (let e = 0; e < next.length; e++) if (next[e] > 0) distance += Math.abs(next[e] - last[e] / mass);
  return distance / 2;
}

/** No benefit is claimed: what is checked is that rounds do no harm beyond chance, and what they cost. */
function verdictsOf(figures: readonly RoundsFigures[]) {
  return figures.slice(1).map(({ rounds, gain }) =>
    judge(
      `${rounds} rounds are not worse than one, within 3 standard errors`,
      gain.mean + 3 * gain.standardError,
      {
        low: 0,
        unit: 'points',
      },
    ),
  );
}
