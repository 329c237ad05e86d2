// A log of GSP auctions: what if the platform switched to first price, with advertisers bidding apart on 8 segments?
// Run: node --conditions=provably-source examples/autobidding.ts

import { createRng, formatCertificate } from 'provably';
import {
  createMarket,
  findEquilibrium,
  labelBuckets,
  replay,
  uniformBuckets,
  verifyProfile,
} from 'provably/autobidding';

// A log: who valued which query how much. Five shops, four kinds of query; each shop likes some kinds more than others.
const kinds = ['shoes', 'shirts', 'bags', 'hats'];
const names = ['Ada', 'Bo', 'Cy', 'Di', 'Ed'];
const rng = createRng(4);
const taste = names.map(() => kinds.map(() => Math.exp(0.7 * rng.normal())));
const rows = { auction: [] as number[], advertiser: [] as number[], value: [] as number[] };
const kindOf: string[] = [];
for (let auction = 0; auction < 400; auction++) {
  const kind = rng.integer(kinds.length);
  // Two segments a kind: mornings and evenings.
  kindOf.push(`${kinds[kind]} ${rng.integer(2) === 0 ? 'am' : 'pm'}`);
  for (let advertiser = 0; advertiser < names.length; advertiser++) {
    rows.auction.push(auction);
    rows.advertiser.push(advertiser);
    rows.value.push(taste[advertiser][kind] * Math.exp(0.4 * rng.normal()));
  }
}
const market = createMarket(rows, { discounts: [1, 0.6], names });
const { buckets } = labelBuckets(market, kindOf);
console.log(`${market.auctions} auctions, ${market.advertisers} advertisers, ${buckets.count} segments`);

const { value, certificate } = await replay(market, {
  from: { rules: { format: 'gsp' }, buckets: uniformBuckets(market) },
  to: { rules: { format: 'fpa' }, buckets },
});
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
for (const [name, change] of [
  ['welfare', value.welfare],
  ['profit', value.profit],
] as const) {
  const [low, high] = [change.interval.low, change.interval.high].map((end) => percent(end / change.before));
  console.log(`${name} ${percent(change.relative)}, 95 % interval ${low} … ${high}: ${change.verdict}`);
}
for (const { name, verdict, value: own } of value.advertisers) {
  console.log(`  ${name} ${verdict}: value ${own.before.toFixed(0)} → ${own.after.toFixed(0)}`);
}
console.log(`\nafter: ${value.to.origin}, regret ≤ ${percent(value.to.gap.meanRegretBound)} of all value`);
console.log(formatCertificate(certificate));

// Any profile can be checked by code that shares nothing with the search.
const setting = { market, buckets: uniformBuckets(market), rules: { format: 'vcg' as const } };
const vcg = await findEquilibrium(setting);
const maxRegret = vcg.value.gap.maxRegretBound * (1 + 1e-9) + 1e-9;
const checked = await verifyProfile(setting, vcg.value.profile, { maxRegret });
console.log(
  `\nVCG, verified independently: ${checked.value.verdict}, regret ≤ ${percent(checked.value.gap.meanRegretBound)}`,
);
