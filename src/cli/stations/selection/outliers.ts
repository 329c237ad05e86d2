// X4: rows that lie far away for no good reason.

import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import type { OutlierFigures } from '../../../selection/reproduce/outliers.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const outliers: Experiment = {
  id: 'X4',
  title: 'Outliers, and who falls for them',
  expectedSeconds: { full: 30, quick: 8 },
  async run(options) {
    const { reproduceOutliers } = await import('../../../selection/reproduce/outliers.ts');
    return describe(
      await reproduceOutliers({ ...runOptions(options), seeds: runSeeds(options, options.quick ? 2 : 10) }),
    );
  },
};

function describe(report: ProtocolReport<OutlierFigures>): ExperimentResult {
  const { figures, verdicts } = report;
  const { kCenter, sensitivity } = figures;
  const rows = [
    { label: 'k-center', share: kCenter },
    ...sensitivity.map(({ power, centers, share }) => ({
      label: `sensitivity, z = ${power}, centers from ${centers}`,
      share,
    })),
  ];
  const percent = (ratio: number): number => 100 * ratio;
  return {
    value: { ...figures, verdicts },
    figures: {
      ...Object.fromEntries(rows.map(({ label, share }) => [`outlierPercent ${label}`, percent(share.mean)])),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Outliers',
      question: 'How many of the picked rows are broken ones that merely lie far away?',
      answer: `Of the first k-center picks ${percent(kCenter.mean).toFixed(0)} % are outliers. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'bars',
          title: 'Outliers among the picked rows',
          description:
            'One row in a thousand was moved to a hundred times its distance. k-center pays the largest distance, sensitivity the sum of them; the smaller the power z, the less a single distance counts.',
          value: { label: 'outliers among the picks (%)' },
          bars: rows.map(({ label, share: { mean, standardError } }) => ({
            ...{ label, value: percent(mean), emphasis: label.includes('z = 1') },
            ...{
              low: Math.max(0, percent(mean - 2 * standardError)),
              high: percent(mean + 2 * standardError),
            },
          })),
        },
      ],
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}
