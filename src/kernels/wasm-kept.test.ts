import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomFloats } from '../../test/each-backend.ts';
import { randomWeights } from '../../test/random-weights.ts';
import { tinyGguf } from '../../test/tiny-model.ts';
import { bytesSource } from '../llm/files/byte-source.ts';
import { decodeStep, LanguageModel, openGgufModel, prefill } from '../llm/index.ts';
import { bytesOfRow } from './dequantise.ts';
import { checked } from './door.ts';
import type { LinearTask, LinearWeight } from './llm-types.ts';
import { levelsOf } from './load.ts';
import type { Kernels } from './types.ts';
import { wasmKernels } from './wasm.ts';
import { KeptWeights } from './wasm-kept.ts';
import { linearPiece } from './wasm-linear.ts';
import { freshWasmModule, WasmModule } from './wasm-module.ts';
import { WEIGHT_FORMATS, type WeightFormat } from './weight-formats.ts';

const FORMATS = Object.keys(WEIGHT_FORMATS) as WeightFormat[];
const COLS = 256;

async function kernelsWith(keeper: KeptWeights, threads = 1): Promise<Kernels> {
  return checked(await wasmKernels(threads, undefined, keeper));
}

function weightOf(format: WeightFormat, outputs: number, rows: number, owner?: object): LinearWeight {
  const data = randomWeights(format, outputs, COLS, outputs);
  return { format, data, outputs, y: new Float32Array(rows * outputs), owner };
}

const taskOf = (rows: number, weights: LinearWeight[], cols = COLS): LinearTask => ({
  ...{ x: randomFloats(rows * cols, 7), rows, cols, weights },
});

/** The products of a task, by weights that are copied at the call. */
async function copying(task: LinearTask): Promise<Float32Array[]> {
  const kernels = await kernelsWith(new KeptWeights());
  const weights = task.weights.map(({ owner: _, ...weight }) => ({ ...weight, y: weight.y.slice() }));
  await kernels.linear({ ...task, weights });
  return weights.map(({ y }) => y);
}

