// A2: the best loss lies between the two.

import type { RhoCurveFigures } from '../../../aggregate/reproduce/rho-curve.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const rhoCurve: Experiment = {
  id: 'A2',
  title: 'Bags: between the two losses',
  expectedSeconds: { full: 2, quick: 1 },
  async run(options) {
    const { reproduceRhoCurve } = await import('../../../aggregate/reproduce/rho-curve.ts');
    const quick = options.quick ? { repeats: 40 } : {};
    return describe(await reproduceRhoCurve({ ...runOptions(options), ...quick, seed: options.seed }));
  },
};

function describe(report: ProtocolReport<RhoCurveFigures>): ExperimentResult {
  const { figures, verdicts } = report;
  const { points, best, reference } = figures;
  const positive = points.filter(({ rho }) => rho > 0);
  const [zero, one] = [points[0], points[points.length - 1]];
  const simulatedAt = (rho: number) => shortNumber(points.find((point) => point.rho === rho)!.simulated.mean);
  return {
    value: { ...figures, verdicts },
    figures: {
      bestRho: best.rho,
      riskAtBestRho: best.risk,
      riskAtZero: zero.theory,
      riskAtOne: one.theory,
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Between bag-level and instance-level loss',
      question: 'Which share ρ of the instance-level loss is best?',
      answer: `At n/d = 8, bags of 5 and SNR 1, ρ = ${best.rho.toFixed(2)} has risk ${best.risk.toFixed(3)}; the bag-level loss ${zero.theory.toFixed(3)}, the instance-level loss ${one.theory.toFixed(3)}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Risk over ρ',
          description:
            'Band: two standard errors about the simulated mean. The dashed line is the theory, the level line the bag-level loss alone.',
          x: { label: 'ρ', scale: 'log' },
          y: { label: '‖θ̂ − θ‖² / σ²', include: [0] },
          series: [
            {
              name: 'simulated',
              points: positive.map(({ rho, simulated: { mean, standardError } }) => ({
                ...{ x: rho, y: mean, low: mean - 2 * standardError, high: mean + 2 * standardError },
              })),
            },
            {
              name: 'theory',
              role: 'reference',
              points: positive.map(({ rho, theory }) => ({ x: rho, y: theory })),
            },
            {
              name: 'bag-level loss, ρ = 0',
              role: 'bound',
              points: positive.map(({ rho }) => ({ x: rho, y: zero.theory })),
            },
          ],
        },
      ],
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Against an independent implementation',
          table: {
            columns: ['ρ', 'theory here', 'theory there', 'simulated here'],
            rows: [
              ['0', zero.theory.toFixed(3), reference.atZero.toFixed(3), simulatedAt(0)],
              [
                `best: ${best.rho.toFixed(4)} (there ${reference.bestRho})`,
                ...[best.risk.toFixed(5), reference.best.toFixed(5), simulatedAt(best.rho)],
              ],
              ['1', one.theory.toFixed(3), reference.atOne.toFixed(3), simulatedAt(1)],
            ],
          },
        },
      ],
      certificates: [],
    },
  };
}
