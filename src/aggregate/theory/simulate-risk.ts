// Monte Carlo beside the closed form: the risk of runs of finite size, with their spread.

import { requireInteger, requireNumber, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { summarize } from '../../core/statistics/index.ts';
import { symmetricSolver } from '../models/symmetric-solver.ts';
import { type RiskSetting, requireRiskSetting } from './asymptotic-risk.ts';
import {
  type BagDesign,
  type ColumnNorms,
  drawDesign,
  drawSortedNorms,
  limitSortedNorms,
} from './bag-design.ts';
import type { Prior } from './curated-risk.ts';
import { meanNoiseVariance, type PrivacySetting, requirePrivacy } from './private-risk.ts';

export interface SimulationSetting extends RiskSetting {
  /** d: n is ψd rounded, and samples beyond a whole number of bags are left out. */
  features: number;
  /** Values of ρ ≥ 0, all tried on the same draws. */
  rhos: readonly number[];
  /** Bags are cut from the order of this prior. Default: random bags. */
  prior?: Prior | undefined;
  /** Release of the bag means. Its noise is drawn normal with the variance of the Laplace noise, which alone enters the risk. Default: none. */
  privacy?: PrivacySetting | undefined;
}

export interface SimulationOptions extends RunOptions {
  /** Independent runs, ≥ 2. Default 100. */
  repeats?: number;
  /** Seed of every draw; runs have streams of their own. Default 0. */
  seed?: number;
}

/** Over the runs, for one ρ; Infinity where the estimate is not unique. */
export interface SimulatedRisk {
  rho: number;
  /** Mean of ‖θ̂ − θ‖², squared units of the response. */
  mean: number;
  standardError: number;
  /** Nine runs in ten lie between: 5 % and 95 % quantiles of single runs. */
  low: number;
  high: number;
  /** Mean of ‖E[θ̂ | bags] − θ‖². */
  squaredBias: number;
  /** Mean of ‖θ̂ − E[θ̂ | bags]‖². */
  variance: number;
}

/**
 * Fits linear models to bags of drawn features N(0, I) and responses, and reports how far off they are (for other covariances see `RiskSetting`).
 *
 * Draws the sufficient statistics (√k x̄_a i.i.d. N(0, I), the within-bag scatter a Wishart matrix), not the samples: the
 * same distribution at a cost that does not depend on n.
 *
 * @returns one entry for each of `rhos`
 * @throws {InvalidArgumentError} an argument leaves its range, or there are fewer samples than in a bag
 *
 * Time O(repeats · rhos · d³), for curated bags of up to 20 000 samples + O(repeats · n log n); cancellable between runs.
 * Source: derived; the model is that of arXiv 2401.11081.
 */
export async function simulateRisk(
  setting: SimulationSetting,
  options: SimulationOptions = {},
): Promise<SimulatedRisk[]> {
  const { repeats = 100, seed = 0, signal: abort, onProgress } = options;
  requireSimulation(setting);
  requireInteger('simulateRisk: repeats', repeats, 2);
  requireSeed('simulateRisk: seed', seed);
  const rng = createRng(seed).fork('simulateRisk');
  const limit = limitOf(setting);
  const runs: Errors[][] = setting.rhos.map(() => []);
  for (let run = 0; run < repeats; run++) {
    abort?.throwIfAborted();
    onProgress?.({ phase: 'simulated runs', done: run, total: repeats });
    simulateOnce(setting, limit, rng.fork(run)).forEach((errors, i) => {
      runs[i].push(errors);
    });
    await yieldToEventLoop();
  }
  return runs.map((errors, i) => summary(setting.rhos[i], errors));
}

/** ‖·‖² of the whole error of one fit, and of its two parts. */
interface Errors {
  loss: number;
  squaredBias: number;
  variance: number;
}

/** Samples up to which their order is drawn. Beyond, the norms it gives vary by less than 1 %, and their limit serves all runs. */
const MOST_SORTED = 20_000;

function limitOf(setting: SimulationSetting): ColumnNorms | undefined {
  const samples = stageSamples(setting);
  if (!setting.prior || samples <= MOST_SORTED) return undefined;
  return limitSortedNorms(Math.floor(samples / setting.bagSize), setting.bagSize);
}

/** Samples of the fit that is reported: half of all when a first stage trains the prior. */
function stageSamples({ psi, features, prior }: SimulationSetting): number {
  const all = Math.round(psi * features);
  return prior && 'firstStageRho' in prior ? Math.floor(all / 2) : all;
}

function simulateOnce(setting: SimulationSetting, limit: ColumnNorms | undefined, rng: Rng): Errors[] {
  const { features: d, bagSize, rhos, prior, signal } = setting;
  const bags = Math.floor(stageSamples(setting) / bagSize);
  const shape = { bags, bagSize, features: d };
  const theta = new Float64Array(d);
  theta[0] = Math.sqrt(signal);
  if (!prior) return fitAll(setting, drawDesign(shape, rng), theta, rhos).map(({ errors }) => errors);

  let correlation: number;
  if ('correlation' in prior) correlation = prior.correlation;
  else {
    const design = drawDesign(shape, rng.fork('first stage'));
    const [{ estimate }] = fitAll(setting, design, theta, [prior.firstStageRho]);
    correlation = estimate ? Math.abs(estimate[0]) / Math.hypot(...estimate) : 0;
  }
  // The prior's direction becomes the first axis; θ lies in the plane of the first two.
  theta[0] = Math.sqrt(signal) * correlation;
  if (d > 1) theta[1] = Math.sqrt(signal * Math.max(0, 1 - correlation ** 2));
  const sortedNorms = limit ?? drawSortedNorms(bags, bagSize, rng.fork('order'));
  return fitAll(setting, drawDesign({ ...shape, sortedNorms }, rng), theta, rhos).map(({ errors }) => errors);
}

/** The minimiser for each ρ: (G + ρW + λdI) θ̂ = Gθ + noise. */
function fitAll(setting: SimulationSetting, design: BagDesign, theta: Float64Array, rhos: readonly number[]) {
  const { features: d, bagSize, ridge = 0, privacy } = setting;
  const { between, within } = design;
  const variance = setting.noise + (privacy ? bagSize * meanNoiseVariance(privacy, bagSize) : 0);
  const scale = Math.sqrt(variance);
  return rhos.map((rho): { errors: Errors; estimate?: Float64Array } => {
    const matrix = new Float64Array(d * d);
    const lost = new Float64Array(d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        const penalty = rho * within[i * d + j] + (i === j ? ridge * d : 0);
        matrix[i * d + j] = between[i * d + j] + penalty;
        lost[i] -= penalty * theta[j];
      }
    }
    const solver = symmetricSolver(matrix);
    if (solver.rank < d) return { errors: { loss: Infinity, squaredBias: Infinity, variance: Infinity } };
    // θ̂ − θ = M⁻¹(−(ρW + λdI)θ) + M⁻¹ noise: the bias from its own terms, without cancellation.
    const bias = solver.solve(lost);
    const noise = solver.solve(design.noise.map((value) => scale * value));
    const errors = { loss: 0, squaredBias: 0, variance: 0 };
    for (let i = 0; i < d; i++) {
      errors.loss += (bias[i] + noise[i]) ** 2;
      errors.squaredBias += bias[i] ** 2;
      errors.variance += noise[i] ** 2;
    }
    return { errors, estimate: theta.map((value, i) => value + bias[i] + noise[i]) };
  });
}

