// S3: policies of equal rows on a stream whose keys cluster.

import type { PolicyFigures } from '../../../kv-cache/reproduce/policies.ts';
import type { Chart } from '../../../report/index.ts';
import type { Measured, ProtocolReport } from '../../../reproduce/protocol.ts';
import {
  measuredBars,
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const policies: Experiment = {
  id: 'S3',
  title: 'Caches: policies of equal rows on a stream whose keys cluster',
  expectedSeconds: { full: 3, quick: 1 },
  async run(options) {
    const { reproducePolicies } = await import('../../../kv-cache/reproduce/policies.ts');
    const seeds = runSeeds(options, options.quick ? 1 : 5);
    return describe(await reproducePolicies({ ...runOptions(options), seeds }));
  },
};

function describe(report: ProtocolReport<PolicyFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const budgets = [...new Set(figures.map(({ budget }) => budget))];
  const merged = figures.filter(({ cache }) => cache === 'k-center, merged');
  const error = (i: number) => merged[i].generic.mean.toPrecision(2);
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.flatMap(({ budget, cache, generic, needle }) => [
          [`genericError ${cache} rows=${budget}`, generic.mean],
          [`needleError ${cache} rows=${budget}`, needle.mean],
        ]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Caches: policies',
      question:
        'What is left of the answers when there are fewer centers than clusters, and when there are more?',
      answer: `Merged centers err by ${error(0)} with ${budgets[0]} rows and by ${error(1)} with ${budgets[1]}: the step is where centers outnumber clusters. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: budgets.flatMap((budget) => [
        errorChart(figures, budget, 'generic', 'Questions about clusters'),
        errorChart(figures, budget, 'needle', 'The question about the one token like no other'),
      ]),
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Relative errors',
          table: {
            columns: ['rows', 'cache', 'clusters', 'needle'],
            rows: figures.map(({ budget, cache, generic, needle }) => [
              budget,
              cache,
              generic.mean,
              needle.mean,
            ]),
          },
        },
      ],
      certificates: [],
    },
  };
}

function errorChart(
  figures: readonly PolicyFigures[],
  budget: number,
  question: 'generic' | 'needle',
  title: string,
): Chart {
  const own = figures.filter((row) => row.budget === budget);
  const measured: Record<string, Measured> = Object.fromEntries(own.map((row) => [row.cache, row[question]]));
  return {
    kind: 'bars',
    title: `${title}, ${budget} rows`,
    description: 'Every cache keeps as many rows. Whiskers are two standard errors over the streams.',
    value: { label: 'relative error' },
    bars: measuredBars(measured, 'k-center, merged'),
  };
}
