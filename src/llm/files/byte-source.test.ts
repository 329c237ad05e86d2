import assert from 'node:assert/strict';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { describeKernels, mapFile } from '../../kernels/index.ts';
import { type ByteSource, blobSource, bytesSource } from './byte-source.ts';
import { fileSource } from './file-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-bytes-'));
after(() => rmSync(folder, { recursive: true }));

const content = Uint8Array.from({ length: 70_001 }, (_, i) => (i * 7 + (i >> 8)) & 255);
const path = join(folder, 'bytes.bin');
writeFileSync(path, content);

const native = (await describeKernels()).backends.some(
  ({ backend, levels }) => backend === 'native' && levels.length > 0,
);
const withoutAddon = native ? false : 'there is no addon here';

const sources: Record<string, () => Promise<ByteSource>> = {
  'bytes in memory': async () => bytesSource(content, 'memory'),
  'a Blob': async () => blobSource(new Blob([content]), 'blob'),
  'a file that is read': () => fileSource(path, { access: 'read' }),
  'a file, mapped if possible': () => fileSource(path),
};

for (const [what, open] of Object.entries(sources)) {
  describe(what, () => {
    it('gives any part of itself', async () => {
      const source = await open();
      assert.equal(source.size, content.length);
      const part = fc
        .tuple(fc.nat(content.length), fc.nat(content.length))
        .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
      await fc.assert(
        fc.asyncProperty(part, async ([from, to]) => {
          assert.deepEqual(
            Buffer.from(await source.read(from, to - from)),
            Buffer.from(content.subarray(from, to)),
          );
        }),
        { seed: 1, numRuns: 40 },
      );
    });

    it('refuses what lies beyond its end, before it allocates', async () => {
      const source = await open();
      for (const [from, length] of [
        [content.length, 1],
        [0, content.length + 1],
        [2 ** 52, 1],
        [0, 2 ** 52],
        [-1, 1],
      ]) {
        await assert.rejects(source.read(from, length), {
          code: 'DATA',
          message: /has 70001 bytes; expected/,
        });
      }
    });

    it('stops when it is told to', async () => {
      const source = await open();
      const signal = AbortSignal.abort(new Error('enough'));
      await assert.rejects(source.read(0, 10, { signal }), { message: 'enough' });
    });
  });
}

describe('fileSource', () => {
  it('refuses what is no file, and an access that is none', async () => {
    await assert.rejects(fileSource(join(folder, 'none')), { code: 'DATA', message: /cannot be opened/ });
    await assert.rejects(fileSource(folder), { code: 'DATA', message: /is not a file/ });
    await assert.rejects(fileSource(path, { access: 'magic' as 'map' }), { code: 'INVALID_ARGUMENT' });
  });

  it('puts large parts together from pieces', async () => {
    const large = join(folder, 'large.bin');
    const length = 2 ** 25 + 5000;
    const file = openSync(large, 'w');
    ftruncateSync(file, length);
    const marks = [0, 2 ** 24 - 1, 2 ** 24, 2 ** 24 + 1, 2 ** 25, length - 1];
    for (const [i, at] of marks.entries()) writeSync(file, Uint8Array.of(i + 1), 0, 1, at);
    closeSync(file);
    const bytes = await (await fileSource(large, { access: 'read' })).read(0, length);
    for (const [i, at] of marks.entries()) assert.equal(bytes[at], i + 1, `byte ${at}`);
  });

  it('names a file that got shorter', async () => {
    const shrinking = join(folder, 'shrinking.bin');
    writeFileSync(shrinking, content);
    const source = await fileSource(shrinking, { access: 'read' });
    truncateSync(shrinking, 100);
    await assert.rejects(source.read(50, 100), { code: 'DATA', message: /shrinking\.bin ends at byte 100/ });
  });
});

describe('mapFile', { skip: withoutAddon }, () => {
  it('holds the bytes of the file, however many pages', () => {
    for (const length of [1, 4095, 4096, 4097, 70_001]) {
      const file = join(folder, `${length}.bin`);
      writeFileSync(file, content.subarray(0, length));
      assert.deepEqual(Buffer.from(mapFile(file)), Buffer.from(content.subarray(0, length)));
    }
  });

  it('keeps the file as it is when somebody writes, and its bytes when the file is removed', () => {
    const file = join(folder, 'kept.bin');
    writeFileSync(file, content);
    const [one, other] = [mapFile(file), mapFile(file)];
    one[5] ^= 255;
    assert.equal(other[5], content[5]);
    assert.equal(mapFile(file)[5], content[5]);
    rmSync(file);
    assert.deepEqual(Buffer.from(other), Buffer.from(content));
  });

  it('says why it cannot', () => {
    assert.throws(() => mapFile(join(folder, 'none')), {
      code: 'UNSUPPORTED',
      message: /mapFile: .*none cannot be mapped \(open: No such file/,
    });
    const empty = join(folder, 'empty.bin');
    writeFileSync(empty, '');
    assert.throws(() => mapFile(empty), { code: 'UNSUPPORTED', message: /\(mmap: / });
  });
});
