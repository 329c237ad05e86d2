// A ledger as JSON, and back.

import { DataError } from '../../core/errors.ts';
import { bagsFromLists } from '../bags/bags.ts';
import { epsilonUnits } from './epsilon.ts';
import { PrivacyLedger } from './ledger.ts';
import { encodeMembers } from './member-codec.ts';

/** A ledger as plain JSON data. */
export interface LedgerState {
  readonly kind: 'privacy-ledger';
  readonly samples: number;
  readonly budget: number;
  readonly onRepeat: 'answer' | 'refuse';
  readonly people?: readonly number[];
  readonly bags: readonly {
    stage: string;
    members: readonly number[];
    epsilon: number;
    answer: number;
    noiseVariance: number;
  }[];
}

/**
 * The ledger that `toJSON` saved. Every bag is charged again by the rules, so that a state which spends too much or overlaps is refused.
 *
 * @throws {DataError} the state is not one of a ledger, or breaks its rules
 */
export function ledgerFromJSON(state: LedgerState): PrivacyLedger {
  if (state?.kind !== 'privacy-ledger' || !Array.isArray(state.bags)) {
    throw new DataError(
      'ledgerFromJSON: this is no state of a privacy ledger; expected what its toJSON gave.',
    );
  }
  const { samples, budget, onRepeat, people, bags } = state;
  const ledger = new PrivacyLedger({ samples, budget, people, onRepeat });
  for (const [i, { stage, members, epsilon, answer, noiseVariance }] of bags.entries()) {
    const where = `ledgerFromJSON: bag ${i}`;
    if (typeof stage !== 'string' || !Number.isFinite(answer) || !(noiseVariance >= 0)) {
      throw new DataError(
        `${where} has stage ${stage}, answer ${answer} and noise variance ${noiseVariance}; expected text, a finite number and a number ≥ 0.`,
      );
    }
    try {
      const bag = bagsFromLists([members], samples);
      const rows = bag.members.sort();
      const units = epsilonUnits('epsilon', epsilon, 'up');
      const answered = {
        stage,
        members: encodeMembers(rows),
        size: rows.length,
        units,
        answer,
        noiseVariance,
      };
      ledger.restore(answered, rows);
    } catch (error) {
      throw new DataError(`${where} breaks the rules of the ledger: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  return ledger;
}
