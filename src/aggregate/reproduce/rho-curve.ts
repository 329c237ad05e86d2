// Protocol A2: between the two losses lies a better one.

import { judge, type ProtocolOptions, type ProtocolReport, partOf } from '../../reproduce/protocol.ts';
import { asymptoticRisk, type OptimalRho, optimalRho, type SimulatedRisk, simulateRisk } from '../index.ts';

export interface RhoCurveOptions extends Omit<ProtocolOptions, 'seeds'> {
  /** Features d. Default 100. */
  features?: number;
  /** Simulated runs. Default 100. */
  repeats?: number;
  /** Default 0. */
  seed?: number;
}

export interface RhoCurveFigures {
  /** Theory and simulation over ρ, ends first and last. */
  points: { rho: number; theory: number; simulated: SimulatedRisk }[];
  best: OptimalRho;
  /** What an independent implementation found: risk at ρ = 0, at its best ρ, at 1. */
  reference: { atZero: number; bestRho: number; best: number; atOne: number };
}

const SETTING = { psi: 8, bagSize: 5, signal: 1, noise: 1 };
const REFERENCE = { atZero: 1.667, bestRho: 0.1704, best: 0.50419, atOne: 0.691 };

/** About a second. */
export async function reproduceRhoCurve(
  options: RhoCurveOptions = {},
): Promise<ProtocolReport<RhoCurveFigures>> {
  const { features = 100, repeats = 100, seed = 0 } = options;
  const run = partOf(options, 'ρ curve', 0, 1);
  const best = optimalRho(SETTING);
  const inner = Array.from({ length: 13 }, (_, i) => 10 ** (-3 + i / 4));
  const rhos = [
    0,
    ...inner.filter((rho) => rho < best.rho),
    best.rho,
    ...inner.filter((rho) => rho > best.rho),
  ];
  const simulated = await simulateRisk({ ...SETTING, rhos, features }, { ...run, repeats, seed });
  const points = simulated.map((point) => ({
    rho: point.rho,
    theory: asymptoticRisk({ ...SETTING, rho: point.rho }).risk,
    simulated: point,
  }));
  const at = (rho: number) => points.find((point) => point.rho === rho)!;
  const [zero, one, middle] = [at(0), at(1), at(best.rho)];
  const close = (claim: string, measured: number, expected: number) =>
    judge(claim, measured, { low: expected * 0.999, high: expected * 1.001, unit: 'risk' });
  return {
    id: 'A2',
    title: 'Between the two losses',
    setting: { ...SETTING, features, repeats, seed },
    figures: { points, best, reference: REFERENCE },
    verdicts: [
      close('theory at ρ = 0 is 1.667', zero.theory, REFERENCE.atZero),
      close('theory at the best ρ is 0.504', best.risk, REFERENCE.best),
      close('theory at ρ = 1 is 0.691', one.theory, REFERENCE.atOne),
      judge('the best ρ is about 0.17', best.rho, { low: 0.17, high: 0.171, unit: 'ρ' }),
      judge(
        'simulated, the best ρ beats both ends',
        Math.min(zero.simulated.mean, one.simulated.mean) / middle.simulated.mean,
        { low: 1.2, unit: 'ratio of risks' },
      ),
    ],
  };
}
