// Ranks against rivals that draw their bids: how likely each slot is at each level of score, and what it costs, counted exactly.

import type { MixedProfile, Setting } from '../types.ts';
import { bidOfEntry } from './run-market.ts';
import { bidOfScore, ownerOf, reserveAt, scoreOf, tieOrder } from './sorted-auction.ts';

/** A score that a rival has with some probability. */
export interface Atom {
  readonly score: number;
  readonly entry: number;
  /** Which rival, 0-based among those of the auction. */
  readonly rival: number;
  readonly weight: number;
}

/** What an entry meets in one auction. At level p it ranks behind atoms 0 … p − 1 and before the others. */
export interface Levels {
  /** Best first, ties by the rule. */
  readonly atoms: readonly Atom[];
  /** E δ at each level, shape (atoms + 1,), not ascending. */
  readonly share: Float64Array;
  /** Probability of a slot at a level. */
  chanceAt(level: number): number;
  /** E payment at a level; GSP and VCG only. */
  spendAt(level: number): number;
}

/** True where a rival matters through its score alone: one entry for each advertiser, and no common owners. */
export function meetsRanksOnly({ market, rules }: Setting, j: number): boolean {
  const owners = new Set<number>();
  for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
    owners.add(ownerOf(rules, market.advertiserOf[e]));
  }
  return owners.size === market.offsets[j + 1] - market.offsets[j];
}

/**
 * Levels of entry `e` in auction `j`, its rivals drawing their rows independently.
 *
 * The number of rivals above follows from the product over rivals of (probability below + probability above · z). O(A P S), and for each
 * price asked for O(A P S) in GSP, O(A) in VCG.
 */
export function levelsOf(setting: Setting, j: number, e: number, strategies: MixedProfile): Levels {
  const { market, rules } = setting;
  const { atoms, rivals } = atomsOf(setting, j, e, strategies);
  const above = new Float64Array(rivals);
  const below = new Float64Array(rivals).fill(1);
  const count = new Float64Array(market.discounts.length);
  const share = new Float64Array(atoms.length + 1);
  share[0] = expectedDiscount(market.discounts, above, below, count);
  atoms.forEach(({ rival, weight }, p) => {
    above[rival] += weight;
    below[rival] = Math.max(0, 1 - above[rival]);
    share[p + 1] = expectedDiscount(market.discounts, above, below, count);
  });
  const sold = market.discounts.map((discount) => Number(discount > 0));
  const reserve = reserveAt(rules, j);
  const prices = atoms.map(({ score }) => Math.max(reserve, bidOfScore(rules, e, score)));
  const vcgSpend = (level: number) => {
    // VCG charges each step up at the price of the rival passed.
    let spend = reserve * share[atoms.length];
    for (let p = atoms.length - 1; p >= level; p--) spend += prices[p] * (share[p] - share[p + 1]);
    return spend;
  };
  const placeAt = (level: number) => {
    above.fill(0);
    for (let p = 0; p < level; p++) above[atoms[p].rival] += atoms[p].weight;
    for (let q = 0; q < rivals; q++) below[q] = Math.max(0, 1 - above[q]);
  };
  const chanceAt = (level: number) => {
    placeAt(level);
    return expectedDiscount(sold, above, below, count);
  };
  const gspSpend = (level: number) => {
    placeAt(level);
    // `none`: E δ · [no rival at atoms level … p − 1]; it falls by what the atom at p, as the best one below, contributes.
    let none = expectedDiscount(market.discounts, above, below, count);
    let spend = 0;
    for (let p = level; p < atoms.length; p++) {
      below[atoms[p].rival] = Math.max(0, below[atoms[p].rival] - atoms[p].weight);
      const next = expectedDiscount(market.discounts, above, below, count);
      spend += prices[p] * (none - next);
      none = next;
    }
    return spend + reserve * none;
  };
  return { atoms, share, chanceAt, spendAt: rules.format === 'vcg' ? vcgSpend : gspSpend };
}

/** Σ_a δ_{a+1} · [z^a] Π_q (below_q + above_q z). @param count - scratch, shape (S,) */
function expectedDiscount(
  discounts: Float64Array,
  above: Float64Array,
  below: Float64Array,
  count: Float64Array,
): number {
  count.fill(0);
  count[0] = 1;
  for (let q = 0; q < above.length; q++) {
    for (let a = count.length - 1; a > 0; a--) count[a] = count[a] * below[q] + count[a - 1] * above[q];
    count[0] *= below[q];
  }
  let expected = 0;
  for (let a = 0; a < count.length; a++) expected += discounts[a] * count[a];
  return expected;
}

function atomsOf(
  setting: Setting,
  j: number,
  self: number,
  strategies: MixedProfile,
): { atoms: Atom[]; rivals: number } {
  const { market, buckets, rules } = setting;
  const reserve = reserveAt(rules, j);
  const atoms: Atom[] = [];
  let rivals = 0;
  for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
    if (e === self) continue;
    const { weights, multipliers } = strategies[market.advertiserOf[e]];
    const ofScore = new Map<number, number>();
    weights.forEach((weight, row) => {
      const bid = bidOfEntry(setting, e, multipliers[row * buckets.count + buckets.ofEntry[e]]);
      if (!(bid > 0 && bid >= reserve)) return; // dropped: below every level
      const score = scoreOf(rules, e, bid);
      ofScore.set(score, (ofScore.get(score) ?? 0) + weight);
    });
    for (const [score, weight] of ofScore) atoms.push({ score, entry: e, rival: rivals, weight });
    rivals++;
  }
  const tie = tieOrder(market, rules, j);
  return { atoms: atoms.sort((a, b) => b.score - a.score || tie(a.entry, b.entry)), rivals };
}
