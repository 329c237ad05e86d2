// When a profile counts as an equilibrium.

import type { EquilibriumGap } from '../types.ts';
import { OVERSPEND_ALLOWED } from './objective.ts';

/** What the regret of one advertiser may be, relative, in what counts as converged: 2 %, or the tolerance of the mean if that is more. */
const LARGEST_REGRET = 0.02;

/** Limits are kept to 10⁻⁴, the certified value-weighted regret is within the tolerance, and nobody's is above 2 %. */
export function isAtRest(
  { maxOverspend, meanRegretBound, maxRegretBound }: EquilibriumGap,
  tolerance: number,
): boolean {
  return (
    maxOverspend <= OVERSPEND_ALLOWED &&
    meanRegretBound <= tolerance &&
    maxRegretBound <= Math.max(LARGEST_REGRET, tolerance)
  );
}
