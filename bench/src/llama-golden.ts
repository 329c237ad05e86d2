// What llama.cpp says of the start of Moby Dick, for scripts/check-model.mjs, which needs no llama.cpp then:
// node bench/src/llama-golden.ts > test/golden/smollm2-llama-cpp.json

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LlamaPeer } from './peers/llama-cpp.ts';
import { mobyDick, modelPath } from './suites/llm/smollm2.ts';

const TOKENS = 2048;
const PROMPT = 64;

const text = (await mobyDick()).slice(0, 5200);
await using peer = await LlamaPeer.load(await modelPath(), 1, 2 * TOKENS);
const tokens = peer.tokenize(text).slice(0, TOKENS);
await peer.prefill(tokens.slice(0, PROMPT - 1));
const { tokens: greedy } = await peer.greedy(tokens[PROMPT - 1], PROMPT);
const logprobs = await peer.logprobs(tokens);
const nats = -logprobs.reduce((a, b) => a + b, 0) / logprobs.length;
/** Of the ids as little-endian 32-bit integers. */
const sha256 = createHash('sha256').update(Uint32Array.from(tokens)).digest('hex');
const { dependencies } = JSON.parse(readFileSync(new URL('../llama/package.json', import.meta.url), 'utf8'));
console.log(
  JSON.stringify(
    {
      from: `node-llama-cpp ${dependencies['node-llama-cpp']}, SmolLM2-135M-Instruct.Q4_1.gguf`,
      ...{ text, sha256, greedy, perplexity: Math.exp(nats) },
    },
    undefined,
    1,
  ),
);
