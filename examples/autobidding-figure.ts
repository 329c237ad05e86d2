// Draws docs/images/autobidding-what-if.svg: winners and losers of a switch from GSP to first price with 8 segments, on a generated log.
// Run: node --conditions=provably-source examples/autobidding-figure.ts docs/images/autobidding-what-if.svg

import { writeFile } from 'node:fs/promises';
import { provablyGenerator, replay, topicBuckets } from 'provably/autobidding';
import { renderChart, resolveTheme } from 'provably/report';

const generated = provablyGenerator({ auctions: 800, seed: 5 });
const { value } = await replay(generated.market, {
  from: { rules: { format: 'gsp' }, buckets: topicBuckets(generated, 1) },
  to: { rules: { format: 'fpa' }, buckets: topicBuckets(generated, 8) },
});
const drawn = value.advertisers.toSorted((a, b) => b.gain / b.value.before - a.gain / a.value.before);
const svg = await renderChart({
  kind: 'intervals',
  title: 'GSP to first price with 8 segments: who wins, who loses',
  description:
    'Change of the value of each of 12 advertisers, relative to before; the intervals hold for all of them at once. Generated auctions.',
  value: { label: 'change of value (%)', include: [0] },
  rows: drawn.map(({ name, gain, gainHalfWidth, value: { before } }) => ({
    label: `advertiser ${name}`,
    value: (100 * gain) / before,
    low: (100 * (gain - gainHalfWidth)) / before,
    high: (100 * (gain + gainHalfWidth)) / before,
  })),
});
for (const { name, verdict, value: own } of drawn)
  console.log(`${name}: ${(100 * own.relative).toFixed(1)} %, ${verdict}`);
const path = process.argv[2];
// A ground of its own: the picture must be readable on a dark page too.
if (path) await writeFile(path, resolveTheme(svg, 'light').replace('background:none', 'background:#ffffff'));
