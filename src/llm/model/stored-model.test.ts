import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { GgufWritable } from '../../../test/gguf-writer.ts';
import { type TinyModelOptions, tinyGguf, tinyHubConfig, tinyHubFolder } from '../../../test/tiny-model.ts';
import { ProvablyError } from '../../core/errors.ts';
import { bytesSource } from '../files/byte-source.ts';
import { configFromHub } from './hub-config.ts';
import type { ModelConfig } from './model-config.ts';
import { openGgufModel, openHubModel, type StoredModel } from './stored-model.ts';
import { loadWeights } from './weights.ts';

const gguf = (
  options?: TinyModelOptions,
  more?: Record<string, GgufWritable | undefined>,
): Promise<StoredModel> => openGgufModel([bytesSource(tinyGguf(options, more), 'tiny.gguf')]);
const hub = (options?: TinyModelOptions, more?: object, shards?: number): Promise<StoredModel> => {
  const folder = tinyHubFolder(options, more, shards);
  return openHubModel(async (name) => folder.get(name));
};
const text = (value: string): GgufWritable => ({ type: 'string', value });
const integer = (value: number): GgufWritable => ({ type: 'uint32', value });
const float = (value: number): GgufWritable => ({ type: 'float64', value });

const base: ModelConfig = {
  ...{
    architecture: 'llama',
    name: undefined,
    layers: 2,
    hidden: 64,
    intermediate: 96,
    heads: 4,
    keyHeads: 2,
  },
  ...{ headDim: 16, vocabulary: 40, context: 512, normEpsilon: 1e-5, tiedEmbeddings: false },
  rope: { base: 10000, dims: 16, pairing: 'interleaved', scaling: { type: 'none' }, divisors: undefined },
  slidingWindows: [null, null],
  ...{ qkvBias: false, outputBias: false, qkNorm: false },
  ...{ attentionScale: 0.25 },
};
const halfSplit = { base: 10000, dims: 16, pairing: 'half-split', scaling: { type: 'none' } };

