// Holds the engine against a real model file: configuration, every tensor, weights as the gguf package decodes them; tokens, greedy
// continuation and perplexity as llama.cpp has them.
// Prints "N passed, N failed". Runs under the pinned Node: `npm run check:model`.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dequantise, describeKernels } from '../src/kernels/index.ts';
import {
  decodeStep,
  loadWeights,
  openLanguageModel,
  openModel,
  perplexity,
  prefill,
} from '../src/llm/index.ts';
import { fetchSmolLm2 } from './fetch-smollm2.mjs';

// pip install gguf==0.19.0
// python -c "import hashlib,sys,gguf;[print(t.name,hashlib.sha256(gguf.dequantize(t.data,t.tensor_type).astype('<f4').tobytes()).hexdigest()) for t in gguf.GGUFReader(sys.argv[1]).tensors]" <file>
const DECODED = {
  'token_embd.weight': '3fd491c8066dd9dc1a2bf6796701526c82817d95c0ecabacdef3013c2b8bbbaa',
  'blk.0.attn_q.weight': 'aa74111ad24c3624a20374d2026fd1f50bfe2520252e3c9aef4a666a28593cc8',
  'blk.29.ffn_down.weight': 'c19605745425a11e704e305ce3d27b632c406195d39eb3377e9cfb140ac643d1',
};

const path = await fetchSmolLm2();
let passed = 0;
let failed = 0;

async function check(what, body) {
  const started = performance.now();
  try {
    await body();
    passed++;
    console.log(`ok      ${what} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${what}\n${error.stack}`);
  }
}

await check('configuration', async () => {
  const { config, tensors, metadata } = await openModel(path);
  const { rope, slidingWindows, ...rest } = config;
  assert.deepEqual(rest, {
    ...{
      architecture: 'llama',
      name: 'Smollm2 135M 8k Lc100K Mix1 Ep2',
      layers: 30,
      hidden: 576,
      intermediate: 1536,
    },
    ...{
      heads: 9,
      keyHeads: 3,
      headDim: 64,
      vocabulary: 49152,
      context: 8192,
      normEpsilon: Math.fround(1e-5),
    },
    ...{ tiedEmbeddings: true, qkvBias: false, outputBias: false, qkNorm: false },
    ...{ attentionScale: 0.125 },
  });
  assert.deepEqual(
    { ...rope, divisors: 0 },
    { base: 1e5, dims: 64, pairing: 'interleaved', scaling: { type: 'none' }, divisors: 0 },
  );
  assert.ok(slidingWindows.every((window) => window === null));
  assert.equal(tensors.size, 272);
  const tokens = metadata.get('tokenizer.ggml.tokens');
  assert.deepEqual([tokens.length, tokens.at(0), tokens.at(2)], [49152, '<|endoftext|>', '<|im_end|>']);
});

const { backends } = await describeKernels();
const mappable = backends.some(({ backend, levels }) => backend === 'native' && levels.length > 0);
for (const access of mappable ? ['map', 'read'] : ['read']) {
  await check(`weights, ${access}`, async () => {
    const weights = await loadWeights(await openModel(path, { access }));
    assert.equal(weights.output, weights.tokenEmbedding);
    const matrices = [weights.tokenEmbedding, ...weights.layers.flatMap((layer) => Object.values(layer))];
    for (const { name, format, rows, cols, bytes } of matrices.filter((matrix) => DECODED[matrix.name])) {
      const numbers = new Float32Array(rows * cols);
      dequantise(format, bytes, 0, numbers.length, numbers);
      const decoded = new Uint8Array(numbers.buffer);
      assert.equal(createHash('sha256').update(decoded).digest('hex'), DECODED[name], name);
    }
  });
}

// Made by bench/src/llama-golden.ts.
const golden = JSON.parse(
  await readFile(new URL('../test/golden/smollm2-llama-cpp.json', import.meta.url), 'utf8'),
);
const GREEDY_PROMPT = 64;
const TOKENS = 2048;

for (const activations of ['int8', 'float32'])
  await check(`${activations} as llama.cpp`, async () => {
    const { model, tokenizer } = await openLanguageModel(await openModel(path), { activations });
    const tokens = tokenizer.encode(golden.text).slice(0, TOKENS);
    assert.equal(
      createHash('sha256').update(Uint32Array.from(tokens)).digest('hex'),
      golden.sha256,
      'tokens',
    );
    const sequence = model.createSequence();
    let logits = await prefill(model, sequence, tokens.slice(0, GREEDY_PROMPT));
    const greedy = [];
    while (greedy.length < golden.greedy.length) {
      const likeliest = logits.indexOf(logits.reduce((a, b) => Math.max(a, b), -Infinity));
      greedy.push(likeliest);
      logits = await decodeStep(model, [sequence], [likeliest]);
    }
    assert.deepEqual(greedy, golden.greedy);
    const { perplexity: found } = await perplexity(model, tokens);
    const difference = found / golden.perplexity - 1;
    console.log(`        perplexity ${found.toFixed(4)}, llama.cpp's ${golden.perplexity.toFixed(4)}`);
    assert.ok(Math.abs(difference) <= 0.005, `perplexity differs by ${100 * difference} %`);
  });

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
