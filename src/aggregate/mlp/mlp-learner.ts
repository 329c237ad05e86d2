// Networks from bag means: minibatches of whole bags, any share of the instance-level loss.

import {
  requireInteger,
  requireNumber,
  requireOneOf,
  requirePositive,
  requireSeed,
} from '../../core/check.ts';
import { DataError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { adam, createTrainer, type Optimizer, runEpochs, type Tensors } from '../../training/index.ts';
import { bagSize } from '../bags/bags.ts';
import { AGGREGATIONS, type AggregateIn, LOSSES, type LossName } from '../losses/loss-functions.ts';
import { requireAggregateData, type Unassigned } from '../models/require-data.ts';
import type { AggregateData, AggregateModel, Learner } from '../types.ts';
import { bagStep, shuffledSteps, stepShape } from './bag-batches.ts';
import { chooseRho, type MlpCrossValidation } from './choose-rho.ts';
import { layersOf, mlpModel } from './mlp-model.ts';
import { tracedLoss } from './traced-loss.ts';

export interface MlpLearnerOptions {
  /** Units of each hidden layer, with a ReLU after each; [] fits a (generalised) linear model. Default [64, 64]. */
  hidden?: readonly number[];
  /** Passes over the bags. Default 200. */
  epochs?: number;
  /** Whole bags in a step. Default: as many as make about 64 samples, at least 1. */
  bagsPerStep?: number | undefined;
  /** Step size. Default 1e-3. */
  learningRate?: number;
  /** Default Adam. */
  optimizer?: Optimizer;
  /** 'square' for means, 'logistic' for probabilities, 'poisson' for rates. Default 'square'. */
  loss?: LossName;
  /** Whether the bag-level loss averages probabilities and rates ('mean', calibrated for sums) or logits and log-rates ('link', convex in them). Default 'mean'. */
  aggregateIn?: AggregateIn;
  /** What to do about samples in no bag. Default 'ignore'. */
  unassigned?: Unassigned;
  /** How ρ 'cv' is chosen. */
  crossValidation?: MlpCrossValidation;
}

/**
 * A learner of multilayer perceptrons on (1 − ρ) · bag-level + ρ · instance-level loss.
 *
 * Steps are made of whole bags: splitting one would train another loss. Features are standardised by the samples in bags, and
 * with 'square' so are the responses. Bags count by their sizes; `noiseVariance` is not used to weight them. With 'logistic'
 * noisy means are clipped to [0, 1], with 'poisson' to ≥ 0: post-processing, so privacy is kept. Equal seed and machine: equal bits.
 *
 * `fit` throws {ShapeError} {InvalidArgumentError} {DataError} for data that do not fit, {NumericalError} when training diverges,
 * {MissingDependencyError} without jax-js.
 *
 * @throws {InvalidArgumentError} an option leaves its range
 *
 * Time O(epochs · n · parameters); with 'cv' × (folds · grid + 1). Source: arXiv 2401.11081.
 *
 * @example
 * const model = await mlpLearner({ hidden: [64] }).fit({ features, bags, means }, { rho: 0.01, seed: 0 });
 * model.predict(features);
 */
export function mlpLearner(options: MlpLearnerOptions = {}): Learner {
  const settings = resolve(options);
  return {
    name: 'mlp',
    async fit(data, call) {
      requireSeed('mlpLearner: seed', call.seed);
      if (call.rho !== 'cv') requireRho('mlpLearner: rho', call.rho, settings.loss);
      requireAggregateData('mlpLearner', data, settings.unassigned);
      const checked = withinRange(data, settings.loss);
      if (call.rho !== 'cv') return train(checked, call.rho, settings, call.seed, call);
      const rho = await chooseRho(checked, call, settings.crossValidation, (part, at, run) =>
        train(part, at, settings, call.seed, run),
      );
      return train(checked, rho, settings, call.seed, call);
    },
  };
}

type Settings = ReturnType<typeof resolve>;

function resolve(options: MlpLearnerOptions) {
  const {
    hidden = [64, 64],
    epochs = 200,
    learningRate = 1e-3,
    optimizer = adam(),
    loss = 'square',
    aggregateIn = 'mean',
    unassigned = 'ignore',
    crossValidation = {},
    bagsPerStep,
  } = options;
  hidden.forEach((units, i) => {
    requireInteger(`mlpLearner: hidden[${i}]`, units, 1);
  });
  requireInteger('mlpLearner: epochs', epochs, 1);
  if (bagsPerStep !== undefined) requireInteger('mlpLearner: bagsPerStep', bagsPerStep, 1);
  requirePositive('mlpLearner: learningRate', learningRate);
  requireOneOf('mlpLearner: loss', loss, LOSSES);
  requireOneOf('mlpLearner: aggregateIn', aggregateIn, AGGREGATIONS);
  crossValidation.grid?.forEach((rho, i) => {
    requireRho(`mlpLearner: crossValidation.grid[${i}]`, rho, loss);
  });
  requireOneOf('mlpLearner: unassigned', unassigned, ['error', 'ignore']);
  return {
    ...{ hidden, epochs, learningRate, optimizer, loss, aggregateIn, unassigned, crossValidation },
    bagsPerStep,
  };
}

/** Above 1 the bag-level loss counts negatively: with a loss that is not the square one the objective has no minimum. */
function requireRho(name: string, rho: number, loss: LossName): void {
  requireNumber(name, rho, 0, loss === 'square' ? Infinity : 1);
}

const ROWS_PER_STEP = 64;

async function train(
  data: AggregateData,
  rho: number,
  settings: Settings,
  seed: number,
  { signal, onProgress }: RunOptions,
): Promise<AggregateModel> {
  const { hidden, epochs, learningRate, optimizer, loss, aggregateIn } = settings;
  const { bags } = data;
  const { centers, scales, features } = standardised(data);
  const { center, scale } = loss === 'square' ? responseUnits(data) : { center: 0, scale: 1 };
  const columns = data.features.cols;
  const rows = { features, columns, bags, targets: data.means.map((mean) => (mean - center) / scale) };
  const meanSize = bags.members.length / (bags.offsets.length - 1);
  const shape = stepShape(bags, settings.bagsPerStep ?? Math.max(1, Math.round(ROWS_PER_STEP / meanSize)));

  const rng = createRng(seed).fork('mlpLearner');
  const widths = [columns, ...hidden, 1];
  using trainer = await createTrainer(initialTensors(widths, rng.fork('init')), {
    loss: tracedLoss({ loss, aggregateIn, rho, hiddenLayers: hidden.length }),
    optimizer,
  });
  let steps: Uint32Array[] = [];
  await runEpochs({
    epochs,
    stepsPerEpoch: shape.steps,
    step(epoch, index) {
      if (index === 0) steps = shuffledSteps(bags, shape, rng.fork('order').fork(epoch));
      return trainer.step(bagStep(rows, steps[index], shape), learningRate);
    },
    ...{ signal, onProgress, phase: 'training on bags' },
  });
  const layers = layersOf(await trainer.parameters(), widths.length - 1);
  return mlpModel({ loss, widths, ...layers, centers, scales, center, scale });
}

/** He initialisation (arXiv 1502.01852, §2.2); biases zero. */
function initialTensors(widths: readonly number[], rng: Rng): Tensors {
  const tensors: Tensors = {};
  for (let i = 0; i + 1 < widths.length; i++) {
    const layer = rng.fork(i);
    const scale = Math.sqrt(2 / widths[i]);
    const data = Float32Array.from({ length: widths[i] * widths[i + 1] }, () => scale * layer.normal());
    tensors[`layers.${i}.weight`] = { shape: [widths[i], widths[i + 1]], data };
    tensors[`layers.${i}.bias`] = { shape: [widths[i + 1]], data: new Float32Array(widths[i + 1]) };
  }
  return tensors;
}

/** Mean and standard deviation of each feature over the samples in bags; constant features are only moved. */
function standardised({ features: { data, rows, cols }, bags: { members } }: AggregateData) {
  const centers = new Float64Array(cols);
  const scales = new Float64Array(cols);
  for (const i of members) for (let j = 0; j < cols; j++) centers[j] += data[i * cols + j] / members.length;
  for (const i of members) {
    for (let j = 0; j < cols; j++) scales[j] += (data[i * cols + j] - centers[j]) ** 2 / members.length;
  }
  for (let j = 0; j < cols; j++) {
    const scale = Math.sqrt(scales[j]);
    // A constant column leaves rounding noise of this size, which must not be blown up to spread 1.
    scales[j] = scale > 1e-14 * Math.abs(centers[j]) * Math.sqrt(members.length) ? scale : 1;
  }
  const features = new Float32Array(rows * cols);
  for (const i of members) {
    for (let j = 0; j < cols; j++) features[i * cols + j] = (data[i * cols + j] - centers[j]) / scales[j];
  }
  return { centers, scales, features };
}

/** Mean of the responses and about the spread of single ones: of bag means times √size, which it is for random bags. */
function responseUnits({ means, bags }: AggregateData): { center: number; scale: number } {
  const total = bags.members.length;
  let center = 0;
  means.forEach((mean, a) => {
    center += (bagSize(bags, a) / total) * mean;
  });
  let square = 0;
  means.forEach((mean, a) => {
    square += (bagSize(bags, a) * (mean - center) ** 2) / means.length;
  });
  return { center, scale: square > 0 ? Math.sqrt(square) : 1 };
}

/** Noisy means brought back to where the loss is defined. */
function withinRange(data: AggregateData, loss: LossName): AggregateData {
  if (loss === 'square') return data;
  const noisy = data.noiseVariance?.some((variance) => variance > 0) ?? false;
  const high = loss === 'logistic' ? 1 : Infinity;
  data.means.forEach((mean, a) => {
    if (!noisy && !(mean >= 0 && mean <= high)) {
      throw new DataError(
        `mlpLearner: the mean of bag ${a} is ${mean}; expected ${loss === 'logistic' ? 'a proportion in [0, 1]' : 'a rate ≥ 0'}, or noiseVariance. ` +
          'Divide sums by the size of their bag.',
      );
    }
  });
  return { ...data, means: data.means.map((mean) => Math.min(Math.max(mean, 0), high)) };
}
