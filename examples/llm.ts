// A language model that reads its prompt by HyperAttention and remembers it in a bounded cache: what it writes, and what it kept.
// Run: node --conditions=provably-source examples/llm.ts

import { openLanguageModel, openModel, TextGenerator } from 'provably/llm';

// A Llama of 0.7 million weights that comes along. `provably pull` fetches larger ones.
const { model, tokenizer } = await openLanguageModel(await openModel('models/tiny-lm'));
const generator = new TextGenerator(model, tokenizer);

const story =
  'The old man walked down to the river. He looked at the water for a long time, and said nothing. ';
const prompt = tokenizer.encode(story.repeat(8)).slice(0, 400);

for (const [name, attention, sequence] of [
  ['exact attention, full cache', 'exact', { cache: { policy: 'full' } }],
  [
    'hyper attention, cache of 96 rows',
    { blockSize: 32, sampleSize: 32, minSequence: 128 },
    { cache: { policy: 'hybrid', budget: 96 } },
  ],
] as const) {
  let text = '';
  for await (const step of generator.generate({
    ...{ prompt, attention, sequence, maxTokens: 40, sampling: { temperature: 0 } },
  })) {
    text += step.text;
    if (step.finishReason === undefined) continue;
    const { caches, tokens } = step.sequence;
    const roles = new Map<string, number>();
    for (const { role } of caches[0].kept(0)) roles.set(role, (roles.get(role) ?? 0) + 1);
    const kept = [...roles].map(([role, count]) => `${count} ${role}`).join(', ');
    console.log(`${name}: …${text.trimEnd()}`);
    console.log(
      `  ${tokens.length} tokens; the first key head of layer 0 keeps ${kept}; ${step.sequence.bytes().total} bytes in all layers`,
    );
  }
}