describe('configuration of a GGUF file', () => {
  it('reads the Llama family', async () => {
    assert.deepEqual((await gguf()).config, base);
    const { config } = await gguf(
      { tied: true, keyHeads: 4 },
      { 'general.name': text('Tiny'), 'llama.attention.key_length': undefined },
    );
    assert.deepEqual(config, { ...base, name: 'Tiny', tiedEmbeddings: true, keyHeads: 4 });
  });

  it('reads Qwen 2 with its biases and Qwen 3 with its norms, both half-split', async () => {
    const { config: two } = await gguf({ architecture: 'qwen2', qkvBias: true });
    assert.deepEqual(two, {
      ...base,
      architecture: 'qwen2',
      qkvBias: true,
      rope: { ...halfSplit, divisors: undefined },
    });
    const { config: three } = await gguf({ architecture: 'qwen3', qkNorm: true, headDim: 32 });
    assert.equal(three.headDim, 32);
    assert.equal(three.attentionScale, 1 / Math.sqrt(32));
    assert.deepEqual([three.qkNorm, three.rope.pairing, three.rope.dims], [true, 'half-split', 32]);
  });

  it('reads every scaling of positions', async () => {
    const scaled = async (more: Record<string, GgufWritable>) => (await gguf({}, more)).config.rope.scaling;
    assert.deepEqual(await scaled({ 'llama.rope.scaling.factor': float(4) }), { type: 'linear', factor: 4 });
    assert.deepEqual(await scaled({ 'llama.rope.scale_linear': float(2) }), { type: 'linear', factor: 2 });
    assert.deepEqual(
      await scaled({ 'llama.rope.scaling.type': text('none'), 'llama.rope.scaling.factor': float(4) }),
      { type: 'none' },
    );
    const yarn = {
      'llama.rope.scaling.type': text('yarn'),
      'llama.rope.scaling.factor': float(4),
      'llama.rope.scaling.original_context_length': integer(128),
      'llama.rope.scaling.attn_factor': float(0.5),
    };
    assert.deepEqual(await scaled(yarn), {
      ...{ type: 'yarn', factor: 4, betaFast: 32, betaSlow: 1, trainedContext: 128 },
      amplitude: (0.1 * Math.log(4) + 1) * 0.5,
    });
    const divisors = Float32Array.from({ length: 8 }, (_, i) => 1 + i);
    const bytes = tinyGguf({}, {}, (tensors) => [
      ...tensors,
      { name: 'rope_freqs.weight', type: 'F32', shape: [8], bytes: new Uint8Array(divisors.buffer) },
    ]);
    const model = await openGgufModel([bytesSource(bytes, 'long.gguf')]);
    assert.deepEqual(model.config.rope.divisors, [...divisors]);
    await loadWeights(model);
  });

  it('reads which layers slide', async () => {
    const windows = async (more: Record<string, GgufWritable>) =>
      (await gguf({ layers: 4 }, { 'llama.attention.sliding_window': integer(32), ...more })).config
        .slidingWindows;
    const key = 'llama.attention.sliding_window_pattern';
    assert.deepEqual(await windows({}), [32, 32, 32, 32]);
    assert.deepEqual(await windows({ [key]: integer(2) }), [32, null, 32, null]);
    const flags = { type: 'array', of: 'bool', value: [true, false, false, true] } as const;
    assert.deepEqual(await windows({ [key]: flags }), [32, null, null, 32]);
  });

  it('refuses scales of other families', async () => {
    const more = (family: string) => ({ [`${family}.embedding_scale`]: float(12) });
    await assert.rejects(gguf({}, more('llama')), {
      code: 'UNSUPPORTED',
      message: /llama\.embedding_scale is 12/,
    });
  });

  it('says what is missing, out of range or not computed', async () => {
    const cases: [Record<string, GgufWritable | undefined>, string, RegExp][] = [
      [{ 'general.architecture': undefined }, 'DATA', /general\.architecture is undefined/],
      [
        { 'general.architecture': text('mamba') },
        'UNSUPPORTED',
        /"mamba"; expected one of llama, mistral, qwen2/,
      ],
      [{ 'llama.block_count': undefined }, 'DATA', /block_count is undefined/],
      [{ 'llama.block_count': integer(5000) }, 'DATA', /block_count is 5000/],
      [{ 'llama.embedding_length': float(1.5) }, 'DATA', /embedding_length is 1\.5/],
      [{ 'llama.attention.layer_norm_rms_epsilon': text('small') }, 'DATA', /epsilon is "small"/],
      [
        { 'llama.attention.head_count_kv': integer(3) },
        'DATA',
        /4 query heads and 3 key heads; expected a multiple/,
      ],
      [
        { 'llama.attention.head_count': { type: 'array', of: 'uint32', value: [4, 2] } },
        'DATA',
        /head_count is of the wrong kind/,
      ],
      [{ 'llama.rope.dimension_count': integer(15) }, 'DATA', /15 entries of a head of 16 turn/],
      [
        { 'llama.rope.scaling.type': text('longrope') },
        'UNSUPPORTED',
        /"longrope"; expected none, linear or yarn/,
      ],
      [{ 'llama.expert_count': integer(8) }, 'UNSUPPORTED', /expert_count is 8/],
      [{ 'llama.attention.causal': { type: 'bool', value: false } }, 'UNSUPPORTED', /causal is false/],
      [{ 'llama.attention.value_length': integer(8) }, 'UNSUPPORTED', /keys have 16 entries, values 8/],
    ];
    for (const [more, code, message] of cases) await assert.rejects(gguf({}, more), { code, message });
    const same = { 'llama.attention.head_count': { type: 'array', of: 'uint32', value: [4, 4] } } as const;
    assert.equal((await gguf({}, same)).config.heads, 4);
  });

  it('joins parts in order, and refuses any other set of them', async () => {
    const split = (number: number, count: number): Record<string, GgufWritable> => ({
      'split.no': { type: 'uint16', value: number },
      'split.count': { type: 'uint16', value: count },
    });
    const whole = await gguf();
    const part = (number: number, count = 2) =>
      bytesSource(
        tinyGguf({}, split(number, count), (tensors) => tensors.filter((_, i) => i % 2 === number)),
        `part ${number}`,
      );
    const model = await openGgufModel([part(0), part(1)]);
    const [a, b] = [await loadWeights(model), await loadWeights(whole)];
    assert.deepEqual(a, b);
    await assert.rejects(openGgufModel([part(1), part(0)]), {
      code: 'DATA',
      message: /part 1 is part 2 of 2; expected part 1 of 2/,
    });
    await assert.rejects(openGgufModel([part(0)]), {
      code: 'DATA',
      message: /part 1 of 2; expected part 1 of 1/,
    });
    await assert.rejects(openGgufModel([part(0), part(0)]), { code: 'DATA' });
  });
});

