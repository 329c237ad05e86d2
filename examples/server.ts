// A language model behind the OpenAI API, and OpenAI's own client talking to it.
// Run: node --conditions=provably-source examples/server.ts

import OpenAI from 'openai';
import { openLanguageModel, openModel } from 'provably/llm';
import { startServer } from 'provably/server';

const opened = await openLanguageModel(await openModel('models/tiny-lm'));
// Port 0 takes a free one; every text gets a cache of 128 rows a head.
await using server = await startServer(opened, {
  ...{ port: 0, modelName: 'tiny-lm', sequence: { cache: { policy: 'hybrid', budget: 128 } } },
});
console.log(`${server.model} at ${server.url}/v1`);

const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
const stream = await client.completions.create({
  ...{ model: 'tiny-lm', prompt: 'The old man walked down to the', max_tokens: 32, temperature: 0 },
  stream: true,
});
let text = '';
for await (const { choices } of stream) text += choices[0].text;
console.log(`The old man walked down to the${text}`);
if (text === '') throw new Error('nothing was written');

const { data } = await client.embeddings.create({
  ...{ model: 'tiny-lm', input: ['The river was cold.', 'The water was cold.', 'Taxes rose in 1960.'] },
});
const similarity = (i: number, j: number) =>
  data[i].embedding.reduce((sum, x, c) => sum + x * data[j].embedding[c], 0);
console.log(`similarity of sentences: ${similarity(0, 1).toFixed(3)} and ${similarity(0, 2).toFixed(3)}`);