/** Memory of what nobody holds is free after this, and weak references to it are empty. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve)); // weak references hold until the end of a job
    gc();
  }
}

const isThere = (await levelsOf('wasm').catch(() => [])).length > 0;

describe('weights kept in WASM', { skip: !isThere && 'no WASM kernels here' }, () => {
  it('give the bits of weights that are copied, and are kept once', async () => {
    const keeper = new KeptWeights();
    const kernels = await kernelsWith(keeper);
    const owner = {};
    let bytes = 0;
    for (const format of FORMATS) {
      const weight = weightOf(format, 37, 33, owner);
      bytes += weight.data.byteLength;
      for (const rows of [1, 3, 33])
        for (const activations of ['int8', 'float32'] as const) {
          // A view of its own each time, as every program of a model may have.
          const { buffer, byteOffset, byteLength } = weight.data;
          const data = new Uint8Array(buffer, byteOffset, byteLength);
          const bias = randomFloats(37, 2);
          const y = randomFloats(rows * 37, 3);
          const task = {
            ...taskOf(rows, [{ ...weight, data, bias, y, accumulate: true }]),
            activations,
          };
          const expected = await copying(task);
          await kernels.linear(task);
          assert.deepEqual([y], expected, `${format}, ${rows} rows, ${activations}`);
          assert.equal(keeper.bytes, bytes);
        }
    }
  });

  it('are read where they lie, those without an owner at each call', async () => {
    const keeper = new KeptWeights();
    const kernels = await kernelsWith(keeper);
    const owned = weightOf('Q8_0', 8, 1, {});
    const free = { ...owned, data: owned.data.slice(), y: owned.y.slice(), owner: undefined };
    const steps = kernels.prepare([{ kernel: 'linear', task: taskOf(1, [owned, free]) }]);
    await steps.run();
    const before = owned.y.slice();
    assert.deepEqual(free.y, before);
    assert.ok(before.some((value) => value !== 0));
    for (const { data, y } of [owned, free]) {
      data.fill(0); // which an owner promises not to do: here it shows who reads
      y.fill(7);
    }
    await steps.run();
    assert.deepEqual(owned.y, before);
    assert.deepEqual(free.y, new Float32Array(8));
    assert.equal(keeper.bytes, owned.data.byteLength);
  });

  it('go with their owner, and make room for the next', async () => {
    const [format, outputs] = ['Q8_0', 64] as const;
    const bytes = outputs * bytesOfRow(format, COLS);
    const keeper = new KeptWeights(2 * bytes);
    const kernels = await kernelsWith(keeper);
    const memories: WeakRef<object>[] = [];
    for (let model = 0; model < 5; model++) {
      await (async () => {
        const owner = {};
        const weights = [64, 64, 64].map((count) => weightOf(format, count, 2, owner));
        const task = taskOf(2, weights);
        const expected = await copying(task);
        await kernels.linear(task);
        // The third is beyond the limit.
        assert.equal(keeper.bytes, 2 * bytes, `model ${model}`);
        assert.deepEqual(
          weights.map(({ y }) => y),
          expected,
        );
        const kept = await keeper.find(weights[1]);
        assert.equal(await keeper.find(weights[2]), undefined);
        assert.ok(kept);
        memories.push(new WeakRef(kept.wasm.call.memory));
      })();
      await collect();
      assert.equal(keeper.bytes, 0);
      assert.equal(memories[model].deref(), undefined, 'the memory of a model that went');
    }
  });

  it('are copied at each call where memory is short', async () => {
    const keeper = new KeptWeights(2 ** 30, () => 2 ** 28 + 100);
    const kernels = await kernelsWith(keeper);
    const task = taskOf(1, [weightOf('Q4_1', 40, 1, {})]);
    const expected = await copying(task);
    await kernels.linear(task);
    assert.deepEqual([task.weights[0].y], expected);
    assert.equal(keeper.bytes, 0);
    const real = await freshWasmModule();
    const allocate = () => {
      throw new WebAssembly.RuntimeError('unreachable');
    };
    const full = new WasmModule({ ...real.call, allocate });
    assert.equal(full.putIfRoom(new Uint8Array(8)), undefined);
    const { x } = task;
    const { format, data, outputs } = task.weights[0];
    const piece = { x, rows: 1, cols: COLS, format, data, outputs, exact: false };
    assert.deepEqual(await linearPiece({ ...piece, kept: { wasm: full, address: 0 } }), expected[0]);
  });

  it('stay out of what goes to workers', async () => {
    const keeper = new KeptWeights();
    const kernels = await kernelsWith(keeper, 2);
    const task = taskOf(500, [weightOf('Q4_1', 800, 500, {})]);
    const expected = await copying(task);
    await kernels.linear(task);
    assert.deepEqual([task.weights[0].y], expected);
    assert.equal(keeper.bytes, 0);
    const few = taskOf(4, [{ ...task.weights[0], y: new Float32Array(4 * 800) }]);
    const expectedFew = await copying(few);
    await kernels.linear(few);
    assert.deepEqual([few.weights[0].y], expectedFew);
    assert.equal(keeper.bytes, few.weights[0].data.byteLength);
  });

  it('belong to a language model, for all its programs together', async () => {
    const keeper = new KeptWeights();
    const stored = await openGgufModel([bytesSource(tinyGguf({ format: 'F16' }), 'tiny.gguf')]);
    const { config, weights } = await LanguageModel.load(stored);
    const logitsOf = async (kernels: Kernels) => {
      const model = new LanguageModel(config, weights, kernels);
      const sequence = model.createSequence();
      await prefill(model, sequence, [1, 2, 3]);
      return decodeStep(model, [sequence], [4]);
    };
    const found = await logitsOf(await kernelsWith(keeper));
    assert.deepEqual(found, await logitsOf(await kernelsWith(new KeptWeights(0))));
    const matrices = weights.layers.flatMap(({ q, k, v, output, gate, up, down }) => [
      ...[q, k, v, output, gate, up, down],
    ]);
    const bytes = [...matrices, weights.output].reduce((sum, matrix) => sum + matrix.bytes.length, 0);
    assert.equal(keeper.bytes, bytes);
  });

  it('have an object as their owner', async () => {
    const kernels = await kernelsWith(new KeptWeights());
    const task = taskOf(1, [weightOf('Q8_0', 4, 1, 'model' as never)]);
    await assert.rejects(kernels.linear(task), {
      code: 'INVALID_ARGUMENT',
      message: /weights\[0\]\.owner is model; expected an object/,
    });
  });
});
