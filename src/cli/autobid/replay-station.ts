// A replay as a section of a report, with its pictures.

import type { Change } from '../../autobidding/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import type { Station } from '../../report/index.ts';
import { advertisersChart, changesChart } from './replay-charts.ts';
import type { ReplayOutcome } from './replay-run.ts';
import { changeText, percent, roasText, worldText } from './words.ts';

export function replayStation({ settings, opened, result, command, seconds }: ReplayOutcome): Station {
  const { value, certificate } = result;
  const { welfare, profit, efficiency, advertisers, from, to } = value;
  const count = (verdict: string): number => advertisers.filter((one) => one.verdict === verdict).length;
  const worlds = [
    { title: 'Before', world: from, rules: settings.from },
    { title: 'After', world: to, rules: settings.to },
  ];
  return {
    id: 'replay',
    title: `${worldText(settings.from)} → ${worldText(settings.to)}`,
    question: 'What would these auctions have been under other rules?',
    answer:
      `Welfare ${said(welfare)}; profit ${said(profit)}. ` +
      `${count('wins')} of ${advertisers.length} advertisers win, ${count('loses')} lose, the others are not separated.`,
    input: `${opened.source}: ${opened.market.auctions} auctions, ${opened.market.advertisers} advertisers`,
    figures: [
      {
        label: 'Welfare',
        value: changeText(welfare)[0],
        note: `${changeText(welfare)[1]}; ${welfare.verdict}`,
      },
      { label: 'Profit', value: changeText(profit)[0], note: `${changeText(profit)[1]}; ${profit.verdict}` },
      {
        label: 'Welfare ÷ optimum',
        value: percent(efficiency.after),
        note: `before: ${percent(efficiency.before)}`,
      },
      {
        label: 'Winners, losers',
        value: `${count('wins')}, ${count('loses')}`,
        note: `of ${advertisers.length}`,
      },
    ],
    charts: [changesChart(welfare, profit), ...advertisersChart(value)],
    tables: [
      {
        caption: 'Advertisers, by gain',
        table: {
          columns: [
            'advertiser',
            'verdict',
            'value before',
            'after',
            'change',
            'interval',
            'spend',
            'ROAS before',
            'after',
          ],
          rows: advertisers
            .toSorted((a, b) => b.gain - a.gain)
            .map(({ name, verdict, value: v, spend, roas }) => [
              ...[name, verdict, shortNumber(v.before), shortNumber(v.after), ...changeText(v)],
              ...[changeText(spend)[0], roasText(roas[0]), roasText(roas[1])],
            ]),
        },
      },
    ],
    certificates: [
      { title: 'The change of welfare', value: changeText(welfare)[0], certificate },
      ...worlds.flatMap(({ title, world, rules }) =>
        world.certificate
          ? [
              {
                title: `${title}: ${worldText(rules)}`,
                value: 'an equilibrium',
                certificate: world.certificate,
              },
            ]
          : [],
      ),
    ],
    repeat: { command, seed: settings.seed },
    seconds,
  };
}

/** "changes by +1.3 % (+0.9 … +1.7 %), separated". */
function said(change: Change): string {
  const [relative, interval] = changeText(change);
  return `changes by ${relative} (${interval}), ${change.verdict === 'separated' ? 'separated' : `not separated: ${change.verdict}`}`;
}
