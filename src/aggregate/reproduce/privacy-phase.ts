// Protocol A3: which bag size is best under label privacy turns over with ρ, and with ε.

import {
  judge,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
  type Verdict,
} from '../../reproduce/protocol.ts';
import { privateRisk, type SimulatedRisk, simulateRisk } from '../index.ts';

export interface PrivacyPhaseOptions extends Omit<ProtocolOptions, 'seeds'> {
  /** Features d of the simulation. Default 50. */
  features?: number;
  /** Simulated runs. Default 200. */
  repeats?: number;
  /** Default 0. */
  seed?: number;
}

export interface PrivacyPhaseFigures {
  /** Where noise is all there is: risk of each bag size, shape (bagSizes,), and the best, by ψ and ρ. */
  limit: { psi: number; rho: number; risks: number[]; best: number }[];
  /** ρ below and above which the best bag size changes from 1 to 5. */
  switches: { psi: number; measured: [number, number]; reference: [number, number] }[];
  /** At finite n: the best of bags of 1 … 10 by ε. */
  finite: { epsilon: number; risks: number[]; best: number; reference: number }[];
  /** ψ = 10, ε = 0.1: simulated risk of each bag size at a small and a larger ρ. */
  simulated: { rho: number; bySize: { bagSize: number; theory: number; simulated: SimulatedRisk }[] }[];
}

const SIZES = [1, 2, 3, 4, 5];
const RHOS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1];
const REFERENCE_SWITCH: Record<number, [number, number]> = {
  6: [0.02, 0.05],
  10: [0.02, 0.05],
  20: [0.01, 0.02],
};
const REFERENCE_FINITE: Record<number, number> = { 0.5: 10, 1: 10, 2: 3, 8: 1 };
const FINITE = { psi: 10, signal: 1, noise: 0.25, bounds: [-3, 3] as const };

/** About 2 s. */
export async function reproducePrivacyPhase(
  options: PrivacyPhaseOptions = {},
): Promise<ProtocolReport<PrivacyPhaseFigures>> {
  const { features = 50, repeats = 200, seed = 0 } = options;
  const limit = [6, 10, 20].flatMap((psi) =>
    RHOS.map((rho) => {
      const risks = SIZES.map(
        (bagSize) =>
          privateRisk({ psi, bagSize, rho, signal: 0, noise: 0, bounds: [-1, 1], epsilon: 1 }).risk,
      );
      return { psi, rho, risks, best: bestOf(SIZES, risks) };
    }),
  );
  const switches = [6, 10, 20].map((psi) => {
    const rows = limit.filter((row) => row.psi === psi);
    const last = rows.findLastIndex(({ best }) => best === 1);
    return {
      psi,
      measured: [rows[last].rho, rows[last + 1].rho] as [number, number],
      reference: REFERENCE_SWITCH[psi],
    };
  });
  const ten = Array.from({ length: 10 }, (_, i) => i + 1);
  const finite = [0.5, 1, 2, 8].map((epsilon) => {
    const risks = ten.map((bagSize) => privateRisk({ ...FINITE, bagSize, rho: 1, epsilon }).risk);
    return { epsilon, risks, best: bestOf(ten, risks), reference: REFERENCE_FINITE[epsilon] };
  });
  const privacy = { bounds: FINITE.bounds, epsilon: 0.1 };
  const simulated: PrivacyPhaseFigures['simulated'] = [0.01, 0.3].map((rho) => ({ rho, bySize: [] }));
  for (const [i, bagSize] of SIZES.entries()) {
    const run = partOf(options, 'bag sizes under privacy', i, SIZES.length);
    const setting = { psi: 10, bagSize, signal: 1, noise: 0.25 };
    const rhos = simulated.map(({ rho }) => rho);
    const points = await simulateRisk({ ...setting, features, rhos, privacy }, { ...run, repeats, seed });
    points.forEach((point, j) => {
      const theory = privateRisk({ ...setting, ...privacy, rho: point.rho }).risk;
      simulated[j].bySize.push({ bagSize, theory, simulated: point });
    });
  }
  return {
    id: 'A3',
    title: 'Bag size under label privacy',
    setting: { features, repeats, bagSizes: SIZES, rhos: RHOS, seed },
    figures: { limit, switches, finite, simulated },
    verdicts: verdictsOf(switches, finite, simulated),
  };
}

function bestOf(sizes: readonly number[], risks: readonly number[]): number {
  return sizes[risks.indexOf(Math.min(...risks))];
}

function verdictsOf(
  switches: PrivacyPhaseFigures['switches'],
  finite: PrivacyPhaseFigures['finite'],
  simulated: PrivacyPhaseFigures['simulated'],
): Verdict[] {
  const ratioOf = ({ bySize }: PrivacyPhaseFigures['simulated'][number]) =>
    bySize[0].simulated.mean / bySize.at(-1)!.simulated.mean;
  const [small, larger] = simulated;
  return [
    judge(
      'the best bag size switches from 1 to 5 between the same values of ρ as in the reference',
      switches.filter(({ measured, reference }) => `${measured}` === `${reference}`).length,
      { low: switches.length, unit: 'values of ψ' },
    ),
    judge(
      'at finite n the best of bags of 1 … 10 is 10, 10, 3, 1 for ε = 0.5, 1, 2, 8',
      finite.filter(({ best, reference }) => best === reference).length,
      { low: finite.length, unit: 'values of ε' },
    ),
    judge(`simulated, at ρ = ${small.rho} bags of 1 beat bags of 5`, ratioOf(small), {
      high: 1,
      unit: 'ratio of risks',
    }),
    judge(`simulated, at ρ = ${larger.rho} bags of 5 beat bags of 1`, ratioOf(larger), {
      low: 1,
      unit: 'ratio of risks',
    }),
  ];
}
