// How well the small model finds a line and predicts text it has not seen.
//
//   node --conditions=provably-source examples/train-tiny-lm/evaluate.ts --model models/tiny-lm

import { parseArgs } from 'node:util';
import { loadBrown } from 'provably/datasets';
import {
  decodeStep,
  openLanguageModel,
  openModel,
  perplexity,
  prefill,
  retrievalContest,
} from 'provably/llm';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/tiny-lm' },
    lines: { type: 'string', default: '2,4,8,16,24,32' },
    records: { type: 'string', default: '20' },
    tokens: { type: 'string', default: '4096' },
    seed: { type: 'string', default: '1' },
  },
});
const { model, tokenizer } = await openLanguageModel(await openModel(flags.model));

for (const lines of flags.lines.split(',').map(Number)) {
  const [{ right, asked, accuracy, interval }] = await retrievalContest(model, tokenizer, undefined, {
    ...{ entrants: [], shares: [], lines, records: Number(flags.records), seed: Number(flags.seed) },
  });
  const range = `95 % interval ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`;
  console.log(`${lines} lines: ${right} of ${asked} right = ${accuracy.toFixed(3)} (${range})`);
}

// The texts that training left out, in pieces as long as the model's context.
const heldOut = (await loadBrown()).filter((_, i) => i % 25 === 0);
const tokens = tokenizer.encode(heldOut.map(({ text }) => text.slice(0, 2000)).join('\n'));
const { context } = model.config;
let [nats, count] = [0, 0];
for (let start = 0; start + context <= Math.min(tokens.length, Number(flags.tokens)); start += context) {
  const part = await perplexity(model, tokens.subarray(start, start + context));
  nats += part.nats * part.tokens;
  count += part.tokens;
}
const characters = tokenizer.decode(tokens).length / tokens.length;
const bits = nats / count / Math.log(2) / characters;
console.log(
  `held-out text: perplexity ${Math.exp(nats / count).toFixed(2)} over ${count} tokens, ${bits.toFixed(3)} bits a character`,
);

const sequence = model.createSequence();
let logits = await prefill(model, sequence, tokenizer.encode('The President of the United'));
const written: number[] = [];
for (let i = 0; i < 40 && logits; i++) {
  const next = logits.indexOf(Math.max(...logits));
  written.push(next);
  logits = await decodeStep(model, [sequence], [next]);
}
console.log(`The President of the United${tokenizer.decode(written)}`);
