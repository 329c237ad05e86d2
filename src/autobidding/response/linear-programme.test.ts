// Against HiGHS: the relaxation as a linear programme, and the choice of one step a bucket as an integer one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import highsModule from 'highs';
import { createRng } from '../../core/rng.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { exactLandscapes } from '../landscape/index.ts';
import { topicBuckets } from '../market/buckets.ts';
import { AUCTION_FORMATS, type Bidder, type Landscape } from '../types.ts';
import { bestResponse } from './best-response.ts';
import { relaxedResponse } from './relaxed-response.ts';

// Its types declare the default of an ES module; to Node it is a CommonJS module whose export is the loader itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;
const highs = await loadHighs();

type Optimiser = Extract<Bidder, { kind: 'value' | 'utility' }>;

function solve(landscape: Landscape, bidder: Optimiser, integer: boolean): number {
  const { bucketOffsets, value, spend } = landscape;
  const names = [...value].map((_, t) => `x${t}`);
  const sum = (weights: ArrayLike<number>): string =>
    names.map((name, t) => `${weights[t] < 0 ? '-' : '+'} ${Math.abs(weights[t])} ${name}`).join(' ') ||
    '0 x0';
  const rows: string[] = [];
  if (bidder.kind === 'value') rows.push(`target: ${sum(spend.map((p, t) => p - value[t]))} <= 0`);
  if (bidder.budget !== undefined) rows.push(`budget: ${sum(spend)} <= ${bidder.budget}`);
  for (let k = 0; k < bucketOffsets.length - 1; k++) {
    const own = names.slice(bucketOffsets[k], bucketOffsets[k + 1]);
    if (own.length > 0) rows.push(`bucket${k}: ${own.join(' + ')} <= 1`);
  }
  const objective = bidder.kind === 'value' ? value : value.map((v, t) => v - spend[t]);
  const programme = `Maximize\n obj: ${sum(objective)}\nSubject To\n ${rows.join('\n ')}\n${
    integer
      ? `Binary\n ${names.join(' ')}`
      : `Bounds\n ${names.map((name) => `0 <= ${name} <= 1`).join('\n ')}`
  }\nEnd`;
  const solution = highs.solve(programme, {
    primal_feasibility_tolerance: 1e-10,
    dual_feasibility_tolerance: 1e-10,
    mip_feasibility_tolerance: 1e-10,
    mip_rel_gap: 0,
    mip_abs_gap: 0,
  });
  assert.equal(solution.Status, 'Optimal');
  return solution.ObjectiveValue;
}

describe('relaxation and search against HiGHS', () => {
  for (const format of AUCTION_FORMATS) {
    it(`agree on every kind of bidder, ${format}`, () => {
      const rng = createRng(17).fork(format);
      for (let run = 0; run < 3; run++) {
        const generated = provablyGenerator({
          advertisers: 4,
          auctions: 40,
          participants: 4,
          topics: 4,
          seed: run,
        });
        const buckets = topicBuckets(generated, 4);
        const { market } = generated;
        const landscapes = exactLandscapes({ market, buckets, rules: { format } }, market.values);
        for (const landscape of landscapes.slice(0, 2)) {
          const all = bestResponse(landscape, { kind: 'value' }, { format }).spend;
          const bidders: Optimiser[] = [
            { kind: 'value' },
            { kind: 'value', budget: all * rng.next() },
            { kind: 'utility' },
            { kind: 'utility', budget: all * 0.3 * rng.next() },
          ];
          for (const bidder of bidders) {
            const objectiveOf = (of: { value: number; spend: number }): number =>
              bidder.kind === 'value' ? of.value : of.value - of.spend;
            // HiGHS keeps its constraints to 10⁻¹⁰ and reads 17 digits; λ stays below 10³.
            const mixed = relaxedResponse(landscape, bidder, { format });
            const relaxed = solve(landscape, bidder, false);
            assert.ok(Math.abs(objectiveOf(mixed) - relaxed) <= 1e-7 * (1 + relaxed), `${relaxed}`);
            const response = bestResponse(landscape, bidder, { format, tolerance: 0 });
            const best = solve(landscape, bidder, true);
            const reached = objectiveOf(response);
            assert.ok(
              Math.abs(reached - best) <= 1e-7 * (1 + best),
              `${JSON.stringify(bidder)}: ${reached} ${best}`,
            );
            assert.ok(Math.abs(response.upperBound - best) <= 1e-7 * (1 + best));
          }
        }
      }
    });
  }
});
