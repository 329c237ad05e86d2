// How the contract suite calls the search for equilibria: rows of a log, GSP, one bucket a quarter of the auctions.

import { createMarket, findEquilibrium, type MarketRows } from '../../src/autobidding/index.ts';
import { createRng } from '../../src/core/rng.ts';
import type { SystemContract } from '../contract.ts';

interface Log {
  rows: MarketRows & { value: Float64Array };
  buckets: number;
}

function log(auctions: number, advertisers: number, buckets: number): Log {
  const rng = createRng(8);
  const count = auctions * advertisers;
  return {
    rows: {
      auction: Uint32Array.from({ length: count }, (_, row) => Math.floor(row / advertisers)),
      advertiser: Uint32Array.from({ length: count }, (_, row) => row % advertisers),
      value: Float64Array.from({ length: count }, () => Math.exp(rng.normal() / 2)),
    },
    buckets,
  };
}

export const autobiddingContract: SystemContract<Log> = {
  name: 'autobidding',
  regular: () => log(120, 5, 4),
  smallest: () => log(1, 1, 1),
  withNaN() {
    const input = this.regular();
    input.rows.value[13] = Number.NaN;
    return { input, where: /value of row 13 is NaN/ };
  },
  long: () => log(20_000, 8, 4),
  async run({ rows, buckets: count }, options) {
    const market = createMarket(rows, { discounts: [1, 0.6, 0.3] });
    const ofEntry = Uint16Array.from(market.rowOf, (row) => rows.auction[row] % count);
    const setting = { market, buckets: { count, ofEntry }, rules: { format: 'gsp' as const } };
    // The only dynamic that draws anything: the order of turns.
    return await findEquilibrium(setting, { ...options, dynamics: 'gauss-seidel' });
  },
};
