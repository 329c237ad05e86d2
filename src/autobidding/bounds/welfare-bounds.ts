// What is known of the worst welfare at equilibrium: each result with its source, how well we know it, and what it requires.

import type { Setting } from '../types.ts';
import {
  boostStrength,
  type Condition,
  firstPrice,
  gsp,
  noReserve,
  noUnderbidding,
  oneSlot,
  ownEntriesApart,
  rankedByBids,
  severalEntries,
  severalSlots,
  uniformBidding,
  valueMaximisers,
  vcg,
} from './conditions.ts';

/**
 * read: in the source named, or its abstract or summary as said there · recalled: from general knowledge of the literature, not looked up ·
 * derived: proved here.
 */
export type Provenance = 'read' | 'recalled' | 'derived';

/** An upper bound on W* ÷ W at equilibrium. */
export interface WelfareBound {
  readonly id: string;
  /** What is known, one sentence. */
  readonly statement: string;
  readonly source: string;
  readonly status: Provenance;
  readonly conditions: readonly Condition[];
  /** W* ÷ W ≤ it; Infinity where no finite one exists. */
  ratio(setting: Setting): number;
}

const plain: readonly Condition[] = [valueMaximisers, noReserve, rankedByBids];

/** All bounds that are known here. */
export const WELFARE_BOUNDS: readonly WelfareBound[] = [
  {
    id: 'fpa-uniform',
    statement:
      'First price with one multiplier each is efficient and sells at full value: bids are the values.',
    // P = μ V, so the target is μ ≤ 1, and V does not fall with μ: bidding 1 is a weakly dominant reply. At any equilibrium, whoever ranks
    // below a rival of lower value would pass it by bidding 1.
    source: 'derived; stated in the abstract of arXiv 2311.10679',
    status: 'derived',
    conditions: [firstPrice, uniformBidding, ...plain],
    ratio: () => 1,
  },
  {
    id: 'fpa',
    statement: 'First price with several multipliers each loses at most half of the welfare.',
    source: 'abstract of arXiv 2311.10679',
    status: 'read',
    conditions: [firstPrice, ...plain, ownEntriesApart],
    ratio: () => 2,
  },
  {
    id: 'vcg',
    statement: 'VCG loses at most half of the welfare, whatever the number of multipliers.',
    source: 'abstract of arXiv 2311.10679',
    status: 'read',
    conditions: [vcg, ...plain, ownEntriesApart, noUnderbidding],
    ratio: () => 2,
  },
  {
    id: 'gsp-one-slot',
    statement: 'With one slot GSP is VCG, and loses at most half of the welfare.',
    source: 'derived from the bound of VCG, abstract of arXiv 2311.10679',
    status: 'read',
    conditions: [gsp, oneSlot, ...plain, ownEntriesApart, noUnderbidding],
    ratio: () => 2,
  },
  {
    id: 'gsp',
    statement:
      'GSP with several slots can lose nearly all welfare; how much depends on the ratios of successive discounts, steep ones being the bad case.',
    source: 'abstract of arXiv 2310.03105; its bound in the discounts was not read',
    status: 'read',
    conditions: [gsp, severalSlots, valueMaximisers],
    ratio: () => Infinity,
  },
  {
    id: 'several-entries',
    statement:
      'Advertisers with several products in an auction and one multiplier each lose at most half of the welfare under GSP and VCG.',
    source:
      'a summary of "Autobidding Equilibria in Sponsored Shopping" (2026); its conditions were not read',
    status: 'read',
    conditions: [
      { statement: 'GSP or VCG', holds: ({ rules }) => rules.format !== 'fpa' },
      uniformBidding,
      severalEntries,
      ...plain,
      noUnderbidding,
    ],
    ratio: () => 2,
  },
  {
    id: 'vcg-boosts',
    statement: 'Boosts of at least c times the value lost bring VCG to (c + 2) / (c + 1).',
    source: 'Deng, Mao, Mirrokni, Zuo (2021)',
    status: 'recalled',
    conditions: [
      vcg,
      valueMaximisers,
      noReserve,
      ownEntriesApart,
      noUnderbidding,
      {
        statement: 'equal factors',
        holds: ({ rules: { factors } }) => factors?.every((f) => f === 1) ?? true,
      },
      {
        statement: 'boosts that rise with values in every auction',
        holds: (setting) => boostStrength(setting) > 0,
      },
    ],
    ratio(setting) {
      const c = boostStrength(setting);
      return (c + 2) / (c + 1);
    },
  },
];
