// The plan as curves: data for a chart, not the chart.

import type { PlanPoint } from './plan-bands.ts';
import type { PlanSetting } from './plan-options.ts';
import { alternativesAt } from './plan-risks.ts';

export interface PlanSeries {
  name: string;
  /** Lines that are not the plan itself. */
  role?: 'reference';
  /** x: bag size; y: risk, squared units of the response; low and high: where nine runs in ten lie. All finite. */
  points: { x: number; y: number; low?: number; high?: number }[];
}

/** In the form of a line chart of the report. */
export interface PlanChart {
  kind: 'line';
  title: string;
  description: string;
  x: { label: string; scale: 'log' };
  y: { label: string; scale: 'log' };
  series: PlanSeries[];
}

/** Risk over bag size at the best ρ with its band, individual labels, the two plain losses on random bags, and PriorBoost as first described. */
export function planChart(
  setting: PlanSetting,
  byBagSize: readonly PlanPoint[],
  individual: PlanPoint,
): PlanChart {
  const { privacy, design, samples, features } = setting;
  const sizes = byBagSize.map(({ bagSize }) => bagSize);
  const others = sizes.map((k) => {
    if (k > 1) return alternativesAt(setting, k);
    return { bagLevel: individual.risk, instanceLevel: individual.risk, twoStages: individual.risk };
  });
  const curve = (name: string, y: (i: number) => number): PlanSeries => ({
    name,
    role: 'reference',
    points: sizes.map((x, i) => ({ x, y: y(i) })).filter(drawable),
  });
  const series: PlanSeries[] = [
    {
      name: design === 'curated' ? 'curated bags, best ρ' : 'random bags, best ρ',
      points: byBagSize
        .map((point) => ({ x: point.bagSize, y: point.risk, ...endsOf(point) }))
        .filter(drawable),
    },
    curve('individual labels', () => individual.risk),
    curve('random bags, bag-level loss (ρ = 0)', (i) => others[i].bagLevel),
    curve('random bags, instance-level loss (ρ = 1)', (i) => others[i].instanceLevel),
    curve('two stages of instance-level loss', (i) => others[i].twoStages),
  ].filter(({ points }) => points.some(drawable));
  return {
    kind: 'line',
    title: 'Expected error by bag size',
    description:
      `${samples} samples, ${features} features, ${privacy ? `ε = ${privacy.epsilon}` : 'exact means'}. Lines are the theory; ` +
      'in the band lie nine simulated runs in ten. Where the bag-level line ends, bags are no more than features.',
    x: { label: 'bag size k', scale: 'log' },
    y: { label: 'excess squared error of predictions', scale: 'log' },
    series,
  };
}

/** Logarithmic axes take positive, finite numbers. */
function drawable({ y }: { y: number }): boolean {
  return y > 0 && y < Infinity;
}

function endsOf({ band }: PlanPoint): { low?: number; high?: number } {
  return band && band.low > 0 ? { low: band.low, high: band.high } : {};
}
