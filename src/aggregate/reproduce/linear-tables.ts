// Protocols A4 and A6: linear models of real tables, from exact means of random bags, over bag size and ρ.

import { loadBoston, loadRandHie, type ResponseTable } from '../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
  type Verdict,
} from '../../reproduce/protocol.ts';
import { fitLinearPath } from '../index.ts';
import { errorOfMean, randomBagData, splitTable, testError } from './test-error.ts';

/** Squared test errors that an independent implementation measured on ten other random splits. */
interface Reference {
  individual: number;
  mean: number;
  /** One row a bag size, one entry a ρ. */
  cells: readonly (readonly number[])[];
}

interface TableSetting {
  id: string;
  load: () => Promise<ResponseTable>;
  bagSizes: readonly number[];
  rhos: readonly number[];
  reference: Reference;
}

const BOSTON: TableSetting = {
  id: 'A4',
  load: () => loadBoston(),
  bagSizes: [5, 10, 20],
  rhos: [0, 0.01, 0.1, 1],
  reference: {
    individual: 21.84,
    mean: 83.05,
    cells: [
      [25.5, 25.4, 30.4, 61.4],
      [37.0, 33.9, 43.4, 72.2],
      [98.9, 46.7, 58.1, 78.0],
    ],
  },
};

const RAND_HIE: TableSetting = {
  id: 'A6',
  load: () => loadRandHie(),
  bagSizes: [50, 200],
  rhos: [0, 0.01, 1],
  reference: {
    individual: 0.6355,
    mean: 0.7013,
    cells: [
      [0.6518, 0.6477, 0.6985],
      [0.7409, 0.6742, 0.7006],
    ],
  },
};

export interface LinearTableFigures {
  /** Mean squared test errors in squared units of the response; labels of single samples, and predicting the mean. */
  individual: Measured;
  mean: Measured;
  cells: { bagSize: number; rho: number; error: Measured; reference: number }[];
  reference: { individual: number; mean: number };
}

export type LinearTableReport = ProtocolReport<LinearTableFigures>;

/** Boston house prices, one split a seed. Default 100 seeds, about 1 s. @throws {MissingDependencyError} the table is not installed */
export function reproduceBostonLinear(options: ProtocolOptions = {}): Promise<LinearTableReport> {
  return reproduceTable(BOSTON, { seeds: firstSeeds(100), ...options });
}

/** RAND health insurance, log visits. Default 10 seeds, about 2 s. @throws {MissingDependencyError} the table is not fetched */
export function reproduceRandHie(options: ProtocolOptions = {}): Promise<LinearTableReport> {
  return reproduceTable(RAND_HIE, { seeds: firstSeeds(10), ...options });
}

async function reproduceTable(
  { id, load, bagSizes, rhos, reference }: TableSetting,
  options: ProtocolOptions,
): Promise<LinearTableReport> {
  const { seeds = [0] } = options;
  const table = await load();
  const individual: number[] = [];
  const mean: number[] = [];
  const errors = bagSizes.map(() => rhos.map((): number[] => []));
  for (const [run, seed] of seeds.entries()) {
    const part = partOf(options, `${table.name}, splits`, run, seeds.length);
    const split = splitTable(table, seed);
    mean.push(errorOfMean(split));
    const single = await fitLinearPath(randomBagData(split, 1, seed), [0], part);
    individual.push(testError(single.models[0], split));
    for (const [i, bagSize] of bagSizes.entries()) {
      const { models } = await fitLinearPath(randomBagData(split, bagSize, seed), rhos, part);
      models.forEach((model, j) => {
        errors[i][j].push(testError(model, split));
      });
    }
  }
  const figures: LinearTableFigures = {
    individual: measure(individual),
    mean: measure(mean),
    cells: bagSizes.flatMap((bagSize, i) =>
      rhos.map((rho, j) => ({
        ...{ bagSize, rho, error: measure(errors[i][j]), reference: reference.cells[i][j] },
      })),
    ),
    reference,
  };
  const { rows, cols } = table.features;
  return {
    id,
    title: `${table.name}: linear models from bags`,
    setting: {
      dataset: table.name,
      rows,
      columns: cols,
      ...(table.dropped.length > 0 ? { leftOut: table.dropped.map(({ column }) => column) } : {}),
      ...{ bagSizes, rhos, splits: seeds.length },
    },
    figures,
    verdicts: verdictsOf(figures, bagSizes, rhos, rows, cols),
  };
}

/**
 * Splits are other ones than the reference's, whose ten differ among themselves: so errors are compared as shares of the error of
 * predicting the mean. Bag-level fits with hardly more bags than columns have no stable mean and are left out of that.
 */
function verdictsOf(
  { individual, mean, cells, reference }: LinearTableFigures,
  bagSizes: readonly number[],
  rhos: readonly number[],
  rows: number,
  columns: number,
): Verdict[] {
  const at = (bagSize: number, rho: number) =>
    cells.find((cell) => cell.bagSize === bagSize && cell.rho === rho)!.error.mean;
  const stable = cells.filter(({ bagSize, rho }) => rho > 0 || 0.75 * rows > 2 * bagSize * columns);
  const deviations = stable.map(({ error, reference: theirs }) =>
    Math.abs(error.mean / mean.mean / (theirs / reference.mean) - 1),
  );
  const largest = bagSizes[bagSizes.length - 1];
  const small = rhos.find((rho) => rho > 0)!;
  return [
    judge(
      'individual labels: share of the error of predicting the mean, over that of the reference',
      individual.mean / mean.mean / (reference.individual / reference.mean),
      { low: 0.85, high: 1.15, unit: 'ratio' },
    ),
    judge('every stable cell is that of the reference', Math.max(...deviations), {
      high: 0.15,
      unit: 'largest relative difference',
    }),
    ...bagSizes
      .filter((bagSize) => bagSize >= 10)
      .map((bagSize) =>
        judge(
          `bags of ${bagSize}: a small ρ > 0 beats both ends`,
          at(bagSize, small) / Math.min(at(bagSize, 0), at(bagSize, 1)),
          { high: 1, unit: 'ratio of errors' },
        ),
      ),
    judge(`bags of ${largest}: ρ = 1 is close to predicting the mean`, at(largest, 1) / mean.mean, {
      low: 0.9,
      high: 1.05,
      unit: 'ratio of errors',
    }),
  ];
}
