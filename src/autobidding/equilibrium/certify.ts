// What is promised of a profile: that nobody gains more than so much by leaving it.

import { type Certificate, shortNumber } from '../../core/certificate.ts';
import type { DynamicsName } from './dynamics/index.ts';
import type { Equilibrium } from './find-equilibrium.ts';
import { OVERSPEND_ALLOWED } from './objective.ts';
import type { Table } from './table.ts';

/** The certificate of a search's result. */
export function certify(
  { movers, bidders }: Table,
  { gap, converged, outcome, atCap }: Pick<Equilibrium, 'gap' | 'converged' | 'outcome' | 'atCap'>,
  { tolerance, seed, dynamics }: { tolerance: number; seed: number; dynamics: DynamicsName },
): Certificate {
  const percent = (share: number) => `${shortNumber(100 * share)} %`;
  const warnings = [...outcome.warnings];
  if (movers.length > 0 && !converged) {
    warnings.push(
      `not converged: the certified regret ${percent(gap.meanRegretBound)}, that of one advertiser ${percent(gap.maxRegretBound)} or the overspend ` +
        `${percent(gap.maxOverspend)} is above ${percent(tolerance)}, 2 % and ${percent(OVERSPEND_ALLOWED)}. This is the best profile seen with ${dynamics}; an exact equilibrium in pure strategies need not exist.`,
    );
  }
  if (gap.maxRegret > 10 * Math.max(gap.meanRegretBound, tolerance)) {
    warnings.push(`one advertiser could gain ${percent(gap.maxRegret)}, far more than the mean.`);
  }
  if (atCap.length > 0) {
    warnings.push(
      `${atCap.length} of ${bidders.length} advertisers bid at the cap of multipliers; a higher cap may change the result.`,
    );
  }
  return {
    statement:
      'the profile is an ε-equilibrium in pure strategies: with the others as they are, all advertisers together could raise their value ' +
      'by no more than this share by changing multipliers within target and budget',
    source:
      'derived: exact bid landscapes and linear relaxation of each best response; setting of arXiv 2311.10679',
    assumptions: [
      {
        statement: 'spend ≤ value and spend ≤ budget, up to 10⁻⁴, for every advertiser',
        status: gap.maxOverspend <= OVERSPEND_ALLOWED ? 'checked' : 'violated',
        measured: gap.maxOverspend,
        measure: 'largest relative overspend',
      },
      {
        statement: 'no deviation that bids exactly what ties several competitors at once is better',
        status: gap.sharedThresholds === 0 ? 'checked' : 'assumed',
        measured: gap.sharedThresholds ?? 0,
        measure: 'thresholds that such ties share',
      },
      {
        statement: 'no deviation of one advertiser gains more than its own bound',
        status: 'proved',
        measured: gap.maxRegretBound,
        measure: 'largest relative bound of one advertiser',
      },
    ],
    bound: { value: gap.meanRegretBound, unit: 'share of all value', failureProbability: 0, scale: 1 },
    seed,
    backend: 'none',
    warnings,
    audit: {
      error: gap.meanRegret,
      sample: `the best deviations found of all ${movers.length} advertisers that are free to move`,
      slack: gap.meanRegret > 0 ? gap.meanRegretBound / gap.meanRegret : Infinity,
      kept: gap.meanRegret <= gap.meanRegretBound,
    },
  };
}
