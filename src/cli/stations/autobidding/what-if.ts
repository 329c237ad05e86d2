// The tour's station: what if these auctions switched from VCG to first price, with advertisers using 8 segments?

import type { Change, Replay } from '../../../autobidding/index.ts';
import type { LevelCurve, WhatIfWorld } from '../../../autobidding/reproduce/what-if.ts';
import { type Certified, shortNumber } from '../../../core/certificate.ts';
import { advertisersChart, changesChart } from '../../autobid/replay-charts.ts';
import { changeText, percent, roasText, worldText } from '../../autobid/words.ts';
import { runOptions } from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';
import { levelChart } from './shown.ts';

export const whatIfTour: Experiment = {
  id: 'tour',
  title: 'Autobidding: what if VCG became first price?',
  expectedSeconds: { full: 6, quick: 3 },
  async run(options) {
    const { levelCurve, reproduceWhatIf, WHAT_IF_FROM, WHAT_IF_TO } = await import(
      '../../../autobidding/reproduce/what-if.ts'
    );
    const { seed, quick } = options;
    const size = quick
      ? { auctions: 250, resamples: 300, mixed: 'never' as const }
      : { auctions: 500, resamples: 1000 };
    const result = await reproduceWhatIf({ ...runOptions(options), ...size, seed });
    const curve = await levelCurve({ ...runOptions(options), auctions: size.auctions, seed });
    return describe(result, curve, WHAT_IF_FROM, WHAT_IF_TO);
  },
};

function describe(
  { value, certificate }: Certified<Replay>,
  curve: LevelCurve,
  before: WhatIfWorld,
  after: WhatIfWorld,
): ExperimentResult {
  const { welfare, profit, efficiency, advertisers, from, to } = value;
  const count = (verdict: string): number => advertisers.filter((one) => one.verdict === verdict).length;
  const said = (change: Change): string => {
    const [relative, interval] = changeText(change);
    return `${relative} (${interval}; ${change.verdict})`;
  };
  return {
    value: { welfare, profit, efficiency, advertisers, levels: curve.cells },
    figures: {
      ...{ welfareChange: welfare.relative, profitChange: profit.relative },
      ...{ efficiencyBefore: efficiency.before, efficiencyAfter: efficiency.after },
      ...{ winners: count('wins'), losers: count('loses') },
      ...{ regretBefore: from.gap.meanRegretBound, regretAfter: to.gap.meanRegretBound },
    },
    section: {
      title: 'What if VCG became first price?',
      question: `A platform runs ${worldText(before)} an advertiser. What would ${worldText(after)} do?`,
      answer:
        `Welfare ${said(welfare)}, profit ${said(profit)}. ${count('wins')} of ${advertisers.length} advertisers gain, ${count('loses')} lose, ` +
        'the others are not separated. No registry carries real auction logs: these auctions are generated; with yours, provably autobid replay answers the same.',
      input: `Provably generator, ${advertisers.length} advertisers`,
      figures: [
        { label: 'Welfare', value: changeText(welfare)[0], note: welfare.verdict },
        { label: 'Profit', value: changeText(profit)[0], note: profit.verdict },
        {
          label: 'Winners, losers',
          value: `${count('wins')}, ${count('loses')}`,
          note: `of ${advertisers.length}`,
        },
        { label: 'Regret', value: percent(to.gap.meanRegretBound), note: `${to.origin}, certified` },
      ],
      charts: [
        changesChart(welfare, profit),
        ...advertisersChart(value),
        {
          ...levelChart(curve, 'welfare'),
          title: 'Welfare by number of multipliers, the same log',
          description:
            'Pure equilibria. Bands: what advertisers could still gain by deviating, certified; bands that overlap are no order.',
        },
      ],
      tables: [
        {
          caption: 'Advertisers, by gain',
          table: {
            columns: ['advertiser', 'verdict', 'value before', 'after', 'change', 'interval', 'ROAS after'],
            rows: advertisers
              .toSorted((a, b) => b.gain - a.gain)
              .map(({ name, verdict, value: own, roas }) => [
                ...[name, verdict, shortNumber(own.before), shortNumber(own.after), ...changeText(own)],
                roasText(roas[1]),
              ]),
          },
        },
      ],
      certificates: [
        { title: 'The change of welfare', value: changeText(welfare)[0], certificate },
        ...[
          { world: from, rules: before },
          { world: to, rules: after },
        ].flatMap(({ world, rules }) =>
          world.certificate
            ? [{ title: worldText(rules), value: world.origin, certificate: world.certificate }]
            : [],
        ),
      ],
    },
  };
}
