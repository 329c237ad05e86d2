// D1: ways to learn an equilibrium, compared by what is certified of where they end.

import type { DynamicsFigures } from '../../../autobidding/reproduce/dynamics.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { percent } from '../../autobid/words.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';
import { OWN_DESIGN } from './shown.ts';

export const dynamics: Experiment = {
  id: 'D1',
  title: 'Dynamics: who comes nearest to rest',
  expectedSeconds: { full: 600, quick: 15 },
  async run(options) {
    const { reproduceDynamics } = await import('../../../autobidding/reproduce/dynamics.ts');
    const first = 200 + 1000 * options.seed;
    const quick = options.quick
      ? {
          generators: [
            { name: 'provably' as const, auctions: 300 },
            { name: 'gamma-topic' as const, auctions: 300 },
          ],
          effort: 0.5,
        }
      : {};
    const seeds = Array.from({ length: options.quick ? 1 : 3 }, (_, s) => (first + s) >>> 0);
    return describe(await reproduceDynamics({ ...runOptions(options), ...quick, seeds }));
  },
};

function describe(report: ProtocolReport<DynamicsFigures>): ExperimentResult {
  const { figures, verdicts, title } = report;
  const { rows, joint } = figures;
  // A chart for each format: more than eight categories cannot be told apart.
  const cellOf = ({ generator, level, format }: (typeof rows)[number]) =>
    `${generator}, K = ${level}, ${format.toUpperCase()}`;
  const cells = [...new Set(rows.map(cellOf))];
  return {
    value: { rows, joint, verdicts },
    figures: {
      ...Object.fromEntries(
        rows.map(({ generator, format, level, method, regret }) => [
          `regret ${generator} ${format} K=${level} ${method}`,
          regret.mean,
        ]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title,
      question:
        'Fictitious play, regret matching and gradient play all look for rest. Who comes nearest, and in what time?',
      answer: `${verdictSentence(verdicts)} ${OWN_DESIGN}`,
      input: settingLine(report),
      figures: [],
      charts: cells.map((cell) => ({
        kind: 'scatter' as const,
        title: `Regret against time, ${cell}`,
        description: 'Means over markets, by method. Down and left is better.',
        x: { label: 'processor seconds', scale: 'log' as const },
        y: { label: 'certified regret (% of value)', scale: 'log' as const },
        points: rows
          .filter((row) => cellOf(row) === cell)
          .map(({ seconds, regret, method }) => ({
            ...{ x: seconds.mean, y: 100 * regret.mean },
            category: method,
          })),
      })),
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Means over markets',
          table: {
            columns: [
              'generator',
              'K',
              'format',
              'method',
              'regret, mean',
              'of one advertiser',
              'welfare',
              'seconds',
            ],
            rows: rows.map(({ generator, level, format, method, regret, worstRegret, welfare, seconds }) => [
              ...[generator, level, format.toUpperCase(), method, percent(regret.mean)],
              ...[percent(worstRegret), percent(welfare.mean), seconds.mean.toFixed(1)],
            ]),
            note: 'Seconds of one core, certificate included. Optimistic mirror descent plays pure strategies.',
          },
        },
        {
          caption: 'Joint play of regret matching over time, as a coarse correlated equilibrium',
          table: {
            columns: ['generator', 'K', 'format', 'profiles', 'regret, mean', 'overspend, largest'],
            rows: joint.map(({ generator, level, format, profiles, regret, worstOverspend }) => [
              ...[generator, level, format.toUpperCase(), profiles],
              ...[percent(regret.mean), percent(worstOverspend)],
            ]),
            note: 'Weaker than the table above: deviations are committed to before the joint profile is drawn.',
          },
        },
      ],
      certificates: [],
    },
  };
}
