// Protocol P5: real tables. Where answers come from people, the means are not linear, and all that is known is the error on other rows.

import { MissingDependencyError } from '../../../core/errors.ts';
import { loadBoston, loadFair, loadRandHie, type ResponseTable } from '../../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
  type Verdict,
} from '../../../reproduce/protocol.ts';
import { type AggregateModel, type PriorBoostOptions, recoveredShare } from '../../index.ts';
import { boost, fitIndividual, fitRandom } from './arms.ts';
import { splitTable } from './table-split.ts';

/** A table, how it is learnt and what an independent implementation measured on it. */
interface Case {
  load: () => Promise<ResponseTable>;
  bagSizes: readonly number[];
  /** Of single labels, and of predicting the mean. */
  single: number;
  mean: number;
  /** By bag size: random bags at ρ = 1, two stages with pool last, and with pool all at the last ρ = 0.03. */
  reference: Readonly<Record<number, readonly number[]>>;
  /** Least share of the gap that two stages recover, by bag size. */
  required: Readonly<Record<number, number>>;
}

export const TABLE_NAMES: readonly ['boston', 'rand-hie', 'fair'] = ['boston', 'rand-hie', 'fair'];
export type TableName = (typeof TABLE_NAMES)[number];

const TABLE_CASES: Readonly<Record<TableName, Case>> = {
  boston: {
    load: () => loadBoston(),
    bagSizes: [5, 10, 20],
    ...{ single: 21.84, mean: 83.05 },
    reference: { 5: [61.4, 30.0], 10: [72.2, 39.7, 32.0], 20: [78.0, 50.0, 42.3] },
    required: { 5: 0.7, 10: 0.55 },
  },
  'rand-hie': {
    load: () => loadRandHie(),
    bagSizes: [50, 200],
    ...{ single: 0.6355, mean: 0.7013 },
    reference: { 50: [0.6985, 0.6488, 0.6424], 200: [0.7006, 0.6698, 0.6524] },
    required: {},
  },
  fair: {
    load: () => loadFair(),
    bagSizes: [5, 20, 50],
    ...{ single: 0.5488, mean: 0.6274 },
    reference: { 5: [0.5994, 0.5532], 20: [0.6194, 0.5732], 50: [0.624, 0.5839] },
    required: { 5: 0.85 },
  },
};

/** Two-stage runs of PriorBoost. Only linear models have a bag-level loss in closed form; logistic ones learn from soft labels. */
const LINEAR: Record<string, Partial<PriorBoostOptions>> = {
  'two stages, pool last': { pool: 'last', priorRho: 0.05, finalRho: 1 },
  'two stages, pool all, last ρ = 0.03': { pool: 'all', priorRho: 0.05, finalRho: 0.03 },
  'two stages, preset best': { preset: 'best' },
};
const LOGISTIC: Record<string, Partial<PriorBoostOptions>> = { 'two stages, pool last': { pool: 'last' } };

export interface TablesOptions extends ProtocolOptions {
  /** Default: all. */
  tables?: readonly TableName[] | undefined;
}

export interface TableFigures {
  table: string;
  rows: number;
  columns: number;
  /** "test MSE (1000 $)²" or "test log-loss (nats)". */
  unit: string;
  single: Measured;
  /** Of predicting the mean of the rows trained on. */
  mean: Measured;
  sizes: { bagSize: number; errors: Record<string, Measured>; reference: readonly number[] }[];
  /** Of the independent implementation. */
  reference: { single: number; mean: number };
}

export interface TablesReport {
  tables: TableFigures[];
  /** Tables that are not here, and how to get them. */
  skipped: { table: TableName; reason: string }[];
}

/**
 * Random halves of three quarters of a table make the stages; errors are on the last quarter, of features standardised by the rows trained on.
 *
 * Default: 10 splits. About 25 s on two busy cores.
 */
export async function reproduceTables(options: TablesOptions = {}): Promise<ProtocolReport<TablesReport>> {
  const { tables = TABLE_NAMES, seeds = firstSeeds(10) } = options;
  const figures: TablesReport = { tables: [], skipped: [] };
  const verdicts: Verdict[] = [];
  for (const name of tables) {
    const { load, required } = TABLE_CASES[name];
    let table: ResponseTable;
    try {
      table = await load();
    } catch (error) {
      if (!(error instanceof MissingDependencyError)) throw error;
      figures.skipped.push({ table: name, reason: error.message });
      continue;
    }
    const own = await measureTable(table, TABLE_CASES[name], seeds, options);
    figures.tables.push(own);
    const { bagSize: largest, errors: worst } = own.sizes[own.sizes.length - 1];
    if ('random, ρ = 0' in worst) {
      verdicts.push(
        judge(
          `${table.name}, k = ${largest}: with few bags, all of them at a small ρ beat the bag-level loss on random bags`,
          worst['two stages, pool all, last ρ = 0.03'].mean / worst['random, ρ = 0'].mean,
          { high: 0.97, unit: 'ratio of errors' },
        ),
      );
    }
    for (const { bagSize, errors } of own.sizes) {
      const low = required[bagSize];
      if (low === undefined) continue;
      const reference = { random: errors['random, ρ = 1'].mean, individual: own.single.mean };
      verdicts.push(
        judge(
          `${table.name}, k = ${bagSize}: two stages recover what random bags at ρ = 1 lose to single labels`,
          recoveredShare(errors['two stages, pool last'].mean, reference),
          { low, unit: 'share of the gap' },
        ),
      );
    }
  }
  return {
    id: 'P5',
    title: 'Real tables',
    setting: { tables, testShare: 0.25, stages: 2, splits: seeds.length, seeds },
    figures,
    verdicts,
  };
}

async function measureTable(
  table: ResponseTable,
  { bagSizes, reference, single, mean }: Case,
  seeds: readonly number[],
  options: TablesOptions,
): Promise<TableFigures> {
  const binary = table.kind === 'binary';
  const settings = binary ? LOGISTIC : LINEAR;
  const ones: number[] = [];
  const means: number[] = [];
  const errors = bagSizes.map(() => new Map<string, number[]>());
  for (const [i, seed] of seeds.entries()) {
    const { features, responses, learner, score, meanScore } = splitTable(table, seed);
    ones.push(score(await fitIndividual({ features, responses, learner, bagSize: 1, seed })));
    means.push(meanScore);
    for (const [j, bagSize] of bagSizes.entries()) {
      partOf(options, table.name, i * bagSizes.length + j, seeds.length * bagSizes.length);
      const input = { features, responses, learner, bagSize, seed };
      const add = (method: string, model: AggregateModel) => {
        errors[j].set(method, [...(errors[j].get(method) ?? []), score(model)]);
      };
      add('random, ρ = 1', await fitRandom(input, 1));
      if (!binary) add('random, ρ = 0', await fitRandom(input, 0));
      for (const [method, own] of Object.entries(settings)) {
        const run = { stages: 2, signal: options.signal, ...own };
        add(method, (await boost(input, run)).model);
      }
    }
  }
  return {
    table: table.name,
    rows: table.features.rows,
    columns: table.features.cols,
    unit: binary ? 'test log-loss (nats)' : `test mean squared error of the ${table.responseName}`,
    single: measure(ones),
    mean: measure(means),
    sizes: bagSizes.map((bagSize, j) => ({
      bagSize,
      errors: Object.fromEntries([...errors[j]].map(([method, values]) => [method, measure(values)])),
      reference: reference[bagSize],
    })),
    reference: { single, mean },
  };
}
