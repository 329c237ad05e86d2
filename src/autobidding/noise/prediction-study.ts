// What better predictions do to a market: bidders adapt to what they believe, and get what is true.

import type { Certified } from '../../core/certificate.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { type Equilibrium, findEquilibrium } from '../equilibrium/find-equilibrium.ts';
import { optimalWelfare } from '../market/optimal-welfare.ts';
import { profileBids } from '../market/profile-bids.ts';
import type { MarketOutcome, Setting } from '../types.ts';
import { type PredictionModel, withPredictionNoise } from './prediction-noise.ts';

export interface PredictionStudyOptions extends RunOptions {
  /** Spreads of the error of ln v to try, ≥ 0. */
  sigmas: readonly number[];
  /** Default 'calibrated'. */
  model?: PredictionModel | undefined;
  /** Seed of the errors. Default 0. */
  seed?: number | undefined;
  /** Finds the equilibrium between believers. Default: `findEquilibrium` with its defaults. */
  find?: ((setting: Setting, options: RunOptions) => Promise<Certified<Equilibrium>>) | undefined;
}

/** A market whose bidders predict values with an error of spread σ. */
export interface PredictionPoint {
  readonly sigma: number;
  /** With true values: bids, winners and payments are those of the believers' equilibrium. */
  readonly outcome: MarketOutcome;
  /** What the bidders believe to get. */
  readonly believed: MarketOutcome;
  /** Σ max(0, P − V) ÷ Σ V: what targets are truly missed by, together. */
  readonly missed: number;
  /** How near the believers are to an equilibrium, in believed values. */
  readonly equilibrium: Certified<Equilibrium>;
}

/**
 * Finds, for each σ, an approximate equilibrium between bidders that believe their predictions, and evaluates it with true values.
 *
 * Bidders do not correct their multipliers for what they truly got: with calibrated predictions they need not on average, with unbiased ones
 * they overpay. Where revenue falls as σ does, better predictions hurt the auctioneer: they tell bidders apart, and thin out competition.
 *
 * @param setting - with true values
 * @returns points in the order of `sigmas`
 * @throws {InvalidArgumentError} no σ, or one out of range
 *
 * As many equilibria as there are σ. Source: derived.
 */
export async function predictionStudy(
  setting: Setting,
  { sigmas, model, seed = 0, find = findEquilibrium, signal, onProgress }: PredictionStudyOptions,
): Promise<PredictionPoint[]> {
  if (sigmas.length === 0) {
    throw new InvalidArgumentError('predictionStudy: sigmas is empty; expected at least one spread ≥ 0.');
  }
  const markets = sigmas.map((sigma) => withPredictionNoise(setting.market, sigma, seed, model));
  const optimum = optimalWelfare(setting.market);
  const points: PredictionPoint[] = [];
  for (const { believed, sigma } of markets) {
    signal?.throwIfAborted();
    const beliefs = { ...setting, market: believed };
    const equilibrium = await find(beliefs, { signal });
    const bids = profileBids(beliefs, equilibrium.value.profile);
    const outcome = await runAuctions(setting, { bids }, { signal, optimum });
    const { value, spend } = outcome.totals;
    const overspent = spend.reduce((sum, paid, i) => sum + Math.max(0, paid - value[i]), 0);
    const won = value.reduce((sum, v) => sum + v, 0);
    points.push({
      sigma,
      outcome,
      believed: equilibrium.value.outcome,
      missed: won > 0 ? overspent / won : 0,
      equilibrium,
    });
    onProgress?.({ phase: 'predictions', done: points.length, total: sigmas.length });
  }
  return points;
}
