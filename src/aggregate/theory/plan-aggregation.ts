// Which bags to ask for: bag size, loss and ε to expected error, before any label is seen.

import { type Certificate, type Certified, shortNumber } from '../../core/certificate.ts';
import type { RunOptions } from '../../core/progress.ts';
import { studentTQuantile } from '../../core/statistics/index.ts';
import { minimiseRho } from './optimal-rho.ts';
import { type AdviceInput, adviceOn, clippingReach, planWarnings } from './plan-advice.ts';
import { bandAt, type PlanPoint, simulatedFeatures } from './plan-bands.ts';
import { type PlanChart, planChart } from './plan-chart.ts';
import { type PlanOptions, resolvePlan } from './plan-options.ts';
import { type Alternatives, alternativesAt, designRiskAt, type RiskAtRho } from './plan-risks.ts';

export interface Plan {
  samples: number;
  features: number;
  /** n/d. */
  psi: number;
  /** ε of each label; Infinity: exact means. */
  epsilon: number;
  design: 'random' | 'curated';
  /** The best pair of bag size and ρ. */
  best: PlanPoint;
  /** k = 1 with the same ε: what aggregation is measured against. */
  individual: PlanPoint;
  /** The best ρ of each bag size. */
  byBagSize: PlanPoint[];
  /** Risk at each bag size and each ρ of the grid, row by row: shape (bagSizes · rhos,). */
  table: PlanPoint[];
  /** Other ways to use bags at the plan's size; undefined when only single labels are considered. */
  alternatives: Alternatives | undefined;
  /** What to do and when the other way is better, sentence by sentence. */
  advice: string[];
  /** Curves of the plan, ready to be drawn. */
  chart: PlanChart;
}

const FAILURE = 0.05;

/**
 * Expected excess error of a linear model's predictions for every bag size and ρ, with exact means or under ε-label differential privacy.
 *
 * Risks come in closed form (`asymptoticRisk`, `curatedRisk`); runs of the same ψ and at most 60 features are simulated for
 * their spread. Individual labels at the same ε are always shown. `advice` says when plain bag-level loss on random bags is
 * the better choice and when curated bags are.
 *
 * @returns the plan; the certificate bounds |closed form − expected risk of simulated runs| at the best pair, in squared units of the response
 * @throws {InvalidArgumentError} an option is missing or leaves its range; ψ ≤ 1 (or ≤ 2 for a first stage) without ridge; bounds not L < U
 *
 * Time: closed forms a few ms; simulation O(bag sizes · repeats · 60³), about a second at the defaults. Cancellable.
 * Source: arXiv 2401.11081 (losses, risk, privacy), arXiv 2402.04987 (curated bags); formulas derived here.
 *
 * @example
 * const { value } = await planAggregation({ samples: 20_000, features: 10, snr: 0.4, noise: 1, bounds: [-4, 4], epsilon: 1, minBag: 5 });
 * value.best; // bag size, ρ, risk, band
 * value.advice; // in words
 */
export async function planAggregation(options: PlanOptions): Promise<Certified<Plan>> {
  const setting = resolvePlan(options);
  const { bagSizes, rhos, maxRho, samples, features, psi, design, privacy } = setting;
  const individualRisk = { ...designRiskAt(setting, 1)(0), rho: 0 };
  const pointOf = (bagSize: number, risk: RiskAtRho): PlanPoint => ({
    ...risk,
    bagSize,
    againstIndividual: risk.risk / individualRisk.risk,
  });
  const table: PlanPoint[] = [];
  const bestRhos: PlanPoint[] = [];
  for (const bagSize of bagSizes) {
    const riskAt = designRiskAt(setting, bagSize);
    for (const rho of rhos) table.push(pointOf(bagSize, { ...riskAt(rho), rho }));
    bestRhos.push(pointOf(bagSize, minimiseRho(riskAt, bagSize, maxRho)));
  }
  const byBagSize: PlanPoint[] = [];
  for (const [i, point] of bestRhos.entries()) {
    const part = partOf(options, i, bestRhos.length + 1);
    byBagSize.push({ ...point, band: await bandAt(setting, point.bagSize, point, part) });
  }
  const single = byBagSize.find(({ bagSize }) => bagSize === 1);
  const part = partOf(options, bestRhos.length, bestRhos.length + 1);
  const individual = single ?? {
    ...pointOf(1, individualRisk),
    band: await bandAt(setting, 1, individualRisk, part),
  };

  const best = byBagSize.reduce((a, b) => (b.risk < a.risk ? b : a));
  const compared = best.bagSize > 1 ? best.bagSize : bagSizes.find((k) => k > 1);
  const alternatives = compared === undefined ? undefined : alternativesAt(setting, compared);
  const input: AdviceInput = { setting, best, individual, alternatives };
  const plan: Plan = {
    ...{ samples, features, psi, design, best, individual, byBagSize, table, alternatives },
    epsilon: privacy?.epsilon ?? Infinity,
    advice: adviceOn(input),
    chart: planChart(setting, byBagSize, individual),
  };
  return { value: plan, certificate: certificateOf(input) };
}

function certificateOf(input: AdviceInput): Certificate {
  const { setting, best } = input;
  const { psi, privacy, repeats, seed, features, design } = setting;
  const { band, risk } = best;
  const value = band
    ? Math.abs(band.simulated - risk) +
      band.standardError * studentTQuantile(FAILURE / 2, repeats - 1, 'upper')
    : Infinity;
  const bagsPerFeature = psi / best.bagSize;
  const reach = privacy && (privacy.bounds[1] - privacy.bounds[0]) / 2 / clippingReach(setting);
  return {
    statement: `|planned − expected squared error| of runs with ${simulatedFeatures(setting)} of ${features} features at the best pair, bags of ${best.bagSize} and ρ = ${shortNumber(best.rho)}`,
    source: `derived: proportional limit${design === 'curated' ? ' with homogeneous bags along the prior' : ''}, and Student t over the simulated runs; losses of arXiv 2401.11081`,
    assumptions: [
      {
        // Without a ridge, linear maps of the features change nothing.
        statement: `features are Gaussian${setting.ridge > 0 ? ', uncorrelated and of unit variance' : ', of any covariance'}`,
        status: 'assumed',
      },
      { statement: 'the mean response is linear in the features, with the given snr', status: 'assumed' },
      {
        statement: 'bags are equal, disjoint and formed without the labels they are answered with',
        status: 'assumed',
      },
      { statement: 'means of the simulated runs are near normal', status: 'assumed' },
      {
        statement: 'bags are more than features, or ρ > 0, or there is a ridge',
        status: Number.isFinite(risk) ? 'checked' : 'violated',
        measured: bagsPerFeature,
        measure: 'bags per feature',
      },
      ...(reach === undefined
        ? []
        : [
            {
              statement: 'clipping to the bounds changes no label: half-width ≥ √(2 (‖θ‖² + σ²) ln n)',
              // Labels that end at the bounds by themselves are not clipped, however far Gaussian ones would reach.
              status: reach >= 1 ? ('checked' as const) : ('assumed' as const),
              measured: reach,
              measure: 'half-width of the bounds ÷ reach of Gaussian labels',
            },
          ]),
    ],
    bound: { value, unit: 'squared response units', failureProbability: band ? FAILURE : 0, scale: risk },
    seed,
    backend: 'none',
    warnings: planWarnings(input),
  };
}

function partOf({ signal, onProgress }: RunOptions, done: number, total: number): RunOptions {
  signal?.throwIfAborted();
  onProgress?.({ phase: 'simulating bag sizes', done, total });
  return { signal };
}
