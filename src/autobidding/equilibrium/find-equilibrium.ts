// From a setting to a certified ε-equilibrium in pure strategies: a dynamic, an endgame, and what came out of it.

import type { Certified } from '../../core/certificate.ts';
import { requireInteger, requireNumber, requireOneOf, requireSeed } from '../../core/check.ts';
import type { RunOptions } from '../../core/progress.ts';
import { type AuctionsOutcome, runAuctions } from '../auction/run-auctions.ts';
import { checkSetting } from '../market/check-setting.ts';
import { profileBids } from '../market/profile-bids.ts';
import type { EquilibriumGap, Profile, Setting } from '../types.ts';
import { isAtRest } from './at-rest.ts';
import { bindingShare, limitBinds } from './binding.ts';
import { certify } from './certify.ts';
import { DYNAMICS, type DynamicsName } from './dynamics/index.ts';
import { equilibriumGap } from './equilibrium-gap.ts';
import { type IterationRecord, searchFor } from './search.ts';
import { rowOf, setTable, type Table } from './table.ts';

/** Of the certified value-weighted regret. */
export const DEFAULT_TOLERANCE = 0.003;

export interface FindEquilibriumOptions extends RunOptions {
  /** How advertisers adapt. Default 'damped-best-response'. */
  dynamics?: DynamicsName | undefined;
  /** Iterations of the dynamic at most, ≥ 0. Default 30. */
  iterations?: number | undefined;
  /** Rounds of the endgame at most, ≥ 0; 0 returns what the dynamic found, targets perhaps missed. Default 20. */
  rounds?: number | undefined;
  /** Certified value-weighted regret from which the result counts as converged, ≥ 0. Default 0.003. */
  tolerance?: number | undefined;
  /** Where the dynamic begins, shape (advertisers · K,). Default: 1 everywhere. */
  initial?: Profile | undefined;
  /** Seed of the order of turns, an unsigned 32-bit integer. Default 0. */
  seed?: number | undefined;
  /** W* of the market where it is known. Default: computed. */
  optimum?: number | undefined;
}

/** What a search for an equilibrium found. */
export interface Equilibrium {
  /** Best profile seen: shape (advertisers · K,), NaN where a bucket holds no entry of the advertiser. */
  readonly profile: Profile;
  readonly outcome: AuctionsOutcome;
  readonly gap: EquilibriumGap;
  /** Targets are met to 10⁻⁴, the certified value-weighted regret is within the tolerance and no advertiser's is above 2 %. */
  readonly converged: boolean;
  readonly history: readonly IterationRecord[];
  /** Means over the last quarter of the dynamic's iterations, before the endgame; undefined without iterations. */
  readonly lastQuarter: { readonly welfare: number; readonly profit: number } | undefined;
  /** Advertisers with a multiplier at the cap, ascending. */
  readonly atCap: readonly number[];
  /** Value bidders that neither target nor budget limits, ascending. */
  readonly unconstrained: readonly number[];
  /** P ÷ V of each advertiser, shape (advertisers,); NaN where V = 0. */
  readonly spendPerValue: Float64Array;
  /** Share of value bidders with value whose target binds: P ≥ 0.99 V. */
  readonly bindingShare: number;
}

/**
 * Searches for a pure equilibrium between autobidders, and certifies how near what was found is to one.
 *
 * The dynamic runs to the neighbourhood; in the endgame advertisers take turns scaling to their targets and turning to where they gain, and the best
 * profile seen is returned. A value bidder in first price with one multiplier and no budget bids exactly 1, which is a best response whatever the
 * others do: a market of these is answered without search.
 *
 * Exact equilibria in pure strategies need not exist. The regret of the best profile then shrinks with the size of the market, about as m^(−2/3) (measured), like
 * the optimum of a step function of m steps around a smooth one; `findMixedEquilibrium` goes below that.
 *
 * @returns the certificate bounds the value-weighted relative gain of all best deviations; it rests on exact landscapes, not on the search
 * @throws {InvalidArgumentError} the setting or an option leaves its range @throws {ShapeError} sizes that do not fit
 * @throws `signal.reason` when cancelled
 *
 * O(iterations · entries · slots) with the sort of all steps.
 * Source: derived; the question and the bidders of arXiv 2311.10679.
 */
export async function findEquilibrium(
  setting: Setting,
  options: FindEquilibriumOptions = {},
): Promise<Certified<Equilibrium>> {
  const {
    dynamics = 'damped-best-response',
    iterations = 30,
    rounds = 20,
    tolerance = DEFAULT_TOLERANCE,
    seed = 0,
  } = options;
  checkSetting('findEquilibrium', setting);
  requireOneOf('findEquilibrium: dynamics', dynamics, Object.keys(DYNAMICS) as DynamicsName[]);
  requireInteger('findEquilibrium: iterations', iterations, 0);
  requireInteger('findEquilibrium: rounds', rounds, 0);
  requireNumber('findEquilibrium: tolerance', tolerance, 0);
  requireSeed('findEquilibrium: seed', seed);
  if (options.initial) profileBids(setting, options.initial); // checks it
  options.signal?.throwIfAborted();
  const table = setTable(setting, options.initial);
  const history: IterationRecord[] = [];
  if (table.movers.length > 0) {
    const search = {
      dynamics,
      iterations,
      rounds,
      seed,
      signal: options.signal,
      onProgress: options.onProgress,
    };
    await searchFor(table, search, history);
  }
  const { signal } = options;
  const outcome = await runAuctions(setting, { bids: table.bids }, { signal, optimum: options.optimum });
  const gap = await equilibriumGap(setting, table.profile, { signal });
  const converged = isAtRest(gap, tolerance);
  const equilibrium = {
    profile: table.profile,
    outcome,
    gap,
    converged,
    history,
    lastQuarter: lastQuarter(history),
    ...describe(table, gap),
  };
  return { value: equilibrium, certificate: certify(table, equilibrium, { tolerance, seed, dynamics }) };
}

/** Means over the last quarter of the dynamic's iterations. */
function lastQuarter(history: readonly IterationRecord[]): Equilibrium['lastQuarter'] {
  const iterations = history.filter(({ phase }) => phase === 'dynamics');
  if (iterations.length === 0) return undefined;
  const last = iterations.slice(-Math.ceil(iterations.length / 4));
  const mean = (of: (record: IterationRecord) => number) =>
    last.reduce((sum, r) => sum + of(r), 0) / last.length;
  return { welfare: mean(({ welfare }) => welfare), profit: mean(({ profit }) => profit) };
}

/** What binds whom. */
function describe(
  table: Table,
  { advertisers }: EquilibriumGap,
): Pick<Equilibrium, 'atCap' | 'unconstrained' | 'spendPerValue' | 'bindingShare'> {
  const { bidders, cap } = table;
  const everyone = bidders.map((_, i) => i);
  const valueBidders = everyone.filter((i) => bidders[i].kind === 'value' && advertisers[i].value > 0);
  return {
    // Responses stay a hundredth of a gap below the cap in formats where that is the same.
    atCap: everyone.filter((i) => rowOf(table, i).some((multiplier) => multiplier >= 0.99 * cap)),
    unconstrained: valueBidders.filter(
      (i) => !limitBinds(bidders[i], advertisers[i]) && advertisers[i].regretBound === 0,
    ),
    spendPerValue: Float64Array.from(advertisers, ({ spend, value }) => (value > 0 ? spend / value : NaN)),
    bindingShare: bindingShare(bidders, { advertisers }),
  };
}
