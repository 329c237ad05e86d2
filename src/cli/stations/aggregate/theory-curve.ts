// A1: the closed form of the risk, simulated.

import type { ReferenceCheck, TheoryCell, TheoryFigures } from '../../../aggregate/reproduce/theory-curve.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { LineSeries } from '../../../report/index.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const theoryCurve: Experiment = {
  id: 'A1',
  title: 'Bags: risk in theory and simulation',
  expectedSeconds: { full: 8, quick: 2 },
  async run(options) {
    const { reproduceTheoryCurve } = await import('../../../aggregate/reproduce/theory-curve.ts');
    const quick = options.quick ? { features: 60, repeats: 20 } : {};
    return describe(await reproduceTheoryCurve({ ...runOptions(options), ...quick, seed: options.seed }));
  },
};

function describe(report: ProtocolReport<TheoryFigures>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const { cells, references } = figures;
  const finite = cells.filter(({ excess }) => Number.isFinite(excess));
  const mean = finite.reduce((sum, { excess }) => sum + excess, 0) / finite.length;
  return {
    value: { cells, references, verdicts },
    figures: { cells: cells.length, meanExcessPercent: 100 * mean, ...verdictFigures(verdicts) },
    section: {
      title: 'Risk on random bags',
      question: 'Does the closed form of the risk hold at sizes one meets?',
      answer: `With ${setting.features} features simulated runs lie ${(100 * mean).toFixed(1)} % above the limit on average. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Risk over ρ, eight samples a feature, SNR 1',
          description:
            'Lines are the theory, bands two standard errors about the simulated means. ρ = 0, the bag-level loss, is drawn at the left end.',
          x: { label: 'ρ', scale: 'log' },
          y: { label: '‖θ̂ − θ‖² / σ²', scale: 'log' },
          series: [...new Set(cells.map(({ bagSize }) => bagSize))].flatMap((k) => curves(cells, k)),
        },
      ],
      tables: [verdictTable(verdicts), cellTable(cells), referenceTable(references)],
      certificates: [],
    },
  };
}

/** Where ρ = 0 is drawn on a logarithmic axis. */
const ZERO = 0.01;

function curves(cells: readonly TheoryCell[], bagSize: number): LineSeries[] {
  const row = cells.filter((cell) => cell.psi === 8 && cell.snr === 1 && cell.bagSize === bagSize);
  const shown = row.filter(({ theory, simulated }) => theory < Infinity && simulated.mean < Infinity);
  return [
    {
      name: `simulated, bags of ${bagSize}`,
      points: shown.map(({ rho, simulated: { mean, standardError } }) => ({
        ...{ x: Math.max(rho, ZERO), y: mean, low: mean - 2 * standardError, high: mean + 2 * standardError },
      })),
    },
    {
      name: `theory, bags of ${bagSize}`,
      role: 'reference',
      points: shown.map(({ rho, theory }) => ({ x: Math.max(rho, ZERO), y: theory })),
    },
  ];
}

function cellTable(cells: readonly TheoryCell[]) {
  const rows = cells
    .filter(({ snr }) => snr === 1)
    .map(({ psi, bagSize, rho, theory, simulated }) => [
      ...[psi, bagSize, rho, shortNumber(theory)],
      Number.isFinite(simulated.mean)
        ? `${shortNumber(simulated.mean)} ± ${shortNumber(simulated.standardError)}`
        : '∞',
    ]);
  return {
    caption: 'Risk at SNR 1',
    table: { columns: ['n/d', 'bag size', 'ρ', 'theory', 'simulated'], rows },
  };
}

function referenceTable(references: readonly ReferenceCheck[]) {
  const pair = ({ squaredBias, variance }: { squaredBias: number; variance: number }) =>
    `${squaredBias.toFixed(4)} + ${variance.toFixed(4)}`;
  return {
    caption: 'Squared bias + variance against an independent implementation',
    table: {
      columns: ['n/d, k, ρ, ‖θ‖², σ²', 'theory here', 'theory there', 'simulated there, d = 200'],
      rows: references.map(
        ({ psi, bagSize, rho, signal, noise, reference, referenceSimulated, measured }) => [
          ...[[psi, bagSize, rho, signal, noise].join(', '), pair(measured), pair(reference)],
          pair(referenceSimulated),
        ],
      ),
    },
  };
}
