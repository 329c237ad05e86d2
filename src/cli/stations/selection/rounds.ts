// X5: the budget in one go, or in rounds with fresh losses.

import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import type { RoundsFigures } from '../../../selection/reproduce/rounds.ts';
import {
  measuredBars,
  plusMinus,
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const rounds: Experiment = {
  id: 'X5',
  title: 'One round or several',
  expectedSeconds: { full: 180, quick: 20 },
  async run(options) {
    const { reproduceRounds } = await import('../../../selection/reproduce/rounds.ts');
    return describe(
      await reproduceRounds({ ...runOptions(options), seeds: runSeeds(options, options.quick ? 2 : 20) }),
    );
  },
};

function describe(report: ProtocolReport<RoundsFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const name = (count: number): string => `${count} ${count === 1 ? 'round' : 'rounds'}`;
  const gains = figures.slice(1).map(({ rounds: count, gain }) => `${name(count)} ${plusMinus(gain)} points`);
  return {
    value: { rounds: figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.map(({ rounds: count, accuracy }) => [`accuracyPercent R=${count}`, accuracy.mean]),
      ),
      ...Object.fromEntries(figures.map(({ rounds: count, queries }) => [`lossQueries R=${count}`, queries])),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Rounds',
      question: 'Is it worth buying labels in rounds, with losses refreshed in between?',
      answer: `Over one round: ${gains.join(', ')}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'bars',
          title: 'Test accuracy for the same budget',
          description:
            'Whiskers are two standard errors over the runs. Each round asks the losses of its representatives again.',
          value: { label: 'test accuracy (%)' },
          bars: measuredBars(
            Object.fromEntries(figures.map((row) => [name(row.rounds), row.accuracy])),
            '1 round',
          ),
        },
      ],
      tables: [
        {
          caption: 'What the rounds cost, and how much the probabilities still moved',
          table: {
            columns: ['rounds', 'losses asked', 'change of p, round by round'],
            rows: figures.map(({ rounds: count, queries, change }) => [
              ...[count, queries],
              change.map((step) => step.toFixed(2)).join(', ') || '–',
            ]),
          },
        },
        verdictTable(verdicts),
      ],
      certificates: [],
    },
  };
}
