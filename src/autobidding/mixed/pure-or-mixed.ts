// A pure equilibrium where the search comes to rest, else a mixed one: what replays and sweeps go on with.

import type { Certified } from '../../core/certificate.ts';
import { UnsupportedError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { isAtRest } from '../equilibrium/at-rest.ts';
import { DEFAULT_TOLERANCE } from '../equilibrium/find-equilibrium.ts';
import { type Equilibrium, type FindEquilibriumOptions, findEquilibrium } from '../equilibrium/index.ts';
import { OVERSPEND_ALLOWED } from '../equilibrium/objective.ts';
import type { EquilibriumGap, Setting } from '../types.ts';
import { findMixedEquilibrium, type MixedEquilibrium } from './find-mixed-equilibrium.ts';

/** 'when-needed': mixed strategies where the pure search does not converge and mixed ones are nearer to rest; 'never': pure ones only. */
export type MixedWhen = 'when-needed' | 'never';

/** The pure equilibrium found, and the mixed one that is nearer to rest, if there is one. */
export interface PureOrMixed {
  readonly pure: Certified<Equilibrium>;
  /** Left out: pure strategies converged, or mixed ones are no nearer to rest, or not computed for these rules. */
  readonly mixed?: Certified<MixedEquilibrium> | undefined;
}

/** Searches for a pure equilibrium; from where it does not converge, for a mixed one. @throws as both searches */
export async function findPureOrMixed(
  setting: Setting,
  { mixed = 'when-needed', ...options }: FindEquilibriumOptions & { mixed?: MixedWhen | undefined } = {},
): Promise<PureOrMixed> {
  const pure = await findEquilibrium(setting, options);
  if (pure.value.converged || mixed === 'never') return { pure };
  const { tolerance = DEFAULT_TOLERANCE, seed, signal, onProgress } = options;
  const found = await mixedFrom(setting, pure.value, { tolerance, seed, signal, onProgress });
  return found && nearerToRest(found.value.gap, pure.value.gap, tolerance)
    ? { pure, mixed: found }
    : { pure };
}

/** Targets kept where the other's are not; with both kept or both missed, at rest where the other is not, or less regret. */
function nearerToRest(one: EquilibriumGap, other: EquilibriumGap, tolerance: number): boolean {
  const [kept, otherKept] = [one, other].map(({ maxOverspend }) => maxOverspend <= OVERSPEND_ALLOWED);
  if (kept !== otherKept) return kept;
  if (!kept && one.maxOverspend > other.maxOverspend) return false;
  return isAtRest(one, tolerance) || one.meanRegretBound < other.meanRegretBound;
}

/** A mixed equilibrium near a pure profile; none for rules that mixed strategies are not computed for. */
async function mixedFrom(
  setting: Setting,
  { profile }: Equilibrium,
  run: RunOptions & { tolerance: number; seed: number | undefined },
): Promise<Certified<MixedEquilibrium> | undefined> {
  try {
    const start = profile.map((multiplier) => (Number.isNaN(multiplier) ? 1 : multiplier));
    return await findMixedEquilibrium(setting, { ...run, start });
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}
