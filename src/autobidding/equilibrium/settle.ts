// The endgame: from near an equilibrium to a profile that keeps every target and leaves little to gain.

import { outcomeAt } from '../response/index.ts';
import { pull } from './dynamics/dynamic.ts';
import { OVERSPEND_ALLOWED, objectiveOf, overspendOf } from './objective.ts';
import { scaleToLimits } from './scale-to-limits.ts';
import { answer, play, rowOf, type Table, toRow, viewOf } from './table.ts';

/** Targets are met to half of what is allowed, so that small moves of others do not break them at once. */
const ALLOWANCE = OVERSPEND_ALLOWED / 2;

/** Relative gains below this are not worth a move; above the second, an advertiser turns to where it gains. */
const WORTH_SCALING = 1e-4;
const WORTH_TURNING = 5e-4;

/** An advertiser with less than this share of all value may jump to its best response: the others hardly notice. */
const SMALL = 0.01;
const WORTH_JUMPING = 3e-3;

/**
 * One round in turn, the most valuable first: who breaks a limit scales its bids down, who has slack scales them up, who gains elsewhere goes a
 * little of the way there, and small ones jump to their best response.
 *
 * @param order - movers, in the order of their turns
 * @param total - value of all, to tell who is small
 * @returns how many moved
 */
export function settleRound(table: Table, order: readonly number[], total: number, round: number): number {
  const eta = 0.1 / (1 + round / 3);
  let moved = 0;
  for (const i of order) {
    const bidder = table.bidders[i];
    const row = rowOf(table, i);
    const landscape = viewOf(table, i);
    const { value, spend } = outcomeAt(landscape, row, table.format);
    const response = answer(table, i, landscape, value < SMALL * total ? 64 : 0);
    const own = objectiveOf(bidder, value, spend);
    const gain = objectiveOf(bidder, response.value, response.spend) - own;
    const broken = overspendOf(bidder, value, spend) > OVERSPEND_ALLOWED;
    if (!broken && gain <= WORTH_SCALING * own) continue;
    moved++;
    const target = toRow(table, landscape, response, row);
    if (response.value < SMALL * total && (broken || gain > WORTH_JUMPING * own)) {
      play(table, i, target);
      continue;
    }
    const turned = gain > WORTH_TURNING * own ? pull(row, target, eta) : row;
    play(
      table,
      i,
      bidder.kind === 'value'
        ? scaleToLimits(table, landscape, turned, bidder, { allowance: ALLOWANCE })
        : turned,
    );
  }
  return moved;
}

/** Scales down whoever breaks a limit, sweep after sweep, until nobody does. */
export function polish(table: Table, sweeps: number): void {
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let broken = 0;
    // Who has to come back each time leaves more room, so that bids fall to where nobody is disturbed any more.
    const allowance = ALLOWANCE * (1 - sweep);
    for (const i of table.movers) {
      const bidder = table.bidders[i];
      const landscape = viewOf(table, i);
      const { value, spend } = outcomeAt(landscape, rowOf(table, i), table.format);
      if (overspendOf(bidder, value, spend) <= OVERSPEND_ALLOWED) continue;
      broken++;
      if (bidder.kind === 'value') {
        play(table, i, scaleToLimits(table, landscape, rowOf(table, i), bidder, { allowance, highest: 1 }));
      } else {
        play(table, i, toRow(table, landscape, answer(table, i, landscape, 0), rowOf(table, i)));
      }
    }
    if (broken === 0) return;
  }
}

/**
 * Lowers all bids that may move by one factor, so that an overspend of this size is gone: without reserves and bids by rule slots stay where they
 * are and all prices fall alike, so this mends what turns cannot.
 */
export function lowerAll(table: Table, overspend: number): void {
  const factor = 1 / (1 + overspend);
  for (const i of table.movers) {
    play(
      table,
      i,
      rowOf(table, i).map((multiplier) => multiplier * factor),
    );
  }
}
