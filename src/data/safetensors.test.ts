import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RowSource } from '../core/matrix.ts';
import { listTensors, safetensorsSource, writeSafetensors } from './safetensors.ts';
import { temporaryDirectory } from './temporary.ts';

// Python, safetensors 0.6: save({'emb': m.astype('f4'), 'half': m.astype('f2'), 'bias': numpy.array([1., 2.])}, {'by': 'python'})
// with m = numpy.arange(6).reshape(2, 3) - 1.5
const GOLDEN =
  '0AAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJieSI6InB5dGhvbiJ9LCJiaWFzIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMCwxNl19LCJlbWIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzE2LDQwXX0sImhhbGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzQwLDUyXX19AAAAAAAA8D8AAAAAAAAAQAAAwL8AAAC/AAAAPwAAwD8AACBAAABgQAC+ALgAOAA+AEEAQw==';
const m = [-1.5, -0.5, 0.5, 1.5, 2.5, 3.5];

async function valuesOf(source: RowSource): Promise<number[]> {
  const values: number[] = [];
  for await (const { points } of source.blocks(1)) values.push(...points.data);
  return values;
}

function file(header: unknown, data = 0): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(data)]);
}

describe('safetensorsSource', () => {
  it('reads what Python wrote', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.safetensors');
    await writeFile(path, Buffer.from(GOLDEN, 'base64'));
    assert.deepEqual(
      (await listTensors(path)).map(({ name, dtype, shape }) => [name, dtype, shape]),
      [
        ['bias', 'F64', [2]],
        ['emb', 'F32', [2, 3]],
        ['half', 'F16', [2, 3]],
      ],
    );
    for (const name of ['emb', 'half'])
      assert.deepEqual(await valuesOf(await safetensorsSource(path, name)), m);
    const bias = await safetensorsSource(path, 'bias');
    assert.deepEqual([bias.rows, bias.cols, ...(await valuesOf(bias))], [2, 1, 1, 2]);
    const choose = {
      code: 'DATA',
      message: /2 matrices; expected the name of one of: bias F64 \[2\]; emb F32/,
    };
    await assert.rejects(safetensorsSource(path, undefined), choose);
    await assert.rejects(safetensorsSource(path, 'embedding'), {
      code: 'DATA',
      message: /no tensor "embedding"/,
    });
  });

  it('reads what writeSafetensors wrote, one matrix without its name', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.safetensors');
    const emb = { data: Float32Array.from(m), rows: 3, cols: 2 };
    await writeSafetensors(path, { 'naïve "name"': emb }, { metadata: { by: 'us' } });
    assert.deepEqual(await valuesOf(await safetensorsSource(path, undefined)), m);
    const bytes = await readFile(path);
    assert.equal(Number(bytes.readBigUInt64LE(0)) % 8, 0, 'numbers start at a multiple of 8');
    await writeSafetensors(path, { a: emb, b: { data: Float32Array.of(7), rows: 1, cols: 1 } });
    assert.deepEqual(await valuesOf(await safetensorsSource(path, 'b')), [7]);
    await assert.rejects(writeSafetensors(path, { __metadata__: emb }), { code: 'INVALID_ARGUMENT' });
    assert.deepEqual(await readdir(directory.path), ['m.safetensors']);
  });

  it('says what is wrong with a file', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.safetensors');
    const tensor = (shape: number[], from: number, to: number, dtype = 'F32') => ({
      t: { dtype, shape, data_offsets: [from, to] },
    });
    const huge = Buffer.alloc(64, 255);
    const cases: [Buffer, string, RegExp][] = [
      [Buffer.from('abc'), 'DATA', /has 3 bytes; its header announces 8/],
      [huge, 'DATA', /announces a header of 18446744073709552000 bytes; expected 2 to 100000000/],
      [file('{"t"').subarray(0, 10), 'DATA', /its header announces/],
      [file('{not json'), 'DATA', /no readable header/],
      [file({ t: { dtype: 'F32' } }), 'DATA', /no readable header/],
      [file(tensor([2, 3], 0, 24), 23), 'DATA', /cut off/],
      [file(tensor([2, 3], 0, 20), 24), 'DATA', /"t" \(F32, shape 2 × 3\) the bytes 0 to 20/],
      [file(tensor([2, 3], 24, 0), 24), 'DATA', /do not fit/],
      [file(tensor([2, 3], 0, 6, 'F8_E4M3'), 6), 'UNSUPPORTED', /type F8_E4M3; expected one of F16/],
    ];
    for (const [bytes, code, message] of cases) {
      await writeFile(path, bytes);
      await assert.rejects(safetensorsSource(path, 't'), { code, message });
    }
  });
});
