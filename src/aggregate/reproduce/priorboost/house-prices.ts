// The tour's protocol: house prices learnt from means of k homes, exact and under label privacy.

import { audit, type Certificate } from '../../../core/certificate.ts';
import { loadBoston } from '../../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../../reproduce/protocol.ts';
import { boostCertified, fitIndividual, fitRandom } from './arms.ts';
import { splitTable, type TableSplit } from './table-split.ts';

export const HOUSE_METHODS = ['random bags, ρ = 1', 'random bags, ρ = 0', 'PriorBoost'] as const;
export type HouseMethod = (typeof HOUSE_METHODS)[number];

export interface HousePricesOptions extends ProtocolOptions {
  /** Default [2, 5, 10, 20]. */
  bagSizes?: readonly number[] | undefined;
  /** ε of each stage, and so of the run. Default 4: with 380 rows to train on, less drowns all methods alike. */
  epsilon?: number | undefined;
}

/** Test errors, (1000 $)². */
export interface HouseErrors {
  single: Measured;
  /** By method, shape (bag sizes,). */
  methods: Record<HouseMethod, Measured[]>;
}

export interface HousePricesReport {
  exact: HouseErrors;
  private: HouseErrors;
  /** Of predicting the mean price. */
  mean: Measured;
  /** Of PriorBoost at the second bag size and the first seed, audited against the fit to single labels. */
  certificate: Certificate;
}

/** Least share of the gap to recover, by bag size. */
const REQUIRED: Readonly<Record<number, number>> = { 5: 0.7, 10: 0.55 };

/** Prices are capped at 50 in the table, so these bounds are public. */
const BOUNDS = [0, 50] as const;

/**
 * Boston house prices: PriorBoost (preset `best`, two stages), random bags and single labels, on 10 random splits by default. About 12 s on two
 * busy cores.
 *
 * @throws {MissingDependencyError} the table is not installed
 */
export async function reproduceHousePrices(
  options: HousePricesOptions = {},
): Promise<ProtocolReport<HousePricesReport>> {
  const { bagSizes = [2, 5, 10, 20], epsilon = 4, seeds = firstSeeds(10) } = options;
  const table = await loadBoston();
  const splits = seeds.map((seed) => ({ seed, split: splitTable(table, seed) }));
  const exact = await errorsOf(splits, bagSizes, undefined, options);
  const noisy = await errorsOf(splits, bagSizes, { bounds: BOUNDS, epsilon }, options);
  const [{ seed, split }] = splits;
  const certificate = await auditedRun(split, bagSizes[Math.min(1, bagSizes.length - 1)], seed);
  const shares = bagSizes.map((_, j) => {
    const { methods, single } = exact;
    const random = methods['random bags, ρ = 1'][j].mean;
    return (random - methods.PriorBoost[j].mean) / (random - single.mean);
  });
  const last = bagSizes.length - 1;
  return {
    id: 'tour',
    title: 'House prices from means',
    setting: { table: table.name, rows: table.features.rows, bagSizes, epsilon, bounds: '0 … 50', seeds },
    figures: {
      exact,
      private: noisy,
      mean: measure(splits.map((own) => own.split.meanScore)),
      certificate,
    },
    verdicts: [
      ...bagSizes.flatMap((k, j) =>
        REQUIRED[k] === undefined
          ? []
          : judge(
              `k = ${k}: PriorBoost recovers what random bags at ρ = 1 lose to single labels`,
              shares[j],
              {
                low: REQUIRED[k],
                unit: 'share of the gap',
              },
            ),
      ),
      judge(
        `k = ${bagSizes[last]}: with few bags PriorBoost beats the bag-level loss on random bags`,
        exact.methods.PriorBoost[last].mean / exact.methods['random bags, ρ = 0'][last].mean,
        { high: 0.9, unit: 'ratio of errors' },
      ),
    ],
  };
}

async function errorsOf(
  splits: readonly { seed: number; split: TableSplit }[],
  bagSizes: readonly number[],
  privacy: { bounds: readonly [number, number]; epsilon: number } | undefined,
  options: HousePricesOptions,
): Promise<HouseErrors> {
  const single: number[] = [];
  const errors = new Map(HOUSE_METHODS.map((name) => [name, bagSizes.map((): number[] => [])]));
  for (const [i, { seed, split }] of splits.entries()) {
    const { features, responses, learner, score } = split;
    const base = { features, responses, learner, bagSize: 1, seed, privacy };
    single.push(score(await fitIndividual(base)));
    for (const [j, bagSize] of bagSizes.entries()) {
      const phase = privacy ? 'with label privacy' : 'exact means';
      partOf(options, phase, i * bagSizes.length + j, splits.length * bagSizes.length);
      const input = { ...base, bagSize };
      const models = [
        await fitRandom(input, 1),
        await fitRandom(input, 0),
        (await boostCertified(input, { preset: 'best', stages: 2, signal: options.signal })).value.model,
      ];
      HOUSE_METHODS.forEach((name, at) => {
        errors.get(name)![j].push(score(models[at]));
      });
    }
  }
  const methods = HOUSE_METHODS.map((name) => [name, errors.get(name)!.map(measure)]);
  return { single: measure(single), methods: Object.fromEntries(methods) };
}

async function auditedRun(split: TableSplit, bagSize: number, seed: number): Promise<Certificate> {
  const { features, responses, learner } = split;
  const input = { features, responses, learner, bagSize, seed };
  const result = await boostCertified(input, { preset: 'best', stages: 2 });
  const single = (await fitIndividual(input)).predict(features);
  const own = result.value.model.predict(features);
  // The last fit of this preset has the bags of all stages, so all rows.
  const error = own.reduce((sum, value, i) => sum + (value - single[i]) ** 2 / own.length, 0);
  return audit(result, error, `all ${own.length} rows, against the fit to single labels`).certificate;
}
