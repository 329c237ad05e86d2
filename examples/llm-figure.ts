// Draws docs/images/llm-kept.svg: which tokens of a text each head keeps, after a prompt read by HyperAttention and a text written from a cache.
// Run: node --conditions=provably-source examples/llm-figure.ts docs/images/llm-kept.svg

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openLanguageModel, openModel, type Sequence, TextGenerator } from 'provably/llm';
import { renderChart, resolveTheme } from 'provably/report';

const folder = fileURLToPath(new URL('../models/tiny-lm', import.meta.url));
const { model, tokenizer } = await openLanguageModel(await openModel(folder));
const prompt = tokenizer.encode(
  'Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, and nothing particular to interest me on shore, I thought I would sail about a little and see the watery part of the world. It is a way I have of driving off the spleen and regulating the circulation.',
);
let sequence: Sequence | undefined;
let written = '';
for await (const step of new TextGenerator(model, tokenizer).generate({
  prompt,
  attention: { blockSize: 16, sampleSize: 16, minSequence: 32 },
  sequence: { cache: { policy: 'hybrid', budget: 48, recent: 12 } },
  sampling: { temperature: 0.7, seed: 1 },
  maxTokens: 40,
})) {
  ({ sequence } = step);
  written += step.text;
}
if (!sequence) throw new Error('nothing was written');
console.log(`${prompt.length} tokens, then:${written}`);

const { caches, tokens } = sequence;
const { keyHeads } = caches[0].shape;
const names = ['kept as it is', 'kept, and stands for others', 'merged into another'];
const [kept, center, merged] = [0, 1, 2];
const rows: string[] = [];
const values: number[] = [];
caches.forEach((cache, layer) => {
  for (let head = 0; head < keyHeads; head++) {
    const fates = new Array<number>(tokens.length).fill(merged);
    for (const { position, count } of cache.kept(head)) fates[position] = count > 1 ? center : kept;
    rows.push(`${layer} · ${head}`);
    values.push(...fates);
    console.log(
      `layer ${layer}, head ${head}:`,
      names.map((name, i) => `${fates.filter((f) => f === i).length} ${name}`).join(', '),
    );
  }
});
const svg = await renderChart({
  kind: 'tracks',
  title: 'Which tokens each head of a language model keeps',
  description:
    'A bar a token of the prompt and of the text written: full where a head keeps its own row, lower where that row stands for other tokens, too, lowest where another row stands for it. Cache hybrid, 48 rows a head.',
  x: { label: 'token' },
  rowLabel: 'layer · key head',
  rows,
  columns: tokens.length,
  categories: [1, 0.62, 0.16].map((height, i) => ({ name: names[i], height })),
  values,
  divider: { at: prompt.length, label: 'end of the prompt' },
});
const path = process.argv[2];
if (path) await writeFile(path, resolveTheme(svg, 'light').replace('background:none', 'background:#ffffff'));
