// Protocol A0: two real tables whose labels are seen through bags only: what is lost, with exact and with private means.

import { audit, type Certificate, type Certified } from '../../core/certificate.ts';
import { loadBoston, loadCpsWages, type ResponseTable } from '../../data/datasets/index.ts';
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
import {
  type AggregateData,
  fitLinear,
  type LinearFit,
  type Plan,
  planAggregation,
  simulateBagMeans,
} from '../index.ts';
import { errorOfMean, randomBagData, type Split, splitTable, testError } from './test-error.ts';

export interface RealTablesOptions extends ProtocolOptions {
  /** Sizes of bags, ≥ 2, ascending; single labels come in any case. Default [2, 5, 10, 20]. */
  bagSizes?: readonly number[];
  /** ε of each label. Default 2. */
  epsilon?: number;
}

/** Errors on single test samples, in squared units of the response. */
export interface SizeFigures {
  bagSize: number;
  /** Exact means, ρ by cross-validation. */
  exact: Measured;
  /** Exact means, ρ from the plan for exact means. */
  exactPlanned: Measured;
  /** Means released with ε-label privacy, ρ by cross-validation over them. */
  released: Measured;
  /** The same means, ρ from the plan for private ones. */
  releasedPlanned: Measured;
  /** ρ of the two plans for bags of this size. */
  plannedRho: { exact: number; released: number };
  /** ρ chosen for exact means, one a run. */
  rhos: number[];
}

export interface RealTableFigures {
  table: string;
  rows: number;
  columns: number;
  responseName: string;
  dropped: string[];
  bounds: readonly [number, number];
  /** Predicting every test sample by the mean of the training samples. */
  mean: Measured;
  bySize: SizeFigures[];
  /** What the planner expects of the same numbers of samples and features, with exact and with private means. */
  plans: { exact: Plan; released: Plan };
  /** Variance of the response about a linear model, from all rows: what the plan is told, and adds to its risks. */
  noise: number;
  certificates: {
    /** Coefficients from bags of at most 5 and exact means, first run; audited against those of single labels. */
    fit?: Certificate;
    plan: Certificate;
  };
}

/** Bounds that are public: the source caps Boston's values at 50 (thousand dollars); wages from 1 to 55 dollars an hour. */
const TABLES: { load: () => Promise<ResponseTable>; bounds: readonly [number, number] }[] = [
  { load: () => loadBoston(), bounds: [5, 50] },
  { load: () => loadCpsWages(), bounds: [0, 4] },
];

/** Default: twenty splits of each table, about 3 s. @throws {MissingDependencyError} a table is not installed */
export async function reproduceRealTables(
  options: RealTablesOptions = {},
): Promise<ProtocolReport<RealTableFigures[]>> {
  const { epsilon = 2, seeds = firstSeeds(20) } = options;
  const bagSizes = [1, ...(options.bagSizes ?? [2, 5, 10, 20])];
  const figures: RealTableFigures[] = [];
  for (const [i, { load, bounds }] of TABLES.entries()) {
    const table = await load();
    const run = partOf(options, table.name, i, TABLES.length);
    figures.push(await figuresOf(table, bounds, { bagSizes, epsilon, seeds, ...run }));
  }
  return {
    id: 'tour',
    title: 'Learning from bag means',
    setting: { tables: figures.map(({ table }) => table), bagSizes, epsilon, splits: seeds.length },
    figures,
    verdicts: figures.flatMap(verdictsOf),
  };
}

interface Settings {
  bagSizes: readonly number[];
  epsilon: number;
  seeds: readonly number[];
  signal?: AbortSignal | undefined;
}

