// How well each stage's bags were cut, and how much of what single labels give was recovered.

import type { Matrix64 } from '../../core/matrix.ts';
import type { Bags } from '../bags/bags.ts';
import { withinBagSquares } from '../bags/squares.ts';
import type { AggregateModel } from '../types.ts';
import { predictMembers, type StageFitting } from './fit-stages.ts';
import { cuttingModel } from './plan.ts';
import { type BagOrigin, bagsOf, type PriorBoostState, type StageRecord } from './state.ts';

/** Sum of squares within bags and its share of all squares about the mean: 0 when bags are of equals, about 1 − 1/k when random. */
export interface WithinSquares {
  /** (Unit of the responses)². */
  squares: number;
  /** Dimensionless, in [0, 1]; 0 when all values are equal. */
  share: number;
}

/** Least-squares line of mean answers on mean predictions, bags weighted by their sizes. */
export interface Calibration {
  intercept: number;
  /** 1: calibrated; above 1: predictions are shrunk towards their mean. */
  slope: number;
}

export interface StageDiagnostics {
  stage: string;
  purpose: StageRecord['purpose'];
  origin: BagOrigin;
  samples: number;
  bags: number;
  /** Of the predictions that the bags were cut by; undefined for random bags. */
  within?: WithinSquares | undefined;
  /** Of the true means, when they were given. */
  truthWithin?: WithinSquares | undefined;
  /** Of the model before, which has not seen these answers; undefined for random bags or when its predictions are all equal. */
  calibration?: Calibration | undefined;
  /** Estimated c in prediction ≈ c · true mean, 1 / slope; undefined without a positive slope. */
  shrinkage?: number | undefined;
  /** Loss of this stage's model on the validation bags; undefined without them. */
  validationLoss?: number | undefined;
  /** What `evaluate` says of this stage's model. */
  error?: number | undefined;
  /** Share of the way from the error of random bags to that of single labels, when both were given. */
  recovered?: number | undefined;
}

export interface DiagnosticsOptions {
  /** True mean response of every sample, shape (n,): synthetic data only. */
  truth?: Float64Array | undefined;
  /** Error of a model on data of yours, in any unit; smaller is better. */
  evaluate?: ((model: AggregateModel) => number | Promise<number>) | undefined;
  /** Errors, by `evaluate`, of models fitted to random bags and to single labels. */
  reference?: { random: number; individual: number } | undefined;
}

/**
 * @param values - one for each sample of the table, shape (samples,), finite; only those in bags count
 *
 * O(n).
 */
export function withinShare(values: Float64Array, bags: Bags): WithinSquares {
  const squares = withinBagSquares(values, bags);
  const all = withinBagSquares(values, { ...bags, offsets: Uint32Array.of(0, bags.members.length) });
  return { squares, share: all > 0 ? Math.min(1, squares / all) : 0 };
}

/** Share of the gap between two errors that a third one closes: 0 at `random`, 1 at `individual`, above 1 when better than it. */
export function recoveredShare(
  error: number,
  { random, individual }: { random: number; individual: number },
): number {
  return (random - error) / (random - individual);
}

/** Diagnostics of every answered stage. @param models - of the training stages, in their order */
export async function diagnoseStages(
  state: PriorBoostState,
  features: Matrix64,
  models: readonly AggregateModel[],
  { truth, evaluate, reference }: DiagnosticsOptions,
  fitting: Pick<StageFitting, 'restore'>,
): Promise<StageDiagnostics[]> {
  const rows: StageDiagnostics[] = [];
  let t = 0;
  for (const stage of state.stages) {
    const { name, purpose, origin, members, offsets, answers } = stage;
    if (answers === null) continue;
    const bags = bagsOf(state, stage);
    const cutBy = origin === 'random' ? undefined : cuttingModel(state, stage, fitting);
    const predictions = cutBy && predictMembers(cutBy, features, members);
    const calibration = predictions && calibrate(predictions, stage);
    const model = purpose === 'train' ? models[t++] : undefined;
    const error = model && evaluate ? await evaluate(model) : undefined;
    rows.push({
      ...{ stage: name, purpose, origin: origin!, samples: members.length, bags: offsets!.length - 1 },
      within: predictions && withinShare(spread(predictions, bags), bags),
      truthWithin: truth && withinShare(truth, bags),
      calibration,
      shrinkage: calibration && calibration.slope > 0 ? 1 / calibration.slope : undefined,
      validationLoss: stage.validationLoss ?? undefined,
      error,
      recovered: error !== undefined && reference ? recoveredShare(error, reference) : undefined,
    });
  }
  return rows;
}

function calibrate(predictions: Float64Array, { offsets, answers }: StageRecord): Calibration | undefined {
  const { means } = answers!;
  const n = predictions.length;
  let meanX = 0;
  let meanY = 0;
  const x = means.map((y, a) => {
    const size = offsets![a + 1] - offsets![a];
    let sum = 0;
    for (let i = offsets![a]; i < offsets![a + 1]; i++) sum += predictions[i];
    meanX += sum / n;
    meanY += (size / n) * y;
    return sum / size;
  });
  let xx = 0;
  let xy = 0;
  means.forEach((y, a) => {
    const size = offsets![a + 1] - offsets![a];
    xx += size * (x[a] - meanX) ** 2;
    xy += size * (x[a] - meanX) * (y - meanY);
  });
  // Differences that rounding alone made have no direction.
  if (!(xx > n * (meanX * Number.EPSILON * 8) ** 2)) return undefined;
  return { slope: xy / xx, intercept: meanY - (xy / xx) * meanX };
}

/** Predictions at the places of their samples; samples of other stages do not count and stay 0. */
function spread(predictions: Float64Array, { members, samples }: Bags): Float64Array {
  const values = new Float64Array(samples);
  for (let i = 0; i < members.length; i++) values[members[i]] = predictions[i];
  return values;
}
