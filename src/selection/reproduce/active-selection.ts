// Active selection: spend a labelling budget, train on what was bought, and see how well it classifies.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { takeLabelled } from '../../data/datasets/index.ts';
import { type Measured, measure } from '../../reproduce/protocol.ts';
import { type TrainMlpOptions, trainMlp } from '../../training/index.ts';
import { type TrainingWeighting, trainingWeights } from '../index.ts';
import { type Choice, choose, type Picker } from './pickers.ts';
import { type Pilot, type Pool, trainPilot } from './pool.ts';

/** One way to spend the budget and to train on what it bought. */
export interface Arm {
  /** Unique among the arms of a comparison: "sensitivity", "sensitivity, weighted". */
  name: string;
  /** How rows are chosen. */
  picker: Picker;
  /** What the final training makes of the sample's weights, where there is a weighted sample. Default none. */
  weighting?: TrainingWeighting | undefined;
}

export interface BudgetOptions extends RunOptions {
  /** Rows that may be labelled, the pilot's included. */
  budget: number;
  /** Share of the budget that goes to uniform rows for the pilot. Default 0.2. */
  pilotShare?: number | undefined;
  /** Clusters per row selected. Default 0.2. */
  clustersPerRow?: number | undefined;
  arms: readonly Arm[];
  /** Fixes pilot, clustering, choices and training of this run. */
  seed: number;
  training: TrainMlpOptions;
}

/** One run of all arms from one pilot. */
export interface BudgetRun {
  /** Test accuracy of each arm, in per cent. */
  accuracy: Record<string, number>;
  /** Rows of each class that each arm trained on, the pilot's included. */
  classCounts: Record<string, number[]>;
  /** Losses that the choice of each arm asked for. */
  queries: Record<string, number>;
  pilot: Pilot;
  /** What each arm chose: ids are positions among the pilot's candidates. */
  choices: Record<string, Choice>;
}

/**
 * Runs every arm once: pilot on ⌊pilotShare · budget⌋ uniform rows, choice of the rest among the other rows, training
 * from scratch on both, accuracy on the test rows. Arms with equal pickers share the choice; all share the pilot.
 *
 * @throws {InvalidArgumentError} the budget leaves no row to choose, or the pool has fewer rows
 */
export async function spendBudget(pool: Pool, options: BudgetOptions): Promise<BudgetRun> {
  const { budget, pilotShare = 0.2, clustersPerRow = 0.2, arms, seed, training, signal } = options;
  const pilotSize = Math.floor(pilotShare * budget);
  const size = budget - pilotSize;
  if (pilotSize < 1 || size < 1 || budget > pool.rows.features.rows) {
    throw new InvalidArgumentError(
      `spendBudget: budget ${budget} gives ${pilotSize} pilot rows and ${size} to choose of ${pool.rows.features.rows}; ` +
        'expected at least one of each, and no more than there are. Change budget or pilotShare.',
    );
  }
  const pilot = await trainPilot(pool, pilotSize, { seed, signal, training });
  const k = Math.max(2, Math.round(clustersPerRow * size));
  const chosen = new Map<string, Promise<Choice>>();
  const run: BudgetRun = { accuracy: {}, classCounts: {}, queries: {}, pilot, choices: {} };
  const { test } = pool;
  for (const { name, picker, weighting = 'none' } of arms) {
    const key = JSON.stringify(picker);
    if (!chosen.has(key)) chosen.set(key, choose(picker, pool, pilot, { size, k, seed, signal }));
    const choice = await chosen.get(key)!;
    const ids = [...pilot.trained, ...Array.from(choice.ids, (i) => pilot.candidates[i])];
    // Two unbiased samples of nearly the same rows: each stands for its share of the budget, so each has mean weight 1.
    const weights = new Float64Array(ids.length).fill(1);
    if (choice.certified) weights.set(trainingWeights(choice.certified.value, weighting), pilotSize);
    const labelled = takeLabelled(pool.rows, ids);
    const { model } = await trainMlp(
      { ...labelled, weights },
      { ...training, classes: pool.classes, seed, signal },
    );
    run.accuracy[name] = 100 * (await model.accuracy(test.features, test.labels));
    run.classCounts[name] = countClasses(labelled.labels, pool.classes);
    run.queries[name] = choice.queries;
    run.choices[name] = choice;
  }
  return run;
}

/** Accuracies of each arm over runs. */
export function accuracies(arms: readonly Arm[], runs: readonly BudgetRun[]): Record<string, Measured> {
  return Object.fromEntries(arms.map(({ name }) => [name, measure(runs.map((run) => run.accuracy[name]))]));
}

/** Mean number of rows of each class that each arm trained on. */
export function meanClassCounts(arms: readonly Arm[], runs: readonly BudgetRun[]): Record<string, number[]> {
  return Object.fromEntries(
    arms.map(({ name }) => [
      name,
      runs[0].classCounts[name].map(
        (_, c) => runs.reduce((sum, run) => sum + run.classCounts[name][c], 0) / runs.length,
      ),
    ]),
  );
}

function countClasses(labels: Uint8Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}
