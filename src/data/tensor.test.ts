import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { writeNpy } from './npy.ts';
import { writeSafetensors } from './safetensors.ts';
import { temporaryDirectory } from './temporary.ts';
import { readTensor } from './tensor.ts';

// Python, safetensors 0.6: save({'emb': m.astype('f4'), 'half': m.astype('f2'), 'bias': numpy.array([1., 2.])}, {'by': 'python'})
// with m = numpy.arange(6).reshape(2, 3) - 1.5
const NAMED =
  '0AAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJieSI6InB5dGhvbiJ9LCJiaWFzIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMCwxNl19LCJlbWIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzE2LDQwXX0sImhhbGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzQwLDUyXX19AAAAAAAA8D8AAAAAAAAAQAAAwL8AAAC/AAAAPwAAwD8AACBAAABgQAC+ALgAOAA+AEEAQw==';
const m = [-1.5, -0.5, 0.5, 1.5, 2.5, 3.5];
/** IEEE binary16 of m, by hand: 1.5 is sign 0, exponent 15, fraction 512. */
const halves = [0xbe00, 0xb800, 0x3800, 0x3e00, 0x4100, 0x4300];

/** Halves as .npy: numpy writes '<f2', or '>f2' on a big-endian machine. */
function npyHalves(order: '<' | '>', shape: string): Buffer {
  const header = `{'descr': '${order}f2', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
  const head = Buffer.alloc(10, '\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(118, 8);
  const data = Buffer.alloc(2 * halves.length);
  for (const [i, half] of halves.entries()) {
    if (order === '<') data.writeUInt16LE(half, 2 * i);
    else data.writeUInt16BE(half, 2 * i);
  }
  return Buffer.concat([head, Buffer.from(`${header}\n`), data]);
}

describe('readTensor', () => {
  it('reads what writeNpy wrote, in any shape', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.npy');
    const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(shapes, async (shape) => {
      const count = shape.reduce((product, n) => product * n, 1);
      const data = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
      await writeNpy(path, { data, shape });
      assert.deepEqual(await readTensor(path), { data, shape, storage: 'float32' });
    });
    await fc.assert(property, { seed: 1, numRuns: 40 });
    await assert.rejects(writeNpy(path, { data: Float32Array.of(1), shape: [2, 3] }), { code: 'SHAPE' });
  });

  it('keeps halves as bits or converts them exactly, in either byte order', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.npy');
    for (const order of ['<', '>'] as const) {
      await writeFile(path, npyHalves(order, '(1, 3, 2)'));
      assert.deepEqual(await readTensor(path, { halves: 'keep' }), {
        data: Uint16Array.from(halves),
        shape: [1, 3, 2],
        storage: 'float16',
      });
      assert.deepEqual(await readTensor(path), {
        data: Float32Array.from(m),
        shape: [1, 3, 2],
        storage: 'float32',
      });
    }
  });

  it('keeps and converts bfloat16, the upper halves of float32', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.safetensors');
    const header = Buffer.from('{"k":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(path, Buffer.concat([length, header, Buffer.from([0xc0, 0xbf, 0x20, 0x40])]));
    const kept = await readTensor(path, { halves: 'keep' });
    assert.deepEqual(kept, { data: Uint16Array.of(0xbfc0, 0x4020), shape: [2, 1], storage: 'bfloat16' });
    assert.deepEqual([...(await readTensor(path)).data], [-1.5, 2.5]);
  });

  it('finds a tensor of a .safetensors file by the first name that is there', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.safetensors');
    await writeFile(path, Buffer.from(NAMED, 'base64'));
    const emb = await readTensor(path, { names: ['embeddings', 'EMB', 'half'] });
    assert.deepEqual(emb, { data: Float32Array.from(m), shape: [2, 3], storage: 'float32' });
    const half = await readTensor(path, { names: ['half'], halves: 'keep' });
    assert.deepEqual(half, { data: Uint16Array.from(halves), shape: [2, 3], storage: 'float16' });
    const bias = await readTensor(path, { names: ['bias'], halves: 'keep' });
    assert.deepEqual(bias, { data: Float32Array.of(1, 2), shape: [2], storage: 'float32' });
    await assert.rejects(readTensor(path, { names: ['q', 'queries'] }), {
      code: 'DATA',
      message: /no tensor "q" or "queries"; expected the name of one of: bias F64 \[2\]; emb F32/,
    });
    await assert.rejects(readTensor(path), { code: 'DATA', message: /holds 3 tensors/ });
    await writeSafetensors(path, { only: { data: Float32Array.from(m), rows: 3, cols: 2 } });
    assert.deepEqual((await readTensor(path)).shape, [3, 2]);
  });

  it('refuses what it cannot read', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.npy');
    await assert.rejects(readTensor(path), { code: 'DATA', message: /cannot be opened/ });
    await assert.rejects(readTensor('t.parquet'), { code: 'UNSUPPORTED' });
    await writeNpy(path, { data: Float32Array.from(m), rows: 2, cols: 3 });
    const whole = await readFile(path);
    await writeFile(path, Buffer.from(whole.toString('latin1').replace('False,', 'True, '), 'latin1'));
    await assert.rejects(readTensor(path), { code: 'UNSUPPORTED', message: /Fortran order/ });
    await writeFile(path, whole.subarray(0, whole.length - 1));
    await assert.rejects(readTensor(path), { code: 'DATA', message: /cut off/ });
  });
});
