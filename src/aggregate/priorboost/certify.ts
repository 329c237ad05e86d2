// What may be promised of a run's last model: the error of a linear fit given its bags, at estimates of what it depends on.

import type { Assumption, Certificate } from '../../core/certificate.ts';
import type { Matrix64 } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { PriorBoostResult } from './finish.ts';
import { errorLimit, poolError } from './pool-error.ts';
import { lastPool, pooledData } from './pooled-data.ts';

const FAILURE_PROBABILITY = 0.05;
/** Source of the error given the bags. */
const SOURCE = 'derived: error of a linear fit given features and bags, for arXiv 2402.04987';

/** Certificate of a finished run: of linear models the estimated error given their bags, of others none. */
export async function certifyRun(
  { state, rho, model, privacy }: PriorBoostResult,
  features: Matrix64,
  run: RunOptions,
): Promise<Certificate> {
  const { settings } = state;
  const pooled = lastPool(state);
  const unused = state.stages.filter(({ answers }) => answers === null).length;
  const warnings = [...state.warnings];
  if (unused > 0) {
    warnings.push(
      state.stopped
        ? `Stopped early: ${unused} stages were not asked.`
        : `${unused} stages were left without answers.`,
    );
  }
  if (privacy.epsilon === Infinity) warnings.push(privacy.statement);
  const assumptions: Assumption[] = [
    {
      statement:
        'every sample is in one stage at most, and bags are cut before their members are asked about',
      status: 'proved',
    },
  ];
  const base = { seed: settings.seed, backend: 'none', warnings, assumptions };
  const kind = model.toJSON().kind;
  if (kind !== 'linear') {
    return {
      ...base,
      statement: `no bound on the error of a model of kind "${kind}" is known`,
      source: SOURCE,
      bound: { value: Infinity, unit: '(unit of the responses)²', failureProbability: 0 },
    };
  }
  const error = await poolError({ features, ...pooledData(state, pooled) }, run);
  const fitted = error?.at(rho);
  const limit = fitted ? errorLimit(fitted, FAILURE_PROBABILITY) : Infinity;
  assumptions.push(
    { statement: 'mean responses are linear in the features', status: 'assumed' },
    { statement: 'responses are independent, of one variance about their means', status: 'assumed' },
    { statement: 'mean answers deviate by Gaussian noise', status: 'assumed' },
    {
      statement: 'coefficients and variance are those of the bag-level fit to the same bags',
      status: 'assumed',
      ...(error && { measured: error.residualVariance, measure: 'estimated variance of a response' }),
    },
    { statement: 'the learner weights bags by their sizes, without ridge', status: 'assumed' },
    {
      statement: 'bags and ρ of the last fit do not depend on the answers it is fitted to',
      status: pooled.length === 1 && settings.finalRho !== 'cv' ? 'proved' : 'assumed',
    },
  );
  return {
    ...base,
    statement:
      'mean squared error of the predictions for the samples of the last fit, given the bags, at estimated coefficients and variance',
    source: SOURCE,
    bound: {
      value: limit,
      unit: '(unit of the responses)²',
      failureProbability: limit < Infinity ? FAILURE_PROBABILITY : 0,
      ...(error && { scale: error.scale }),
    },
  };
}