async function figuresOf(
  table: ResponseTable,
  bounds: readonly [number, number],
  { bagSizes, epsilon, seeds, signal }: Settings,
): Promise<RealTableFigures> {
  const mean: number[] = [];
  const { noise, snr } = await signalOf(table);
  const { cols: columns, rows } = table.features;
  const shared = {
    samples: Math.round(0.75 * rows),
    features: columns,
    snr,
    noise,
    bagSizes,
    seed: seeds[0],
    signal,
  };
  const exactPlan = await planAggregation(shared);
  const releasedPlan = await planAggregation({ ...shared, bounds, epsilon });
  const plannedRhos = bagSizes.map((_, j) => ({
    exact: exactPlan.value.byBagSize[j].rho,
    released: releasedPlan.value.byBagSize[j].rho,
  }));
  const runs = bagSizes.map(() => ({
    exact: [] as number[],
    exactPlanned: [] as number[],
    released: [] as number[],
    releasedPlanned: [] as number[],
    rhos: [] as number[],
  }));
  let single: Float64Array | undefined;
  let shown: Certified<LinearFit> | undefined;
  for (const seed of seeds) {
    const split = splitTable(table, seed);
    mean.push(errorOfMean(split));
    for (const [j, bagSize] of bagSizes.entries()) {
      const data = randomBagData(split, bagSize, seed);
      const exact = await fitByValidation(data, split, seed, signal);
      runs[j].exact.push(exact.error);
      runs[j].rhos.push(exact.fit.value.rho);
      if (bagSize === 1 && seed === seeds[0]) single = exact.fit.value.coefficients;
      if (bagSize > 1 && bagSize <= 5 && seed === seeds[0]) shown = exact.fit;
      const { value } = simulateBagMeans(split.response, data.bags, { bounds, epsilon, seed });
      const noisy = { ...data, means: value.means, noiseVariance: value.noiseVariance };
      runs[j].released.push((await fitByValidation(noisy, split, seed, signal)).error);
      const errorAt = async (answers: AggregateData, rho: number) =>
        testError((await fitLinear(answers, { rho, signal })).value.model, split);
      runs[j].exactPlanned.push(await errorAt(data, plannedRhos[j].exact));
      runs[j].releasedPlanned.push(await errorAt(noisy, plannedRhos[j].released));
    }
  }
  return {
    table: table.name,
    ...{ rows, columns },
    responseName: table.responseName,
    dropped: table.dropped.map(({ column }) => column),
    ...{ bounds, noise, mean: measure(mean) },
    bySize: bagSizes.map((bagSize, j) => ({
      bagSize,
      exact: measure(runs[j].exact),
      exactPlanned: measure(runs[j].exactPlanned),
      released: measure(runs[j].released),
      releasedPlanned: measure(runs[j].releasedPlanned),
      plannedRho: plannedRhos[j],
      rhos: runs[j].rhos,
    })),
    plans: { exact: exactPlan.value, released: releasedPlan.value },
    certificates: {
      ...(shown && single ? { fit: auditedBy(shown, single) } : {}),
      plan: releasedPlan.certificate,
    },
  };
}

async function fitByValidation(
  data: AggregateData,
  split: Split,
  seed: number,
  signal: AbortSignal | undefined,
) {
  const fit = await fitLinear(data, { rho: 'cv', seed, signal });
  return { fit, error: testError(fit.value.model, split) };
}

/** The true coefficients are unknown; those of single labels stand in for them. */
function auditedBy(fit: Certified<LinearFit>, single: Float64Array): Certificate {
  const error = Math.hypot(...fit.value.coefficients.map((value, j) => value - single[j]));
  return audit(fit, error, 'the fit of individual labels to the same rows').certificate;
}

/** σ² and SNR of the whole table by single labels: a planner would take them from an earlier study. */
async function signalOf(table: ResponseTable): Promise<{ noise: number; snr: number }> {
  const { features, response } = table;
  const split = { features, response, testFeatures: features, testResponse: response };
  const { value } = await fitLinear(randomBagData(split, 1, 0), { rho: 0 });
  const noise = value.residualVariance!;
  return { noise, snr: Math.max(0, errorOfMean(split) / noise - 1) };
}

function verdictsOf({ table, mean, bySize, plans, noise }: RealTableFigures): Verdict[] {
  const [single] = bySize;
  const five = bySize.find(({ bagSize }) => bagSize >= 5) ?? bySize[bySize.length - 1];
  const last = bySize[bySize.length - 1];
  const bags = bySize.filter(({ bagSize }) => bagSize > 1);
  const recovered = (mean.mean - five.exact.mean) / (mean.mean - single.exact.mean);
  const planned = plans.exact.byBagSize.map(({ risk }) => risk + noise);
  return [
    judge(`${table}: bags of ${five.bagSize} keep most of what individual labels teach`, recovered, {
      low: 0.5,
      unit: 'of the gain over predicting the mean',
    }),
    judge(
      `${table}: the planner foretells the errors of exact means at every bag size`,
      Math.max(...bySize.map((row, j) => Math.abs(row.exactPlanned.mean / planned[j] - 1))),
      { high: 0.2, unit: 'largest relative difference' },
    ),
    judge(
      `${table}: bags of ${last.bagSize} with the planned ρ still beat predicting the mean`,
      last.exactPlanned.mean / mean.mean,
      { high: 1, unit: 'ratio of errors' },
    ),
    judge(
      `${table}: under privacy bags with the planned ρ beat noised individual labels`,
      Math.min(...bags.map(({ releasedPlanned }) => releasedPlanned.mean)) / single.releasedPlanned.mean,
      { high: 1, unit: 'ratio of errors' },
    ),
    judge(
      `${table}: the planned ρ beats cross-validation, which has few bags to score by`,
      meanRatio(bags.map(({ exactPlanned, exact }) => exactPlanned.mean / exact.mean)),
      { high: 1, unit: 'mean ratio of errors' },
    ),
    judge(
      `${table}: and more so under privacy, where their means are noisy too`,
      meanRatio(bags.map(({ releasedPlanned, released }) => releasedPlanned.mean / released.mean)),
      { high: 1, unit: 'mean ratio of errors' },
    ),
  ];
}

function meanRatio(ratios: readonly number[]): number {
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}
