// A3: the best bag size under label privacy.

import type { PrivacyPhaseFigures } from '../../../aggregate/reproduce/privacy-phase.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const privacyPhase: Experiment = {
  id: 'A3',
  title: 'Bags: the best size under label privacy',
  expectedSeconds: { full: 2, quick: 1 },
  async run(options) {
    const { reproducePrivacyPhase } = await import('../../../aggregate/reproduce/privacy-phase.ts');
    const quick = options.quick ? { repeats: 100 } : {};
    return describe(await reproducePrivacyPhase({ ...runOptions(options), ...quick, seed: options.seed }));
  },
};

function describe(report: ProtocolReport<PrivacyPhaseFigures>): ExperimentResult {
  const { figures, verdicts } = report;
  const { limit, switches, finite, simulated } = figures;
  return {
    value: { ...figures, verdicts },
    figures: {
      ...Object.fromEntries(finite.map(({ epsilon, best }) => [`bestBagSize ε=${epsilon}`, best])),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Bag size under label privacy',
      question: 'Noise in a mean falls with the size of the bag. Are large bags therefore best?',
      answer: `Only with enough of the instance-level loss: at small ρ single labels are best, at larger ρ the largest bags. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: simulated.map(({ rho, bySize }) => ({
        kind: 'line' as const,
        title: `Risk over bag size, ρ = ${rho}`,
        description:
          'ε = 0.1 with bounds ±3: noise is all that counts. Band: two standard errors about the simulated mean; dashed: theory.',
        x: { label: 'bag size k' },
        y: { label: '‖θ̂ − θ‖²', include: [0] },
        series: [
          {
            name: 'simulated',
            points: bySize.map(({ bagSize, simulated: { mean, standardError } }) => ({
              ...{ x: bagSize, y: mean, low: mean - 2 * standardError, high: mean + 2 * standardError },
            })),
          },
          {
            name: 'theory',
            role: 'reference' as const,
            points: bySize.map(({ bagSize, theory }) => ({ x: bagSize, y: theory })),
          },
        ],
      })),
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Best of bags of 1 … 5 where noise is all there is',
          table: {
            columns: ['n/d', 'ρ', 'best k', 'risk of k = 1', 'risk of k = 5'],
            rows: limit.map(({ psi, rho, best, risks }) => [
              ...[psi, rho, best, shortNumber(risks[0]), shortNumber(risks[4])],
            ]),
          },
        },
        {
          caption: 'Where the best size changes from 1 to 5',
          table: {
            columns: ['n/d', 'ρ between, here', 'ρ between, in the reference'],
            rows: switches.map(({ psi, measured, reference }) => [
              ...[psi, measured.join(' and '), reference.join(' and ')],
            ]),
          },
        },
        {
          caption: 'Best of bags of 1 … 10 at n/d = 10, ρ = 1, bounds ±3, ‖θ‖² = 1, σ² = 0.25',
          table: {
            columns: ['ε', 'best k here', 'best k in the reference'],
            rows: finite.map(({ epsilon, best, reference }) => [epsilon, best, reference]),
          },
        },
      ],
      certificates: [],
    },
  };
}
