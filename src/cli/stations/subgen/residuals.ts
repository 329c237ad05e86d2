// W2: whether small clusters kept exactly, or samples of residuals, would make a hybrid cache err less.

import type { ResidualsFigures } from '../../../kv-cache/reproduce/residuals.ts';
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

export const residuals: Experiment = {
  id: 'W2',
  title: 'Caches: small clusters kept exactly, and samples of residuals',
  expectedSeconds: { full: 30, quick: 4 },
  async run(options) {
    const { reproduceResiduals } = await import('../../../kv-cache/reproduce/residuals.ts');
    const seeds = runSeeds(options, options.quick ? 1 : 10);
    const quick = options.quick ? { rows: 1000, bytes: 24_000 } : {};
    return describe(await reproduceResiduals({ ...runOptions(options), ...quick, seeds }));
  },
};

function describe(report: ProtocolReport<ResidualsFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.map(({ kind, variant, error }) => [`relativeError ${kind}, ${variant}`, error.mean]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Caches: what merged centers leave out',
      question:
        'Would samples of what the means leave out, or small clusters kept exactly, be worth their bytes?',
      answer: `No: the bytes are better spent on more centers. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [],
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Relative error at equal bytes, mean and standard error',
          table: {
            columns: ['stream', 'cache', 'error', 'standard error'],
            rows: figures.map(({ kind, variant, error }) => [kind, variant, error.mean, error.standardError]),
          },
        },
      ],
      certificates: [],
    },
  };
}
