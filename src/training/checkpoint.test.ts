import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadMlp, loadTensors, saveMlp, saveTensors } from './checkpoint.ts';
import { trainMlp } from './train-mlp.ts';

describe('checkpoints', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'provably-checkpoint-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('bring a trained model back bit for bit', async () => {
    const features = { data: Float32Array.of(1, 0, 0, 1, 1, 1), rows: 3, cols: 2 };
    const { model } = await trainMlp({ features, labels: [0, 1, 2] }, { hidden: [5, 4], epochs: 2 });
    const path = join(folder, 'model.safetensors');
    await saveMlp(path, model);
    const back = await loadMlp(path);
    assert.deepEqual(back, model);
    assert.deepEqual(await back.predict(features), await model.predict(features));
  });

  it('keep names, order and numbers of any tensors', async () => {
    const path = join(folder, 'tensors.safetensors');
    await saveTensors(path, {
      b: { shape: [2, 1, 3], data: Float32Array.of(1, 2, 3, 4, 5, -0) },
      a: { shape: [], data: Float32Array.of(1e-45) },
    });
    const tensors = await loadTensors(path);
    assert.deepEqual(tensors, {
      b: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, -0) },
      a: { shape: [1, 1], data: Float32Array.of(1e-45) },
    });
    assert.deepEqual(Object.keys(tensors), ['b', 'a']);
  });

  it('refuse a file that is no checkpoint, and one of another model', async () => {
    const path = join(folder, 'bad.safetensors');
    await writeFile(path, 'not tensors');
    await assert.rejects(loadMlp(path), { code: 'DATA' });
    await saveTensors(path, { x: { shape: [1, 1], data: Float32Array.of(1) } });
    await assert.rejects(loadMlp(path), { code: 'SHAPE', message: /no layers/ });
  });
});
