// Steps of an advertiser that is not alone in an auction: it has several entries there, or another of its owner's advertisers has some.

import type { Arena } from './arena.ts';
import { bidForScore, type Ranking, reserveOf } from './ranking.ts';
import type { StepStore } from './steps.ts';

/** What one multiplier gives in one auction; `paid` is spend, or in first price δ × the bid at multiplier 1. */
interface Taken {
  value: number;
  paid: number;
}

/**
 * Adds the steps of all entries of one advertiser in auction `j`, which its multiplier scales together.
 *
 * The outcome can only change where an entry passes one of the S best others, reaches the reserve or overtakes a sibling; it is computed
 * just above each of these multipliers, and the differences are the steps. An entry's price is that of the ranking without its owner's other
 * entries below it. Differences may be negative where boosts or factors rank siblings against their values. O(a²S + a S² + P log P) for a
 * entries of P. Derived.
 *
 * @param own - entries of the advertiser in the auction
 * @param ranking - of the whole auction
 */
export function addGroupSteps(
  arena: Arena,
  j: number,
  own: readonly number[],
  ranking: Ranking,
  store: StepStore,
  segment: number,
): void {
  const { thresholds, value, spend, cursors } = store;
  const rivals = [...ranking.entries.subarray(0, ranking.count)].filter((e) => !own.includes(e));
  const contest = { arena, j, own, rivals, passing: own.map((e) => passingMultipliers(arena, j, e, rivals)) };
  let before: Taken = { value: 0, paid: 0 };
  for (const multiplier of turningPoints(contest)) {
    const after = takenAbove(contest, multiplier);
    if (after.value !== before.value || after.paid !== before.paid) {
      const at = cursors[segment]++;
      thresholds[at] = multiplier;
      value[at] = after.value - before.value;
      spend[at] = after.paid - before.paid;
    }
    before = after;
  }
}

/** Steps that `addGroupSteps` adds at most for each of `own` entries. */
export function groupStepsPerEntry(slots: number, own: number): number {
  return slots + 1 + own;
}

interface Contest {
  arena: Arena;
  j: number;
  own: readonly number[];
  /** Entries of others that take part, best first. */
  rivals: readonly number[];
  /** For each own entry: multipliers at which it passes each rival, descending, and last the one at which it may take part. */
  passing: readonly Float64Array[];
}

function scoreOf({ bids, factors, boosts }: Arena, e: number): number {
  return (factors ? factors[e] * bids[e] : bids[e]) + (boosts ? boosts[e] : 0);
}

function passingMultipliers(arena: Arena, j: number, e: number, rivals: readonly number[]): Float64Array {
  const reserve = reserveOf(arena, j);
  const multipliers = new Float64Array(rivals.length + 1);
  rivals.forEach((rival, s) => {
    multipliers[s] = bidForScore(arena, e, scoreOf(arena, rival), reserve) / arena.units[e];
  });
  multipliers[rivals.length] = reserve / arena.units[e];
  return multipliers;
}

/** How fast the score of entry `e` grows with the multiplier. */
function slopeOf({ factors, units }: Arena, e: number): number {
  return (factors ? factors[e] : 1) * units[e];
}

/** Multiplier from which on entry `a` is ahead of its slower sibling `b`: above 0 only where b has the greater boost. */
function overtaking(arena: Arena, a: number, b: number): number {
  const lead = arena.boosts ? arena.boosts[b] - arena.boosts[a] : 0;
  return Math.max(0, lead / (slopeOf(arena, a) - slopeOf(arena, b)));
}

/** Ascending and distinct, none above the cap. */
function turningPoints({ arena, own, rivals, passing }: Contest): number[] {
  const points = new Set<number>();
  for (const multipliers of passing) {
    for (let s = 0; s < Math.min(arena.slots, rivals.length); s++) points.add(multipliers[s]);
    points.add(multipliers[rivals.length]);
  }
  for (const a of own) {
    for (const b of own) if (slopeOf(arena, a) > slopeOf(arena, b)) points.add(overtaking(arena, a, b));
  }
  const cap = arena.caps[arena.market.advertiserOf[own[0]]];
  return [...points].filter((point) => point <= cap).sort((a, b) => a - b);
}

function takenAbove(contest: Contest, multiplier: number): Taken {
  const { arena, own, rivals, passing } = contest;
  const { units, discounts, slots, market, format } = arena;
  // Decided by the same numbers as the turning points: scores would tie or not as rounding has it.
  const isAhead = (a: number, b: number): boolean => overtaking(arena, a, b) <= multiplier;
  const compare = (a: number, b: number): number => {
    const difference = slopeOf(arena, a) - slopeOf(arena, b);
    if (difference > 0) return isAhead(a, b) ? -1 : 1;
    if (difference < 0) return isAhead(b, a) ? 1 : -1;
    return (arena.boosts ? arena.boosts[b] - arena.boosts[a] : 0) || a - b;
  };
  const bidding = own
    .map((e, i) => ({ e, multipliers: passing[i] }))
    .filter(({ e, multipliers }) => units[e] > 0 && multipliers[rivals.length] <= multiplier)
    .sort((a, b) => compare(a.e, b.e));
  const taken = { value: 0, paid: 0 };
  bidding.forEach(({ e, multipliers }, ownAbove) => {
    const above = countAbove(multipliers, rivals.length, multiplier);
    const slot = above + ownAbove;
    if (slot >= slots) return;
    taken.value += discounts[slot] * market.values[e];
    taken.paid += format === 'fpa' ? discounts[slot] * units[e] : priceAt(contest, e, slot, above);
  });
  return taken;
}

/** Rivals that are still ahead just above the multiplier. */
function countAbove(multipliers: Float64Array, rivals: number, multiplier: number): number {
  let above = 0;
  while (above < rivals && multipliers[above] > multiplier) above++;
  return above;
}

/** GSP or VCG payment of own entry `e` in `slot`, the rivals from `above` on being below it. */
function priceAt({ arena, j, rivals }: Contest, e: number, slot: number, above: number): number {
  const { discounts, slots, owners, market, format } = arena;
  const ownerOf = (entry: number): number => {
    const advertiser = market.advertiserOf[entry];
    return owners ? owners[advertiser] : advertiser;
  };
  const reserve = reserveOf(arena, j);
  const setters = rivals.slice(above).filter((rival) => ownerOf(rival) !== ownerOf(e));
  const price = (t: number): number =>
    t < setters.length ? bidForScore(arena, e, scoreOf(arena, setters[t]), reserve) : reserve;
  if (format === 'gsp') return discounts[slot] * price(0);
  let paid = 0;
  for (let t = slots - 1; t >= slot; t--) paid += (discounts[t] - discounts[t + 1]) * price(t - slot);
  return paid;
}
