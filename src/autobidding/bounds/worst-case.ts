// Which bounds hold for a setting, and whether a measured equilibrium respects them.

import { shortNumber } from '../../core/certificate.ts';
import type { EquilibriumGap, MarketOutcome, Profile, Setting } from '../types.ts';
import { type Provenance, WELFARE_BOUNDS } from './welfare-bounds.ts';

/** One bound, looked at in one setting. */
export interface BoundHere {
  readonly id: string;
  readonly statement: string;
  readonly source: string;
  readonly status: Provenance;
  /** W* ÷ W ≤ it, where it applies. */
  readonly ratio: number;
  /** yes: all conditions hold · no: some do not · unknown: some depend on the profile, which was not given. */
  readonly applies: 'yes' | 'no' | 'unknown';
  /** Conditions that do not hold, or are unknown. */
  readonly missing: readonly string[];
}

export interface WorstCase {
  /** The least ratio of those that apply: W* ÷ W of an exact equilibrium is no larger. Infinity where none applies. */
  readonly ratio: number;
  /** The bound it comes from. */
  readonly bound: BoundHere | undefined;
  /** All known bounds, those that apply first. */
  readonly bounds: readonly BoundHere[];
}

/** A measured ratio beside the bound. */
export interface RatioCheck {
  /** W* ÷ W. */
  readonly measured: number;
  readonly bound: number;
  /** 'kept' · 'alarm': above a bound at what is certified as an equilibrium: the certificate, the bound or its conditions are wrong ·
   * 'approximate': above it, but the profile is an equilibrium only up to an ε for which the bound is not proved. */
  readonly verdict: 'kept' | 'alarm' | 'approximate';
  /** What to print beside it. */
  readonly caveat: string;
}

/** Regrets and overspends below it count as an exact equilibrium. */
const EXACT = 1e-6;

/**
 * The bounds on W* ÷ W at equilibrium that apply to a setting, and why the others do not.
 *
 * @param profile - multipliers, shape (advertisers · K,): some bounds require that nobody bids below its value
 *
 * O(entries · log P) for the conditions. Sources and how well they are known: with each bound.
 */
export function worstCaseRatio(setting: Setting, profile?: Profile): WorstCase {
  const bounds = WELFARE_BOUNDS.map(({ id, statement, source, status, conditions, ratio }): BoundHere => {
    const answers = conditions.map((condition) => ({
      statement: condition.statement,
      holds: condition.holds(setting, profile),
    }));
    const missing = answers.filter(({ holds }) => holds !== true);
    const applies =
      missing.length === 0 ? 'yes' : missing.some(({ holds }) => holds === false) ? 'no' : 'unknown';
    return {
      ...{ id, statement, source, status, applies },
      ratio: ratio(setting),
      missing: missing.map((condition) => condition.statement),
    };
  });
  const rank = { yes: 0, unknown: 1, no: 2 };
  bounds.sort((a, b) => rank[a.applies] - rank[b.applies] || a.ratio - b.ratio);
  const bound = bounds.find(({ applies }) => applies === 'yes');
  return { ratio: bound?.ratio ?? Infinity, bound, bounds };
}

/**
 * Holds a measured outcome against the worst case.
 *
 * @param gap - of the same profile: whether it is an equilibrium at all
 */
export function checkRatio(
  { ratio, bound }: WorstCase,
  { welfare, optimum }: Pick<MarketOutcome, 'welfare' | 'optimum'>,
  { maxRegretBound, maxOverspend }: Pick<EquilibriumGap, 'maxRegretBound' | 'maxOverspend'>,
): RatioCheck {
  const measured = optimum > 0 ? optimum / welfare : 1;
  const exact = maxRegretBound <= EXACT && maxOverspend <= EXACT;
  const shown = { measured, bound: ratio };
  const epsilon = `regret up to ${shortNumber(100 * maxRegretBound)} %, targets missed by up to ${shortNumber(100 * maxOverspend)} %`;
  if (measured <= ratio * (1 + EXACT)) {
    const caveat = exact
      ? ''
      : `The bound is proved for exact equilibria; this profile is one up to ε (${epsilon}).`;
    return { ...shown, verdict: 'kept', caveat };
  }
  const name = bound ? `${bound.id} (${bound.status})` : 'none';
  if (!exact) {
    const caveat = `W* ÷ W is above the bound ${name}, which is proved for exact equilibria only; this profile has ${epsilon}.`;
    return { ...shown, verdict: 'approximate', caveat };
  }
  return {
    ...shown,
    verdict: 'alarm',
    caveat: `W* ÷ W is above the bound ${name} at a certified equilibrium: one of the certificate, the bound and its conditions is wrong.`,
  };
}
