// O1: the order of the formats at mixed equilibria, where pure ones are not near enough to rest.

import type { FormatOrderFigures } from '../../../autobidding/reproduce/format-order.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { percent } from '../../autobid/words.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';
import { comparisonsTable, OWN_DESIGN } from './shown.ts';

export const formatOrder: Experiment = {
  id: 'O1',
  title: 'The order of formats at mixed equilibria',
  expectedSeconds: { full: 150, quick: 15 },
  async run(options) {
    const { reproduceFormatOrder } = await import('../../../autobidding/reproduce/format-order.ts');
    const first = 200 + 1000 * options.seed;
    const quick = options.quick
      ? {
          levels: [1, 8],
          generators: [
            { name: 'provably' as const, auctions: 400 },
            { name: 'gamma-topic' as const, auctions: 400 },
          ],
        }
      : {};
    const seeds = Array.from({ length: options.quick ? 2 : 3 }, (_, s) => (first + s) >>> 0);
    return describe(await reproduceFormatOrder({ ...runOptions(options), ...quick, seeds }));
  },
};

function describe(report: ProtocolReport<FormatOrderFigures>): ExperimentResult {
  const { figures, verdicts, title } = report;
  const { generators } = figures;
  const top = Math.max(...generators[0].markets.map(({ level }) => level));
  return {
    value: { ...figures, verdicts },
    figures: {
      ...Object.fromEntries(
        generators.flatMap(({ generator, formats }) =>
          formats.flatMap(({ format, level, welfare, profit, worstMeanRegret }) => [
            [`welfare ${generator} ${format} K=${level}`, welfare.mean],
            [`profit ${generator} ${format} K=${level}`, profit.mean],
            [`worstRegret ${generator} ${format} K=${level}`, worstMeanRegret],
          ]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: `${title[0].toUpperCase()}${title.slice(1)}`,
      question: 'Is first price above GSP above VCG also when advertisers bid finely?',
      answer: `${verdictSentence(verdicts)} Markets in which first price is ahead of GSP at K = ${top}, behind, or not told apart: ${generators
        .map(({ generator, markets }) => {
          const pair = markets.find(({ level, a, b }) => level === top && a === 'fpa' && b === 'gsp')!;
          return `${generator} ${pair.ahead}, ${pair.behind}, ${pair.unresolved}`;
        })
        .join('; ')}. ${OWN_DESIGN}`,
      input: settingLine(report),
      figures: [],
      charts: generators.map(({ generator, formats }) => ({
        kind: 'line' as const,
        title: `Welfare at mixed equilibria, ${generator} generator`,
        description:
          'Mean over markets; bands: the larger of two standard errors and the mean certified regret.',
        x: { label: 'segments K', scale: 'log' as const },
        y: { label: 'welfare ÷ optimum (%)' },
        series: [...new Set(formats.map(({ format }) => format))].map((name) => ({
          name: name.toUpperCase(),
          points: formats
            .filter(({ format }) => format === name)
            .map(({ level, welfare, meanRegret }) => {
              const half = Math.max(2 * welfare.standardError, welfare.mean * meanRegret.mean);
              return {
                ...{ x: level, y: 100 * welfare.mean },
                ...{ low: 100 * (welfare.mean - half), high: 100 * (welfare.mean + half) },
              };
            }),
        })),
      })),
      tables: [
        verdictTable(verdicts),
        ...generators.flatMap(({ generator, formats, comparisons, markets }) => [
          {
            caption: `${generator}: means over markets`,
            table: {
              columns: [
                'format',
                'K',
                'welfare',
                'profit',
                'regret, mean',
                'worst market',
                'of one advertiser',
              ],
              rows: formats.map(
                ({ format, level, welfare, profit, meanRegret, worstMeanRegret, worstRegret }) => [
                  ...[format.toUpperCase(), level, percent(welfare.mean), percent(profit.mean)],
                  ...[percent(meanRegret.mean), percent(worstMeanRegret), percent(worstRegret)],
                ],
              ),
            },
          },
          comparisonsTable(generator, comparisons),
          {
            caption: `${generator}: markets by who is ahead in welfare by more than the regret of either`,
            table: {
              columns: ['K', 'formats', 'ahead', 'behind', 'not told apart'],
              rows: markets.map(({ level, a, b, ahead, behind, unresolved }) => [
                ...[level, `${a.toUpperCase()} against ${b.toUpperCase()}`, ahead, behind, unresolved],
              ]),
            },
          },
        ]),
      ],
      certificates: [],
    },
  };
}
