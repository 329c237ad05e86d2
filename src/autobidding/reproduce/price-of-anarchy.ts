// Protocol W1: the market that loses half its welfare at equilibrium, and the one rule that saves it.

import { judge, type ProtocolOptions, type ProtocolReport, partOf } from '../../reproduce/protocol.ts';
import { poaInstance } from '../generators/poa-instance.ts';
import type { AuctionFormat, Profile, Setting } from '../types.ts';
import { verifyProfile } from '../verify/index.ts';

export interface PriceOfAnarchyOptions extends Omit<ProtocolOptions, 'seeds'> {
  /** ε of the family, each in (0, 1). Default 0.5, 0.2, 0.1, 0.05, 0.02, 0.01. */
  epsilons?: readonly number[] | undefined;
}

/** One profile of one market of the family, as the independent verifier finds it. */
export interface AnarchyRow {
  epsilon: number;
  format: AuctionFormat;
  /** K. */
  segments: number;
  /** W ÷ W*. */
  ratio: number;
  verdict: 'accepted' | 'rejected' | 'undecided';
  /** What was refuted, if it was. */
  objection: string | undefined;
}

export interface AnarchyFigures {
  rows: AnarchyRow[];
}

/** Least share of the optimum at any equilibrium, of VCG and of first price with segments: ½ (abstract of arXiv 2311.10679). */
export const WORST_CASE = 0.5;

/**
 * The family of `poaInstance`: profiles with welfare 1 + ε of 2 are equilibria of GSP and VCG with one multiplier, and of first price with two;
 * first price with one refutes them.
 *
 * Two auctions each: a few milliseconds.
 */
export async function reproducePriceOfAnarchy(
  options: PriceOfAnarchyOptions = {},
): Promise<ProtocolReport<AnarchyFigures>> {
  const { epsilons = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01] } = options;
  const rows: AnarchyRow[] = [];
  for (const [i, epsilon] of epsilons.entries()) {
    const { signal } = partOf(options, 'worst case', i, epsilons.length);
    const { market, uniform, split, uniformProfile, splitProfile, maxMultiplier } = poaInstance(epsilon);
    const look = async (format: AuctionFormat, setting: Pick<Setting, 'buckets'>, profile: Profile) => {
      const { value } = await verifyProfile(
        { market, ...setting, rules: { format }, maxMultiplier },
        profile,
        { signal },
      );
      const { welfare, optimum } = value.outcome;
      rows.push({
        ...{ epsilon, format, segments: setting.buckets.count, ratio: welfare / optimum },
        ...{ verdict: value.verdict, objection: value.objections[0]?.message },
      });
    };
    await look('gsp', { buckets: uniform }, uniformProfile);
    await look('vcg', { buckets: uniform }, uniformProfile);
    await look('fpa', { buckets: uniform }, uniformProfile);
    await look('fpa', { buckets: split }, splitProfile);
  }
  return {
    id: 'W1',
    title: 'The worst case: half of the welfare',
    setting: { epsilons },
    figures: { rows },
    verdicts: verdictsOf(rows),
  };
}

function verdictsOf(rows: readonly AnarchyRow[]) {
  const bad = (format: AuctionFormat, segments: number) =>
    rows.filter((row) => row.format === format && row.segments === segments);
  const accepted = [...bad('gsp', 1), ...bad('vcg', 1), ...bad('fpa', 2)];
  return [
    judge(
      'GSP and VCG with one multiplier, and first price with two, rest at profiles of welfare (1 + ε)/2',
      accepted.filter(
        ({ verdict, ratio, epsilon }) => verdict === 'accepted' && near(ratio, (1 + epsilon) / 2),
      ).length,
      { low: accepted.length, unit: 'profiles' },
    ),
    judge(
      'first price with one multiplier refutes them',
      bad('fpa', 1).filter(({ verdict }) => verdict === 'rejected').length,
      { low: bad('fpa', 1).length, unit: 'profiles' },
    ),
    judge(
      'no equilibrium of the family is below the worst case',
      Math.min(...accepted.map(({ ratio }) => ratio)),
      {
        ...{ low: WORST_CASE, unit: 'W ÷ W*' },
      },
    ),
  ];
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9;
}
