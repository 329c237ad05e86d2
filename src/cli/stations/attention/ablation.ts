// E2: which part of HyperAttention does what, and when the blocks do not pay.

import type { AblationFigures, AblationPart } from '../../../attention/reproduce/ablation.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
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

export const ablation: Experiment = {
  id: 'E2',
  title: 'Attention: what blocks and samples are each worth',
  expectedSeconds: { full: 20, quick: 2 },
  async run(options) {
    const { reproduceAblation } = await import('../../../attention/reproduce/ablation.ts');
    const quick = options.quick ? { rows: 1024, clusters: 16 } : {};
    const seeds = runSeeds(options, options.quick ? 1 : 3);
    return describe(await reproduceAblation({ ...runOptions(options), ...quick, seeds }));
  },
};

function describe(report: ProtocolReport<AblationFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const [concentrated, flat] = figures.map(({ error }) => error);
  const show = (error: Record<AblationPart, { mean: number }>, part: AblationPart) =>
    error[part].mean.toFixed(2);
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.flatMap(({ strength, error }) =>
          Object.entries(error).map(([part, { mean }]) => [`operatorError β=${strength} ${part}`, mean]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Attention: blocks and samples',
      question: 'Which part does the work, and when is hashing not worth it?',
      answer:
        `Where attention is concentrated, hashing and samples leave ε = ${show(concentrated, 'hash and samples')}, samples alone ${show(concentrated, 'samples only')}; ` +
        `where it is nearly uniform it is the other way round: ${show(flat, 'hash and samples')} against ${show(flat, 'samples only')}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: figures.map(({ strength, error }) => ({
        kind: 'bars' as const,
        title: `Error by part, heavy logits β = ${strength}`,
        description:
          'Samples only meet as many keys as block and samples together. Whiskers are two standard errors over the runs.',
        value: { label: 'ε = ‖Õ − O‖_op / (‖P‖_op ‖V‖_op)' },
        bars: measuredBars(error, 'hash and samples'),
      })),
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}
