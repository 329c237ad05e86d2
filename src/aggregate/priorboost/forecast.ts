// What a run would bring, before it spends anything: simulated on the true features, with a pilot model in the place of the truth.

import type { Certified } from '../../core/certificate.ts';
import {
  requireFinite,
  requireInteger,
  requireNumber,
  requireOneOf,
  requireProbability,
  requireSeed,
} from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type Matrix64, requireMatrix } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { studentTInterval, summarize } from '../../core/statistics/index.ts';
import { randomBags } from '../bags/chunks.ts';
import { singletonBags } from '../bags/simple.ts';
import { localBagQuery } from '../privacy/local-query.ts';
import type { AggregateModel, BagQuery, Family, Learner } from '../types.ts';
import { priorBoost } from './prior-boost.ts';
import type { PriorBoostSettingsOptions } from './settings.ts';

/** Settings of a run that may be spent on; their seed and name play no part. */
export interface ForecastCandidate extends Omit<PriorBoostSettingsOptions, 'seed' | 'run'> {
  /** What reports call it. Default: bag size, stages and ε. */
  name?: string | undefined;
  /** ε of each stage, and so of the run. Default: exact means. */
  epsilon?: number | undefined;
}

export interface ForecastOptions extends RunOptions {
  /** Stands for the truth: fitted to a pilot, to public or to historical data. */
  pilot: AggregateModel;
  /** How responses vary about their means. */
  family: Family;
  /** Variance of a response about its mean, ≥ 0: linear only, where it is needed. */
  residualVariance?: number | undefined;
  /** Public bounds [L, U] of the release, which candidates with an ε need. */
  bounds?: readonly [number, number] | undefined;
  learner: Learner;
  candidates: readonly ForecastCandidate[];
  /** Model that stage 1 is sorted by in the run. Do not pass the pilot unless the run would have it. Default: random bags. */
  prior?: AggregateModel | undefined;
  /** Simulated runs of each candidate, ≥ 2. Default 8. */
  repeats?: number | undefined;
  /** Probability that an interval misses, in (0, 1). Default 0.05. */
  failureProbability?: number | undefined;
  /** Default 0. */
  seed?: number | undefined;
}

/** Mean squared error of the predictions for all samples about their true means, (unit of the responses)². */
export interface ForecastError {
  mean: number;
  /** Half the width of its confidence interval. */
  halfWidth: number;
}

export interface Forecast {
  name: string;
  candidate: ForecastCandidate;
  boosted: ForecastError;
  /** The same bag size and ε without PriorBoost: random bags with their means as labels, and by bag means alone (not for learners of soft labels). */
  randomLabels: ForecastError;
  randomMeans: ForecastError | undefined;
  /** Single labels, each released with this ε. */
  single: ForecastError;
}

/**
 * Forecasts the error of PriorBoost and of its alternatives for some settings, by simulating all of it on the features at hand.
 *
 * @param features - shape (n, d), finite: of the samples that would be asked about
 * @returns a forecast for each candidate; the certificate bounds the deviation of the means from those of endless repeats, not that of the pilot
 * from the truth
 * @throws {InvalidArgumentError} an option leaves its range, or predictions of the pilot are no means of the family
 *
 * candidates × repeats × (stages + 3) fits. Derived; the run is that of arXiv 2402.04987.
 */
