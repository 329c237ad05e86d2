// The report of a frontier, with its pictures.

import type { FrontierPoint } from '../../autobidding/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import type { Chart, LineSeries, Station } from '../../report/index.ts';
import type { FrontierOutcome } from './frontier-run.ts';
import { percent, worldText } from './words.ts';

/** Policy of the first point, which has none. */
export const baseName = 'none';

/** "additive-boost 0.5". */
export function pointName({ policy, level }: FrontierPoint, at: number): string {
  return at === 0 ? baseName : `${policy} ${shortNumber(level)}`;
}

/** A guaranteed share; 0 promises nothing. */
export function shareText(share: number): string {
  return share > 0 ? percent(share) : '–';
}

export function frontierStation({
  settings,
  opened,
  points,
  command,
  seconds,
  certificate,
}: FrontierOutcome): Station {
  const [base] = points;
  const efficient = points.flatMap((point, at) => (point.efficient ? [pointName(point, at)] : []));
  return {
    id: 'frontier',
    title: `${worldText(settings)}: profit against welfare`,
    question: 'What do reserves and boosts earn, and what do they cost, once bidders have adapted?',
    answer: `Without any, welfare is ${percent(base.welfareShare)} and profit ${percent(base.profitShare)} of the optimum. Efficient: ${efficient.join(', ')}.`,
    input: `${opened.source}: ${opened.market.auctions} auctions, ${opened.market.advertisers} advertisers`,
    figures: [
      { label: 'Most welfare', value: percent(Math.max(...points.map(({ welfareShare }) => welfareShare))) },
      { label: 'Most profit', value: percent(Math.max(...points.map(({ profitShare }) => profitShare))) },
    ],
    charts: [frontierChart(points), ...guaranteeChart(points)],
    tables: [
      {
        caption: 'Shares of the optimal welfare',
        table: {
          columns: ['policy', 'welfare', 'profit', 'guaranteed', 'if undominated', 'regret ≤'],
          rows: points.map((point, at) => [
            ...[pointName(point, at), percent(point.welfareShare), percent(point.profitShare)],
            ...[shareText(point.guarantee.share), shareText(point.guarantee.undominatedShare)],
            percent(point.equilibrium.value.gap.meanRegretBound),
          ]),
        },
      },
    ],
    certificates: [{ title: 'The point furthest from rest', value: 'equilibrium', certificate }],
    repeat: { command, seed: settings.seed },
    seconds,
  };
}

function frontierChart(points: readonly FrontierPoint[]): Chart {
  return {
    kind: 'scatter',
    title: 'Profit against welfare',
    description:
      'Each dot is an equilibrium under one policy at one level, in shares of the optimal welfare: right and up is better. Dots nearer to each other than their regrets may be equal.',
    x: { label: 'welfare (% of optimum)' },
    y: { label: 'profit (% of optimum)' },
    points: points.map(({ policy, welfareShare, profitShare }, at) => ({
      ...{ x: 100 * welfareShare, y: 100 * profitShare },
      category: at === 0 ? baseName : policy,
    })),
    radius: 4,
  };
}

/** Welfare under boosts by level, and what is guaranteed: nothing is where there are reserves. */
function guaranteeChart([base, ...points]: readonly FrontierPoint[]): Chart[] {
  const series = (['additive-boost', 'multiplicative-boost'] as const).flatMap((boost): LineSeries[] => {
    const curve = points.filter(({ policy }) => policy === boost).toSorted((a, b) => a.level - b.level);
    if (curve.length === 0 || !curve.every(({ guarantee }) => guarantee.share > 0)) return [];
    const line = (of: (point: FrontierPoint) => number) =>
      [base, ...curve].map((point) => ({ x: point.level, y: 100 * of(point) }));
    return [
      { name: `${boost}: welfare`, points: line(({ welfareShare }) => welfareShare) },
      { name: `${boost}: guaranteed`, role: 'bound', points: line(({ guarantee }) => guarantee.share) },
      {
        name: `${boost}: guaranteed if undominated`,
        role: 'reference',
        points: line(({ guarantee }) => guarantee.undominatedShare),
      },
    ];
  });
  if (series.length === 0) return [];
  return [
    {
      kind: 'line',
      title: 'Welfare under boosts, and the bound',
      description:
        'Guaranteed: no less, given how far below their values bidders bid that lost a place to a smaller value. If undominated: were nobody to bid below its value.',
      x: { label: 'level of the boost' },
      y: { label: 'welfare (% of optimum)' },
      series,
    },
  ];
}
