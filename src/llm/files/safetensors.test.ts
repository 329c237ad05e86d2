import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ProvablyError } from '../../core/errors.ts';
import { bytesSource } from './byte-source.ts';
import { openSafetensors } from './safetensors.ts';
import { readTensorBytes } from './stored-tensor.ts';

function file(header: unknown, data: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
}
const open = (bytes: Uint8Array) => openSafetensors(bytesSource(bytes, 'w.safetensors'));
const data = Uint8Array.from({ length: 24 }, (_, i) => i);
const header = {
  __metadata__: { format: 'pt' },
  b: { dtype: 'BF16', shape: [2, 2], data_offsets: [12, 20] },
  a: { dtype: 'F32', shape: [3], data_offsets: [0, 12] },
  c: { dtype: 'F8_E4M3', shape: [4], data_offsets: [20, 24] },
};

describe('openSafetensors', () => {
  it('lists tensors in the order of their data, and reads them', async () => {
    const tensors = await open(file(header, data));
    assert.deepEqual(
      tensors.map(({ name, type, shape }) => [name, type, shape]),
      [
        ['a', 'F32', [3]],
        ['b', 'BF16', [2, 2]],
        ['c', 'F8_E4M3', [4]],
      ],
    );
    assert.deepEqual(await readTensorBytes(tensors[0]), data.subarray(0, 12));
    assert.deepEqual(await readTensorBytes(tensors[1]), data.subarray(12, 20));
    await assert.rejects(readTensorBytes(tensors[2]), {
      code: 'UNSUPPORTED',
      message: /"c" is stored as F8_E4M3/,
    });
  });

  it('refuses lengths that the file has not, before it allocates', async () => {
    const long = file(header, data);
    new DataView(long.buffer).setBigUint64(0, 90_000_000n, true);
    await assert.rejects(open(long), { code: 'DATA', message: /its header announces 90000008/ });
    new DataView(long.buffer).setBigUint64(0, 2n ** 63n, true);
    await assert.rejects(open(long), { code: 'DATA', message: /announces a header of/ });
    await assert.rejects(open(file(header, data.subarray(1))), { code: 'DATA', message: /It is cut off/ });
    const wrong = { a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 12] } };
    await assert.rejects(open(file(wrong, data)), { code: 'DATA', message: /these do not fit/ });
  });

  it('meets any damage with an error of ours', async () => {
    const whole = file(header, data);
    const flips = fc.array(fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(flips, fc.option(fc.nat(whole.length)), async (changes, cut) => {
        const bytes = whole.slice(0, cut ?? undefined);
        for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to;
        try {
          for (const tensor of await open(bytes)) await readTensorBytes(tensor);
        } catch (error) {
          assert.ok(error instanceof ProvablyError, String(error));
        }
      }),
      { seed: 4, numRuns: 2000 },
    );
  });
});
