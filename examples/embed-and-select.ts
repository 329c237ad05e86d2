// Texts to vectors with a language model, vectors to the few texts worth asking about: their weights make them stand for all.
// Run: node --conditions=provably-source examples/embed-and-select.ts

import { embedTexts, negativeLogLikelihood, openLanguageModel, openModel, prefill } from 'provably/llm';
import { estimateMean, selectData } from 'provably/selection';

const { model, tokenizer } = await openLanguageModel(await openModel('models/tiny-lm'));

// 480 sentences of six subjects.
const subjects = [
  'The river',
  'A committee',
  'The church',
  'My brother',
  'The new machine',
  'The price of land',
];
const verbs = ['was', 'had been', 'could be', 'is not', 'became', 'seemed', 'will be', 'must be'];
const ends = [
  ...['cold in winter', 'of great interest', 'known to all', 'a matter of time', 'too small', 'very old'],
  ...['as the report said', 'on the other side', 'larger than before', 'at the end of the road'],
];
const texts = subjects.flatMap((subject) =>
  verbs.flatMap((verb) => ends.map((end) => `${subject} ${verb} ${end}.`)),
);
const tokens = texts.map((text) => tokenizer.encode(text));

// Short texts go through the model in packs.
const start = performance.now();
const points = {
  data: new Float32Array(texts.length * model.config.hidden),
  rows: texts.length,
  cols: model.config.hidden,
};
for await (const block of embedTexts(model, tokens).blocks()) {
  points.data.set(block.points.data, block.start * points.cols);
}
const count = tokens.reduce((sum, { length }) => sum + length, 0);
const seconds = (performance.now() - start) / 1000;
console.log(`${texts.length} texts, ${count} tokens: ${(count / seconds).toFixed(0)} tokens a second`);

/** Nats a token of a text: dear for a large model, so that few are asked for. */
async function lossOf(row: number): Promise<number> {
  const { vocabulary } = model.config;
  let sum = 0;
  await prefill(model, model.createSequence(), tokens[row], {
    logits: (first, rows, logits) => {
      for (let i = 0; i < rows && first + i + 1 < tokens[row].length; i++) {
        const next = tokens[row][first + i + 1];
        sum += negativeLogLikelihood(logits.subarray(i * vocabulary, (i + 1) * vocabulary), next);
      }
    },
  });
  return sum / (tokens[row].length - 1);
}

let asked = 0;
const losses = async (rows: Uint32Array) => {
  asked += rows.length;
  const result: number[] = [];
  for (const row of rows) result.push(await lossOf(row));
  return result;
};
const result = await selectData(points, { loss: losses, size: 40, k: 12, seed: 1 });
const { ids, weights } = result.value;
console.log(`asked ${asked} losses to choose ${ids.length} texts; the first:`);
for (const i of [0, 1, 2]) console.log(`  ${weights[i].toFixed(1)} × ${texts[ids[i]]}`);

// What they say of all texts; here all losses are cheap enough to look.
const { value, interval } = estimateMean(result.value, await losses(ids));
const all = await losses(Uint32Array.from(texts, (_, row) => row));
const exact = all.reduce((sum, loss) => sum + loss, 0) / all.length;
console.log(
  `mean loss ${value.toFixed(3)} nats a token, 95 % interval ${interval.low.toFixed(3)} … ${interval.high.toFixed(3)}; of all texts ${exact.toFixed(3)}`,
);
