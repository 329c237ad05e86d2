// The pictures of a replay.

import type { Change, Replay } from '../../autobidding/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import type { Chart } from '../../report/index.ts';

/** Advertisers in a picture; more cannot be read. */
const MOST_DRAWN = 40;

/** Changes of welfare and profit with their intervals, relative to before. */
export function changesChart(welfare: Change, profit: Change): Chart {
  const row = (label: string, { before, difference, interval }: Change) => {
    const share = (money: number): number =>
      before === 0 || !Number.isFinite(money) ? 0 : (100 * money) / before;
    return { label, value: share(difference), low: share(interval.low), high: share(interval.high) };
  };
  return {
    kind: 'intervals',
    title: 'Change of welfare and profit',
    description: `With ${shortNumber(100 * welfare.interval.confidence)} % intervals over the auctions drawn, relative to before.`,
    value: { label: 'change (%)', include: [0] },
    rows: [row('welfare', welfare), row('profit', profit)],
  };
}

/** Gains of advertisers; no picture where nothing is known of them. */
export function advertisersChart({ advertisers }: Replay): Chart[] {
  const drawn = advertisers
    .filter(({ verdict, gainHalfWidth }) => verdict !== 'no participant' && gainHalfWidth < Infinity)
    .toSorted((a, b) => Math.abs(b.gain) - Math.abs(a.gain))
    .slice(0, MOST_DRAWN)
    .toSorted((a, b) => b.gain - a.gain);
  if (drawn.length === 0) return [];
  return [
    {
      kind: 'intervals',
      title: 'Winners and losers',
      description:
        'Change of what each advertiser is after (value; for utility bidders value − spend). The intervals hold for all advertisers at once.',
      value: { label: 'gain (money)', include: [0] },
      rows: drawn.map(({ name, gain, gainHalfWidth }) => ({
        ...{ label: name, value: gain, low: gain - gainHalfWidth, high: gain + gainHalfWidth },
      })),
    },
  ];
}
