// Protocol A1: risk in closed form against simulation, over samples per feature, bag size, loss and signal.

import {
  judge,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
  type Verdict,
} from '../../reproduce/protocol.ts';
import { asymptoticRisk, type SimulatedRisk, simulateRisk } from '../index.ts';

export interface TheoryCurveOptions extends Omit<ProtocolOptions, 'seeds'> {
  /** Features d. Default 100. */
  features?: number;
  /** Runs of each cell. Default 50. */
  repeats?: number;
  /** Default [2, 4, 8]. */
  psis?: readonly number[];
  /** Default [2, 3, 5]. */
  bagSizes?: readonly number[];
  /** Default 0. */
  seed?: number;
}

export interface TheoryCell {
  psi: number;
  bagSize: number;
  snr: number;
  rho: number;
  theory: number;
  simulated: SimulatedRisk;
  /** simulated ÷ theory − 1; NaN where the theory is infinite. */
  excess: number;
}

/** A setting whose risk an independent implementation computed, by theory and by 20 simulated runs at d = 200. */
export interface ReferenceCheck {
  psi: number;
  bagSize: number;
  rho: number;
  signal: number;
  noise: number;
  /** Squared bias and variance: theirs by theory, theirs by simulation, and ours by theory. */
  reference: { squaredBias: number; variance: number };
  referenceSimulated: { squaredBias: number; variance: number };
  measured: { squaredBias: number; variance: number };
}

export interface TheoryFigures {
  cells: TheoryCell[];
  references: ReferenceCheck[];
}

const RHOS = [0, 0.05, 0.1, 0.3, 1];
const SNRS = [0.5, 1, 4];
const REFERENCES = [
  [4, 2, 0.3, 1, 1, 0.1408, 0.3623, 0.1454, 0.3734],
  [3, 5, 0.5, 2, 0.5, 1.2999, 0.0982, 1.3131, 0.1034],
  [6, 3, 2.5, 1, 1, 0.6843, 0.0211, 0.677, 0.0204],
  [1.5, 3, 0.4, 1, 1, 0.8986, 0.9759, 0.9182, 1.0405],
] as const;

/** About 5 s at the defaults on one core. */
export async function reproduceTheoryCurve(
  options: TheoryCurveOptions = {},
): Promise<ProtocolReport<TheoryFigures>> {
  const { features = 100, repeats = 50, psis = [2, 4, 8], bagSizes = [2, 3, 5], seed = 0 } = options;
  const settings = psis.flatMap((psi) =>
    bagSizes.flatMap((bagSize) => SNRS.map((snr) => ({ psi, bagSize, snr }))),
  );
  const cells: TheoryCell[] = [];
  for (const [i, { psi, bagSize, snr }] of settings.entries()) {
    const run = partOf(options, 'theory curve', i, settings.length);
    const setting = { psi, bagSize, signal: snr, noise: 1 };
    const simulated = await simulateRisk({ ...setting, rhos: RHOS, features }, { ...run, repeats, seed });
    for (const point of simulated) {
      const theory = asymptoticRisk({ ...setting, rho: point.rho }).risk;
      cells.push({
        psi,
        bagSize,
        snr,
        rho: point.rho,
        theory,
        simulated: point,
        excess: theory < Infinity ? point.mean / theory - 1 : NaN,
      });
    }
  }
  const references = REFERENCES.map(
    ([psi, bagSize, rho, signal, noise, b, v, simulatedB, simulatedV]): ReferenceCheck => {
      const { squaredBias, variance } = asymptoticRisk({ psi, bagSize, rho, signal, noise });
      return {
        ...{ psi, bagSize, rho, signal, noise },
        reference: { squaredBias: b, variance: v },
        referenceSimulated: { squaredBias: simulatedB, variance: simulatedV },
        measured: { squaredBias, variance },
      };
    },
  );
  return {
    id: 'A1',
    title: 'Risk: theory and simulation',
    setting: { features, repeats, psis, bagSizes, rhos: RHOS, snrs: SNRS, seed },
    figures: { cells, references },
    verdicts: verdictsOf(cells, references),
  };
}

function verdictsOf(cells: readonly TheoryCell[], references: readonly ReferenceCheck[]): Verdict[] {
  const finite = cells.filter(({ excess }) => Number.isFinite(excess));
  // With ψ/k near 1 the risk of few features is far above its limit; there theory is a limit only.
  const steady = finite.filter(({ psi, bagSize }) => psi >= 2 * bagSize);
  const within = finite.filter(
    ({ theory, simulated }) =>
      Math.abs(simulated.mean - theory) <= 3 * simulated.standardError + 0.03 * theory,
  );
  // Bags fewer than features: no estimate is unique. (With as many, the risk is finite in each run, without a mean.)
  const infinite = cells.filter(({ psi, bagSize, rho }) => rho === 0 && psi < bagSize);
  const off = (a: number, b: number) => Math.abs(a - b);
  const worst = Math.max(
    ...references.flatMap(({ reference, measured }) => [
      off(reference.squaredBias, measured.squaredBias),
      off(reference.variance, measured.variance),
    ]),
  );
  return [
    judge('cells lie within 3 standard errors + 3 % of the theory', within.length / finite.length, {
      low: 0.95,
      unit: 'share',
    }),
    judge(
      'mean deviation where bags are at least twice as many as features',
      steady.reduce((sum, { excess }) => sum + Math.abs(excess), 0) / steady.length,
      { high: 0.05, unit: 'relative' },
    ),
    judge('the theory equals the independently computed figures to four digits', worst, {
      high: 0.5e-4,
      unit: 'largest difference',
    }),
    judge(
      'where theory is infinite, so is every simulated cell',
      infinite.filter(({ theory, simulated }) => theory === Infinity && simulated.mean === Infinity).length /
        Math.max(1, infinite.length),
      { low: infinite.length > 0 ? 1 : 0, unit: 'share' },
    ),
  ];
}
