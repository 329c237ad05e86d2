import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeAvro, readAvro } from './avro.ts';
import { temporaryDirectory } from './temporary.ts';

// Written by fastavro 1.x: fastavro.writer(file, schema, records, codec=…, sync_marker=b'0123456789abcdef'), with the schemas of
// summary and debug reports of aggregation services, and the records that the tests below expect.
const golden = {
  plain:
    'T2JqAQQUYXZyby5jb2RlYwhudWxsFmF2cm8uc2NoZW1hggJ7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiQWdncmVnYXRlZEZhY3QiLCAiZmllbGRzIjogW3sibmFtZSI6ICJidWNrZXQiLCAidHlwZSI6ICJieXRlcyJ9LCB7Im5hbWUiOiAibWV0cmljIiwgInR5cGUiOiAibG9uZyJ9XX0AMDEyMzQ1Njc4OWFiY2RlZgZeBAVZiJsDIAABAgMEBQYHCAkKCwwNDg8NIP////////////////////+AgICAgEAwMTIzNDU2Nzg5YWJjZGVm',
  deflated:
    'T2JqAQQUYXZyby5jb2RlYw5kZWZsYXRlFmF2cm8uc2NoZW1hggJ7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiQWdncmVnYXRlZEZhY3QiLCAiZmllbGRzIjogW3sibmFtZSI6ICJidWNrZXQiLCAidHlwZSI6ICJieXRlcyJ9LCB7Im5hbWUiOiAibWV0cmljIiwgInR5cGUiOiAibG9uZyJ9XX0AMDEyMzQ1Njc4OWFiY2RlZgZIY2GN7JjNrMDAyMTMwsrGzsHJxc3Dy8fPq/AfDTSAgAMAS+QUMDEyMzQ1Njc4OWFiY2RlZg==',
  debug:
    'T2JqAQQUYXZyby5jb2RlYw5kZWZsYXRlFmF2cm8uc2NoZW1hgAV7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiRGVidWdBZ2dyZWdhdGVkRmFjdCIsICJmaWVsZHMiOiBbeyJuYW1lIjogImJ1Y2tldCIsICJ0eXBlIjogImJ5dGVzIn0sIHsibmFtZSI6ICJ1bm5vaXNlZF9tZXRyaWMiLCAidHlwZSI6ICJsb25nIn0sIHsibmFtZSI6ICJub2lzZSIsICJ0eXBlIjogImxvbmcifSwgeyJuYW1lIjogImFubm90YXRpb25zIiwgInR5cGUiOiB7InR5cGUiOiAiYXJyYXkiLCAiaXRlbXMiOiB7InR5cGUiOiAiZW51bSIsICJuYW1lIjogImJ1Y2tldF90YWdzIiwgInN5bWJvbHMiOiBbImluX2RvbWFpbiIsICJpbl9yZXBvcnRzIl19fX1dfQAwMTIzNDU2Nzg5YWJjZGVmBCxjYY1sYNo+g4mFiYGBiZGBgwEAHHgCMDEyMzQ1Njc4OWFiY2RlZg==',
};

async function readBytes(bytes: Uint8Array): Promise<unknown[]> {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'file.avro');
  await writeFile(path, bytes);
  // Records have a class of their own schema.
  return (await readAvro(path)).map((record) => ({ ...record }));
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64');

describe('readAvro', () => {
  it('reads what another implementation wrote, plain and deflated', async () => {
    const wanted = [
      { bucket: Buffer.from([5, 0x59]), metric: 26308 },
      { bucket: Buffer.from([...Array(16).keys()]), metric: -7 },
      { bucket: Buffer.alloc(16, 255), metric: 2 ** 40 },
    ];
    for (const text of [golden.plain, golden.deflated])
      assert.deepEqual(await readBytes(bytesOf(text)), wanted);
    assert.deepEqual(await readBytes(bytesOf(golden.debug)), [
      {
        bucket: Buffer.from([5, 0x59]),
        unnoised_metric: 128,
        noise: -17948,
        annotations: ['in_reports', 'in_domain'],
      },
      { bucket: Buffer.from([1]), unnoised_metric: 0, noise: 4, annotations: [] },
    ]);
  });

  it('reads what encodeAvro writes', async () => {
    const schema = { type: 'record', name: 'Row', fields: [{ name: 'b', type: 'bytes' }] } as const;
    const records = Array.from({ length: 3000 }, (_, i) => ({ b: Uint8Array.of(i & 255, i >> 8) }));
    const back = await readBytes(await encodeAvro(schema, records));
    assert.deepEqual(
      back,
      records.map(({ b }) => ({ b: Buffer.from(b) })),
    );
    await assert.rejects(encodeAvro(schema, [{ b: 'text' }]), { code: 'DATA' });
  });

  it('refuses damage with a DataError, wherever it is', async () => {
    const files = Object.values(golden).map(bytesOf);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        async (file, place, byte, cut) => {
          const at = Math.floor(place * file.length);
          const damaged = Buffer.from(cut ? file.subarray(0, at) : file);
          if (!cut) damaged[at] = byte;
          try {
            assert.ok(Array.isArray(await readBytes(damaged)));
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'DATA', String(error));
          }
        },
      ),
      { seed: 2, numRuns: 300 },
    );
  });
});
