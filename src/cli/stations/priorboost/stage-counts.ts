// P2: how many stages.

import type { StageCountReport } from '../../../aggregate/reproduce/priorboost/stage-counts.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';
import { errorSeries, errorWithSpread, levelSeries, REFERENCE_NOTE, referenceText } from './shown.ts';

export const stageCounts: Experiment = {
  id: 'P2',
  title: 'How many stages',
  expectedSeconds: { full: 30, quick: 8 },
  async run(options) {
    const { reproduceStageCounts } = await import('../../../aggregate/reproduce/priorboost/stage-counts.ts');
    const seeds = runSeeds(options, options.quick ? 2 : 8);
    return describe(await reproduceStageCounts({ ...runOptions(options), seeds }));
  },
};

function describe(report: ProtocolReport<StageCountReport>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const stages = setting.stages as readonly number[];
  const last = stages.length - 1;
  const [paper, lean] = figures.settings;
  const reference = [2, 4, 8];
  return {
    value: { ...figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.settings.flatMap(({ settings, error }) =>
          stages.map((count, j) => [`squaredError ${settings} T=${count}`, error[j].mean]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'PriorBoost: stages',
      question: 'Do more stages make better bags?',
      answer: `With priors at ρ = 0.05 the error falls from ${lean.error[0].mean.toFixed(4)} with ${stages[0]} stages to ${lean.error[last].mean.toFixed(4)} with ${stages[last]}; with priors at ρ = 1 from ${paper.error[0].mean.toFixed(4)} to ${paper.error[last].mean.toFixed(4)}, since every stage has fewer samples. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Squared error against the number of stages',
          description: 'Mean over the seeds, bands two standard errors. The dotted line is single labels.',
          x: { label: 'stages T', scale: 'log' },
          y: { label: '‖θ̂ − θ‖²', scale: 'log' },
          series: [
            ...figures.settings.map(({ settings, error }) => errorSeries(settings, stages, error)),
            levelSeries('single labels', stages, figures.single),
          ],
        },
      ],
      tables: [
        {
          caption: `Squared error, beside the reference. ${REFERENCE_NOTE}`,
          table: {
            columns: ['settings', ...stages.flatMap((count) => [`T = ${count}`, 'reference'])],
            rows: figures.settings.map(({ settings, error, reference: known }) => [
              settings,
              ...stages.flatMap((count, j) => [
                errorWithSpread(error[j]),
                referenceText(known[reference.indexOf(count)]),
              ]),
            ]),
          },
        },
        verdictTable(verdicts),
      ],
      certificates: [],
    },
  };
}