export async function forecastPriorBoost(
  features: Matrix64,
  options: ForecastOptions,
): Promise<Certified<Forecast[]>> {
  const where = 'forecastPriorBoost';
  const { pilot, candidates, repeats = 8, failureProbability = 0.05, seed = 0 } = options;
  requireMatrix(`${where}: features`, features);
  requireInteger(`${where}: repeats`, repeats, 2);
  requireInteger(`${where}: candidates.length`, candidates.length, 1);
  requireProbability(`${where}: failureProbability`, failureProbability);
  requireSeed(`${where}: seed`, seed);
  const truth = pilot.predict(features);
  const draw = responsesOf(where, truth, options);
  const rng = createRng(seed).fork('forecast');
  const forecasts: Forecast[] = [];
  for (const [c, candidate] of candidates.entries()) {
    const { epsilon, name = nameOf(candidate), ...settings } = candidate;
    if (epsilon !== undefined && !options.bounds) {
      throw new InvalidArgumentError(
        `${where}: candidate "${name}" has epsilon ${epsilon}, bounds are missing; expected public bounds.`,
      );
    }
    const errors = { boosted: [], labels: [], means: [], single: [] } as Record<string, number[]>;
    for (let repeat = 0; repeat < repeats; repeat++) {
      options.signal?.throwIfAborted();
      options.onProgress?.({
        phase: 'forecast',
        done: c * repeats + repeat,
        total: candidates.length * repeats,
      });
      // The same responses for every candidate: differences between candidates are told more sharply.
      const responses = draw(rng.fork(repeat));
      const own = rng.fork(repeat).fork('run').uint32();
      const query = simulatedQuery(responses, options.bounds, epsilon, own);
      const fit = async (bags: Parameters<BagQuery>[0], rho: number, stage: string) => {
        const data = { features, bags, ...(await query(bags, stage)) };
        return options.learner.fit(data, { rho, seed: own, signal: options.signal });
      };
      const add = (of: string, model: AggregateModel) =>
        errors[of].push(meanSquaredDifference(model.predict(features), truth));
      const { learner, prior, signal } = options;
      const run = await priorBoost({ ...settings, features, learner, prior, query, signal, seed: own });
      add('boosted', run.value.model);
      const bags = randomBags({ samples: features.rows, size: candidate.bagSize, seed: own });
      add('labels', await fit(bags, 1, 'random bags'));
      if (options.family === 'linear') add('means', await fit(bags, 0, 'random bags'));
      add('single', await fit(singletonBags({ samples: features.rows }), 1, 'single labels'));
    }
    const summary = (values: readonly number[]): ForecastError => {
      const sample = summarize(values);
      const { high } = studentTInterval(sample, { confidence: 1 - failureProbability });
      return { mean: sample.mean, halfWidth: high - sample.mean };
    };
    forecasts.push({
      ...{ name, candidate },
      boosted: summary(errors.boosted),
      randomLabels: summary(errors.labels),
      randomMeans: errors.means.length > 0 ? summary(errors.means) : undefined,
      single: summary(errors.single),
    });
  }
  return {
    value: forecasts,
    certificate: {
      statement:
        'deviation of the forecast error of PriorBoost from its mean over endless repeats, at the worst candidate',
      source:
        'derived: simulation of arXiv 2402.04987 on the given features, Student’s interval for each candidate',
      assumptions: [
        { statement: 'the pilot model is the truth', status: 'assumed' },
        { statement: `responses are independent, ${options.family} about their means`, status: 'assumed' },
        { statement: 'errors of repeats are normal', status: 'assumed' },
      ],
      bound: {
        value: Math.max(...forecasts.map(({ boosted }) => boosted.halfWidth)),
        unit: '(unit of the responses)²',
        failureProbability: Math.min(0.999, failureProbability * forecasts.length),
        scale: Math.max(...forecasts.map(({ boosted }) => boosted.mean)),
      },
      seed,
      backend: 'none',
      warnings: [],
    },
  };
}

function nameOf({ bagSize, stages = 4, epsilon }: ForecastCandidate): string {
  return `k = ${bagSize}, ${stages} stages, ${epsilon === undefined ? 'exact' : `ε = ${epsilon}`}`;
}

function simulatedQuery(
  responses: Float64Array,
  bounds: readonly [number, number] | undefined,
  epsilon: number | undefined,
  seed: number,
): BagQuery {
  return localBagQuery(responses, {
    mode: epsilon !== undefined && bounds ? { simulate: { bounds, epsilon, seed } } : 'exact',
  });
}

/** Draws one response for each mean. */
function responsesOf(
  where: string,
  truth: Float64Array,
  { family, residualVariance }: ForecastOptions,
): (rng: Rng) => Float64Array {
  requireOneOf(`${where}: family`, family, ['linear', 'logistic', 'poisson']);
  requireFinite(`${where}: predictions of the pilot`, truth);
  if (family === 'linear') {
    requireNumber(`${where}: residualVariance`, residualVariance ?? Number.NaN, 0);
    const deviation = Math.sqrt(residualVariance!);
    return (rng) => truth.map((mean) => mean + deviation * rng.normal());
  }
  const high = family === 'logistic' ? 1 : 1e6;
  truth.forEach((mean, i) => {
    requireNumber(`${where}: prediction of the pilot for row ${i}`, mean, 0, high);
  });
  if (family === 'logistic') return (rng) => truth.map((mean) => Number(rng.next() < mean));
  return (rng) => truth.map((mean) => poisson(mean, rng));
}

/** Poisson number as a sum of numbers of means of at most 16, each by multiplying uniforms (Knuth). O(mean). */
function poisson(mean: number, rng: Rng): number {
  let count = 0;
  for (let left = mean; left > 0; left -= 16) {
    const limit = Math.exp(-Math.min(left, 16));
    for (let product = rng.next(); product > limit; product *= rng.next()) count++;
  }
  return count;
}

function meanSquaredDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;
}
