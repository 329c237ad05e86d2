import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type TinyModelOptions, tinyGguf, tinyHubFolder, tinyTensors } from '../../../test/tiny-model.ts';
import { dequantise, WEIGHT_FORMATS, type WeightFormat } from '../../kernels/index.ts';
import { bytesSource } from '../files/byte-source.ts';
import { openGgufModel, openHubModel } from './stored-model.ts';
import { GGUF_NAMES } from './tensor-names.ts';
import { loadWeights } from './weights.ts';

type Change = NonNullable<Parameters<typeof tinyGguf>[2]>;

const open = (options?: TinyModelOptions, change?: Change) =>
  openGgufModel([bytesSource(tinyGguf(options, {}, change), 'tiny.gguf')]);
const every = { architecture: 'llama', qkvBias: true, outputBias: true, qkNorm: true } as const;

function numbersOf(format: WeightFormat, bytes: Uint8Array): Float32Array {
  const shape = WEIGHT_FORMATS[format];
  const numbers = new Float32Array((bytes.length / shape.bytes) * shape.entries);
  dequantise(format, bytes, 0, numbers.length, numbers);
  return numbers;
}

describe('loadWeights', () => {
  it('brings every tensor to its place, as it is stored', async () => {
    const options: TinyModelOptions = {
      ...every,
      hidden: 256,
      heads: 8,
      headDim: 32,
      intermediate: 512,
      format: 'Q4_K',
    };
    const { tokenEmbedding, layers, outputNorm, output } = await loadWeights(await open(options));
    const tensors = new Map(tinyTensors(options, GGUF_NAMES).map((tensor) => [tensor.name, tensor]));
    let seen = 0;
    const check = (name: string, found: unknown) => {
      const { type, shape, bytes } = tensors.get(name) ?? assert.fail(name);
      const [rows, cols] = shape;
      const expected =
        cols === undefined ? numbersOf(type, bytes) : { name, format: type, rows, cols, bytes };
      assert.deepEqual(found, expected, name);
      seen++;
    };
    for (const [i, layer] of layers.entries()) {
      for (const [slot, name] of Object.entries(GGUF_NAMES.layer))
        check(`blk.${i}.${name}`, layer[slot as keyof typeof layer]);
    }
    check('token_embd.weight', tokenEmbedding);
    check('output_norm.weight', outputNorm);
    check('output.weight', output);
    assert.equal(seen, tensors.size);
  });

  it('gives the same weights under the names of the hub', async () => {
    const folder = tinyHubFolder({ qkvBias: true, outputBias: true });
    const fromHub = await loadWeights(await openHubModel(async (name) => folder.get(name)));
    const fromGguf = await loadWeights(await open({ qkvBias: true, outputBias: true }));
    const nameless = (weights: object) =>
      JSON.parse(JSON.stringify(weights, (key, value) => (key === 'name' ? undefined : value)));
    assert.deepEqual(nameless(fromHub), nameless(fromGguf));
  });

  it('takes every format', async () => {
    const sizes = { hidden: 256, heads: 8, headDim: 32, intermediate: 256, layers: 1 };
    for (const format of Object.keys(WEIGHT_FORMATS) as WeightFormat[]) {
      const { output } = await loadWeights(await open({ ...sizes, format }));
      assert.equal(output.format, format);
      assert.ok(numbersOf(format, output.bytes).every(Number.isFinite));
    }
  });

  it('uses the embedding for the output of a tied model', async () => {
    const weights = await loadWeights(await open({ tied: true }));
    assert.equal(weights.output, weights.tokenEmbedding);
  });

  it('copies what lies where the kernels do not take it', async () => {
    const file = tinyGguf();
    const shifted = new Uint8Array(file.length + 1).subarray(1);
    shifted.set(file);
    const { layers, output } = await loadWeights(await openGgufModel([bytesSource(shifted, 'odd.gguf')]));
    for (const { bytes } of [layers[1].down, output]) assert.equal(bytes.byteOffset % 4, 0);
    assert.deepEqual(output, (await loadWeights(await open())).output);
  });

  it('copies no byte of a source in memory', async () => {
    const file = tinyGguf();
    const { layers } = await loadWeights(await openGgufModel([bytesSource(file, 'tiny.gguf')]));
    assert.equal(layers[1].down.bytes.buffer, file.buffer);
  });

  it('names tensor, shape found and shape expected', async () => {
    const replace =
      (name: string, shape: readonly number[], type = 'F32'): Change =>
      (tensors) =>
        tensors.map((tensor) => {
          const bytes = new Uint8Array(4 * shape.reduce((a, b) => a * b));
          return tensor.name === name ? { name, type, shape, bytes } : tensor;
        });
    const cases: [Change, string, RegExp][] = [
      [
        replace('blk.1.attn_k.weight', [64, 32]),
        'DATA',
        /tensor "blk\.1\.attn_k\.weight" has shape \(64, 32\); expected \(32, 64\) = \(key heads · head size, hidden\)/,
      ],
      [
        replace('output_norm.weight', [1, 64]),
        'DATA',
        /"output_norm\.weight" has shape \(1, 64\); expected \(64\) = \(hidden\)/,
      ],
      [
        (all) => all.filter(({ name }) => name !== 'blk.0.ffn_up.weight'),
        'DATA',
        /no tensor "blk\.0\.ffn_up\.weight"; expected one of shape \(96, 64\)/,
      ],
      [
        replace('blk.0.ffn_up.weight', [96, 64], 'I8'),
        'UNSUPPORTED',
        /"blk\.0\.ffn_up\.weight" is stored as I8; expected one of F32/,
      ],
      [
        (all) => [...all, { ...all[1], name: 'blk.0.post_ffw_norm.weight' }],
        'UNSUPPORTED',
        /a tensor "blk\.0\.post_ffw_norm\.weight", which a llama model of 2 layers has not/,
      ],
    ];
    for (const [change, code, message] of cases) {
      const model = await open({}, change);
      await assert.rejects(loadWeights(model), { code, message });
    }
  });

  it('reports bytes, and stops when it is told to', async () => {
    const model = await open();
    const reports: number[] = [];
    await loadWeights(model, { onProgress: ({ done, total }) => reports.push(done / total) });
    assert.equal(reports.length, model.tensors.size);
    assert.equal(reports.at(-1), 1);
    assert.ok(reports.every((share, i) => i === 0 || share > reports[i - 1]));
    const controller = new AbortController();
    const stopped = loadWeights(model, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await assert.rejects(stopped, { message: 'enough' });
  });
});