function summary(rho: number, errors: readonly Errors[]): SimulatedRisk {
  const losses = errors.map(({ loss }) => loss);
  if (!losses.every(Number.isFinite)) {
    const never = Infinity;
    return {
      rho,
      mean: never,
      standardError: never,
      low: never,
      high: never,
      squaredBias: never,
      variance: never,
    };
  }
  const { mean, variance, count } = summarize(losses);
  const sorted = losses.toSorted((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.round(q * (count - 1))];
  return {
    ...{ rho, mean, standardError: Math.sqrt(variance / count), low: quantile(0.05), high: quantile(0.95) },
    squaredBias: summarize(errors.map((e) => e.squaredBias)).mean,
    variance: summarize(errors.map((e) => e.variance)).mean,
  };
}

function requireSimulation(setting: SimulationSetting): void {
  const { features, bagSize, rhos, prior, privacy } = setting;
  requireRiskSetting('simulateRisk', setting);
  requireInteger('simulateRisk: features', features, 1, 2000);
  if (rhos.length === 0)
    throw new InvalidArgumentError('simulateRisk: rhos is empty; expected at least one ρ.');
  rhos.forEach((rho, i) => {
    requireNumber(`simulateRisk: rhos[${i}]`, rho, 0);
  });
  if (privacy) requirePrivacy('simulateRisk', privacy);
  if (prior && 'correlation' in prior) {
    requireNumber('simulateRisk: prior.correlation', prior.correlation, 0, 1);
  } else if (prior) requireNumber('simulateRisk: prior.firstStageRho', prior.firstStageRho, 0);
  const stage = stageSamples(setting);
  if (stage < bagSize) {
    throw new InvalidArgumentError(
      `simulateRisk: ${stage} samples do not fill a bag of ${bagSize}. Take more features, a larger psi or smaller bags.`,
    );
  }
}
