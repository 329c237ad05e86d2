// What the autobidding experiments show alike: comparisons of formats and levels, as tables and curves.

import type { SweepCell, SweepComparison, SweepMeasure } from '../../../autobidding/index.ts';
import type { GeneratorFindings } from '../../../autobidding/reproduce/findings.ts';
import { AUCTION_FORMATS } from '../../../autobidding/types.ts';
import { summarize } from '../../../core/statistics/index.ts';
import type { Chart, Table } from '../../../report/index.ts';
import { percent, signedPercent } from '../../autobid/words.ts';

/** Said with every protocol: whose markets these are. */
export const OWN_DESIGN =
  'Markets of our own generators, equilibria of our own dynamics: the paper’s data and constants are not published.';

/** Means of the cells: one row for each format and level. */
export function meansTable({ generator, cells }: GeneratorFindings): {
  caption: string;
  table: Table;
} {
  return {
    caption: `${generator}: means over markets, as shares of the optimal welfare; certified regret beside`,
    table: {
      columns: [
        'format',
        'K',
        'welfare',
        'profit',
        'regret, mean',
        'regret, worst market',
        'of one advertiser',
        'mixed markets',
      ],
      rows: AUCTION_FORMATS.flatMap((format) =>
        levelsOf(cells).map((level) => {
          const column = cells.filter((cell) => cell.format === format && cell.level === level);
          const most = (of: (cell: SweepCell) => number) => percent(Math.max(...column.map(of)));
          const mean = (of: (cell: SweepCell) => number) => percent(summarize(column.map(of)).mean);
          return [
            ...[format.toUpperCase(), level, mean(({ welfare }) => welfare), mean(({ profit }) => profit)],
            mean(({ meanRegretBound }) => meanRegretBound),
            most(({ meanRegretBound }) => meanRegretBound),
            most(({ maxRegretBound }) => maxRegretBound),
            `${column.filter(({ strategies }) => strategies === 'mixed').length} of ${column.length}`,
          ];
        }),
      ),
    },
  };
}

/** Paired differences with intervals, regrets and what they are worth. */
export function comparisonsTable(
  generator: string,
  comparisons: readonly SweepComparison[],
): {
  caption: string;
  table: Table;
} {
  return {
    caption: `${generator}: paired differences; separated: the interval excludes 0 and the difference exceeds the regret of either side`,
    table: {
      columns: ['difference', 'of', 'mean', '95 % interval', 'regret', 'signs', 'verdict'],
      rows: comparisons.map(({ measure, a, b, difference, interval, regret, above, below, separated }) => [
        ...[`${a.format.toUpperCase()} K=${a.level} − ${b.format.toUpperCase()} K=${b.level}`, measure],
        signedPercent(difference),
        `${signedPercent(interval.low).replace(' %', '')} … ${signedPercent(interval.high)}`,
        ...[percent(regret), `${above}:${below}`, separated ? 'separated' : 'not separated'],
      ]),
    },
  };
}

/** A measure over the number of multipliers, a line for each format; bands: two standard errors, or the regret where that is larger. */
export function levelChart(
  { generator, cells }: Pick<GeneratorFindings, 'generator' | 'cells'>,
  measure: SweepMeasure,
): Chart {
  return {
    kind: 'line',
    title: `${measure === 'welfare' ? 'Welfare' : 'Profit'} by number of multipliers, ${generator} generator`,
    description:
      'Mean over markets; bands: two standard errors, or the certified regret where that is larger. Differences are paired by market: read them in the table.',
    x: { label: 'multipliers K', scale: 'log' },
    y: { label: `${measure} ÷ optimum (%)` },
    series: AUCTION_FORMATS.map((format) => ({
      name: format.toUpperCase(),
      points: levelsOf(cells).map((level) => {
        const column = cells.filter((cell) => cell.format === format && cell.level === level);
        const { mean, variance, count } = summarize(column.map((cell) => cell[measure]));
        const regret = summarize(column.map(({ meanRegretBound }) => meanRegretBound)).mean;
        const half = Math.max(2 * Math.sqrt(variance / count), mean * regret);
        return { x: level, y: 100 * mean, low: 100 * (mean - half), high: 100 * (mean + half) };
      }),
    })),
  };
}

function levelsOf(cells: readonly SweepCell[]): number[] {
  return [...new Set(cells.map(({ level }) => level))].toSorted((a, b) => a - b);
}
