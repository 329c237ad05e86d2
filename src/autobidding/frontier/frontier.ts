// Profit against welfare: what reserves and boosts do to both where bidders have adapted.

import type { Certified } from '../../core/certificate.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { type Equilibrium, findEquilibrium } from '../equilibrium/find-equilibrium.ts';
import type { Setting } from '../types.ts';
import { type FrontierPolicy, withPolicy } from './policies.ts';
import { type WelfareGuarantee, welfareGuarantee } from './welfare-guarantee.ts';

/** One policy and the levels to try. */
export interface FrontierCurve {
  readonly policy: FrontierPolicy;
  /** ≥ 0 each. */
  readonly levels: readonly number[];
}

export interface FrontierOptions extends RunOptions {
  /** What to vary. */
  curves: readonly FrontierCurve[];
  /** Finds the equilibrium at a point. Default: `findEquilibrium` with its defaults. */
  find?: ((setting: Setting, options: RunOptions) => Promise<Certified<Equilibrium>>) | undefined;
}

/** The outcome at an approximate equilibrium under one policy at one level. */
export interface FrontierPoint {
  readonly policy: FrontierPolicy;
  readonly level: number;
  /** W ÷ W* and R ÷ W*. */
  readonly welfareShare: number;
  readonly profitShare: number;
  /** No point has more of one of them and at least as much of the other. */
  readonly efficient: boolean;
  /** The theoretical bound beside it. */
  readonly guarantee: WelfareGuarantee;
  /** The equilibrium; its certificate says how near to one it is. */
  readonly equilibrium: Certified<Equilibrium>;
}

/**
 * Finds an approximate equilibrium for each policy and level, and which of the outcomes are efficient between profit and welfare.
 *
 * Differences between points that are smaller than their certified regrets may be those of the search: compare them with
 * `equilibrium.certificate.bound`.
 *
 * @param setting - the market with its rules; each point changes one of them
 * @returns points in the order of the curves and levels
 * @throws {InvalidArgumentError} no curve, or a level that is negative or not finite
 *
 * As many equilibria as there are levels. Source: derived; boosts in autobidding: Deng, Mao, Mirrokni and Zuo, WWW 2021 (recalled).
 *
 * @example
 * const points = await frontier(setting, { curves: [{ policy: 'additive-boost', levels: [0, 0.5, 1, 2] }] });
 */
export async function frontier(
  setting: Setting,
  { curves, find = findEquilibrium, signal, onProgress }: FrontierOptions,
): Promise<FrontierPoint[]> {
  const places = curves.flatMap(({ policy, levels }) => levels.map((level) => ({ policy, level })));
  if (places.length === 0) {
    throw new InvalidArgumentError(
      'frontier: curves have no level; expected at least one policy and level, e.g. { policy: "reserve", levels: [0, 1] }.',
    );
  }
  const changed = places.map(({ policy, level }) => withPolicy(setting, policy, level));
  const points: Omit<FrontierPoint, 'efficient'>[] = [];
  for (const [at, { policy, level }] of places.entries()) {
    signal?.throwIfAborted();
    const equilibrium = await find(changed[at], { signal });
    const { profile, outcome } = equilibrium.value;
    points.push({
      policy,
      level,
      welfareShare: outcome.welfare / outcome.optimum,
      profitShare: outcome.profit / outcome.optimum,
      guarantee: welfareGuarantee(setting, policy, level, profile, outcome),
      equilibrium,
    });
    onProgress?.({ phase: 'frontier', done: at + 1, total: places.length });
  }
  return points.map((point) => ({ ...point, efficient: !points.some((other) => dominates(other, point)) }));
}

type Shares = Pick<FrontierPoint, 'welfareShare' | 'profitShare'>;

function dominates(a: Shares, b: Shares): boolean {
  return (
    a.welfareShare >= b.welfareShare &&
    a.profitShare >= b.profitShare &&
    (a.welfareShare > b.welfareShare || a.profitShare > b.profitShare)
  );
}
