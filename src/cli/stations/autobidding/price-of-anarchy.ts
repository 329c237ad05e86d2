// W1: the market that loses half of its welfare.

import type { AnarchyFigures } from '../../../autobidding/reproduce/price-of-anarchy.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { percent } from '../../autobid/words.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const priceOfAnarchy: Experiment = {
  id: 'W1',
  title: 'The worst case: half of the welfare',
  expectedSeconds: { full: 1, quick: 1 },
  async run(options) {
    const { reproducePriceOfAnarchy, WORST_CASE } = await import(
      '../../../autobidding/reproduce/price-of-anarchy.ts'
    );
    const quick = options.quick ? { epsilons: [0.5, 0.1, 0.01] } : {};
    return describe(await reproducePriceOfAnarchy({ ...runOptions(options), ...quick }), WORST_CASE);
  },
};

function describe(report: ProtocolReport<AnarchyFigures>, worstCase: number): ExperimentResult {
  const { figures, verdicts, title } = report;
  const { rows } = figures;
  const epsilons = [...new Set(rows.map(({ epsilon }) => epsilon))].toSorted((a, b) => a - b);
  const line = (format: string, segments: number) =>
    rows
      .filter((row) => row.format === format && row.segments === segments)
      .toSorted((a, b) => a.epsilon - b.epsilon)
      .map(({ epsilon, ratio }) => ({ x: epsilon, y: 100 * ratio }));
  return {
    value: { rows, verdicts },
    figures: {
      ...Object.fromEntries(
        rows.map((row) => [`ratio ${row.format} K=${row.segments} ε=${row.epsilon}`, row.ratio]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title,
      question: 'How much welfare can autobidding cost in the worst case?',
      answer: `Half of it: two auctions suffice. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Welfare of the worst equilibria',
          description:
            'One slot; A is worth 1 and ε in two auctions, B is worth 1 in the second, which A takes. Dashed: no equilibrium of VCG or first price has less.',
          x: { label: 'ε', scale: 'log' },
          y: { label: 'welfare ÷ optimum (%)', include: [40, 100] },
          series: [
            { name: 'VCG and GSP, K = 1', points: line('vcg', 1) },
            { name: 'first price, K = 2', points: line('fpa', 2) },
            {
              name: 'bound',
              role: 'bound',
              points: [epsilons[0], epsilons[epsilons.length - 1]].map((x) => ({ x, y: 100 * worstCase })),
            },
          ],
        },
      ],
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Every profile, as the independent verifier finds it',
          table: {
            columns: ['ε', 'format', 'K', 'welfare ÷ optimum', 'verdict', 'because'],
            rows: rows.map(({ epsilon, format, segments, ratio, verdict, objection }) => [
              ...[epsilon, format.toUpperCase(), segments, percent(ratio), verdict, objection ?? ''],
            ]),
          },
        },
      ],
      certificates: [],
    },
  };
}