describe('a damaged GGUF model', () => {
  it('is met with an error of ours', async () => {
    const whole = tinyGguf({}, { 'llama.rope.scaling.factor': float(2) });
    // The names and values come first, so damage is dense there.
    const place = fc.oneof(fc.nat(900), fc.nat(whole.length - 1));
    const flips = fc.array(fc.record({ at: place, to: fc.nat(255) }), { maxLength: 4 });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(flips, fc.option(fc.nat(whole.length)), async (changes, cut) => {
        const bytes = whole.slice(0, cut ?? undefined);
        for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to;
        try {
          await loadWeights(await openGgufModel([bytesSource(bytes, 'damaged.gguf')]));
        } catch (error) {
          refused++;
          assert.ok(error instanceof ProvablyError, String(error));
        }
      }),
      { seed: 5, numRuns: 1000 },
    );
    assert.ok(refused > 300, `${refused}`);
  });
});

describe('configuration of a hub folder', () => {
  it('reads the same model as from GGUF, but for the pairing', async () => {
    assert.deepEqual((await hub()).config, { ...base, rope: halfSplit });
    const { config } = await hub({ tied: true }, { tie_word_embeddings: undefined });
    assert.equal(config.tiedEmbeddings, true);
  });

  it('knows what each family adds and leaves out', () => {
    const read = (architecture: string, more: object) =>
      configFromHub(tinyHubConfig({ architecture, layers: 3 }, more), new Map());
    const qwen = read('qwen2', {
      sliding_window: 64,
      use_sliding_window: true,
      max_window_layers: 1,
      rope_theta: 1e6,
    });
    assert.deepEqual(qwen.slidingWindows, [null, 64, 64]);
    assert.deepEqual([qwen.qkvBias, qwen.outputBias, qwen.qkNorm, qwen.rope.base], [true, false, false, 1e6]);
    assert.deepEqual(read('qwen2', { sliding_window: 64 }).slidingWindows, [null, null, null]);
    const types = ['sliding_attention', 'full_attention', 'sliding_attention'];
    assert.deepEqual(
      read('qwen3', { sliding_window: 9, use_sliding_window: true, layer_types: types }).slidingWindows,
      [9, null, 9],
    );
    const three = read('qwen3', { head_dim: undefined });
    assert.deepEqual([three.headDim, three.qkNorm, three.qkvBias], [128, true, false]);
    assert.deepEqual(read('mistral', { sliding_window: 7 }).slidingWindows, [7, 7, 7]);
    assert.deepEqual(read('mistral', { sliding_window: null }).slidingWindows, [null, null, null]);
    assert.deepEqual(read('mistral', {}).slidingWindows, [4096, 4096, 4096]);
    const llama = read('llama', {
      attention_bias: true,
      num_key_value_heads: undefined,
      head_dim: undefined,
    });
    assert.deepEqual([llama.qkvBias, llama.outputBias, llama.keyHeads, llama.headDim], [true, true, 4, 16]);
  });

  it('reads every scaling of positions, in its old and new places', () => {
    const scaling = (more: object) => configFromHub(tinyHubConfig({}, more), new Map()).rope;
    assert.deepEqual(scaling({ rope_scaling: { type: 'linear', factor: 2 } }).scaling, {
      type: 'linear',
      factor: 2,
    });
    const llama3 = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 256,
    };
    const expected = {
      type: 'llama3',
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      trainedContext: 256,
    };
    assert.deepEqual(scaling({ rope_scaling: llama3 }).scaling, expected);
    const moved = scaling({ rope_parameters: { ...llama3, rope_theta: 5e5 } });
    assert.deepEqual([moved.scaling, moved.base], [expected, 5e5]);
    assert.deepEqual(
      scaling({ rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 128 } }).scaling,
      {
        ...{
          type: 'yarn',
          factor: 4,
          betaFast: 32,
          betaSlow: 1,
          trainedContext: 128,
          amplitude: 0.1 * Math.log(4) + 1,
        },
      },
    );
    assert.equal(scaling({ partial_rotary_factor: 0.5 }).dims, 8);
  });

  it('says what is missing, out of range or not computed', async () => {
    const cases: [object, string, RegExp][] = [
      [{ model_type: 'gpt2' }, 'UNSUPPORTED', /architecture "gpt2"/],
      [{ model_type: undefined }, 'DATA', /model_type is undefined/],
      [{ hidden_size: -1 }, 'DATA', /hidden_size is -1/],
      [{ vocab_size: undefined }, 'DATA', /vocab_size is undefined/],
      [{ hidden_act: 'gelu' }, 'UNSUPPORTED', /hidden_act is "gelu"/],
      [{ mlp_bias: true }, 'UNSUPPORTED', /mlp_bias/],
      [{ quantization_config: { bits: 4 } }, 'UNSUPPORTED', /quantization_config.*GGUF/],
      [{ rope_scaling: { type: 'dynamic', factor: 2 } }, 'UNSUPPORTED', /scaling is "dynamic"/],
      [{ rope_scaling: { type: 'linear' } }, 'DATA', /factor is undefined/],
      [{ rope_scaling: { type: 'yarn', factor: 2, mscale: 1 } }, 'DATA', /mscale/],
      [
        { layer_types: ['full_attention'], sliding_window: 4, model_type: 'mistral' },
        'DATA',
        /windows are given for 1 layers; expected 2/,
      ],
    ];
    for (const [more, code, message] of cases)
      await assert.rejects(hub({}, more), { code, message }, JSON.stringify(more));
    await assert.rejects(
      openHubModel(async () => undefined),
      { code: 'DATA', message: /the model has no config\.json/ },
    );
  });

  it('joins shards by their index, which names files and no paths', async () => {
    assert.deepEqual(await loadWeights(await hub({}, {}, 3)), await loadWeights(await hub()));
    const folder = tinyHubFolder({}, {}, 2);
    folder.delete('model-2-of-2.safetensors');
    await assert.rejects(
      openHubModel(async (name) => folder.get(name)),
      { code: 'DATA', message: /has no model-2-of-2/ },
    );
    const index = { weight_map: { x: '../../secret.safetensors' } };
    folder.set(
      'model.safetensors.index.json',
      bytesSource(new TextEncoder().encode(JSON.stringify(index)), 'index'),
    );
    await assert.rejects(
      openHubModel(async (name) => folder.get(name)),
      { code: 'DATA', message: /weight_map\.x/ },
    );
  });

  it('meets damage with an error of ours', async () => {
    const folder = tinyHubFolder();
    const name = fc.constantFrom('config.json', 'model.safetensors');
    const flips = fc.array(fc.record({ at: fc.nat(1500), to: fc.nat(255) }), { maxLength: 4 });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(name, flips, fc.option(fc.nat(2000)), async (which, changes, cut) => {
        const source = folder.get(which);
        if (!source) throw new Error(which);
        const bytes = (await source.read(0, source.size)).slice(0, cut ?? undefined);
        for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to;
        const damaged = new Map(folder).set(which, bytesSource(bytes, which));
        try {
          await loadWeights(await openHubModel(async (file) => damaged.get(file)));
        } catch (error) {
          refused++;
          assert.ok(error instanceof ProvablyError, String(error));
        }
      }),
      { seed: 3, numRuns: 1000 },
    );
    assert.ok(refused > 300, `${refused}`);
  });
});
