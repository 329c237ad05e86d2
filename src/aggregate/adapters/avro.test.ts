import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { attributionKeys, outputDomain, readSummaryReport } from './attribution.ts';
import { readAvro } from './avro.ts';

// Written by fastavro 1.x: fastavro.writer(file, schema, records, codec=…, sync_marker=b'0123456789abcdef'), with the schemas of
// summary and debug reports and the records that the tests below expect.
const golden = {
  plain:
    'T2JqAQQUYXZyby5jb2RlYwhudWxsFmF2cm8uc2NoZW1hggJ7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiQWdncmVnYXRlZEZhY3QiLCAiZmllbGRzIjogW3sibmFtZSI6ICJidWNrZXQiLCAidHlwZSI6ICJieXRlcyJ9LCB7Im5hbWUiOiAibWV0cmljIiwgInR5cGUiOiAibG9uZyJ9XX0AMDEyMzQ1Njc4OWFiY2RlZgZeBAVZiJsDIAABAgMEBQYHCAkKCwwNDg8NIP////////////////////+AgICAgEAwMTIzNDU2Nzg5YWJjZGVm',
  deflated:
    'T2JqAQQUYXZyby5jb2RlYw5kZWZsYXRlFmF2cm8uc2NoZW1hggJ7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiQWdncmVnYXRlZEZhY3QiLCAiZmllbGRzIjogW3sibmFtZSI6ICJidWNrZXQiLCAidHlwZSI6ICJieXRlcyJ9LCB7Im5hbWUiOiAibWV0cmljIiwgInR5cGUiOiAibG9uZyJ9XX0AMDEyMzQ1Njc4OWFiY2RlZgZIY2GN7JjNrMDAyMTMwsrGzsHJxc3Dy8fPq/AfDTSAgAMAS+QUMDEyMzQ1Njc4OWFiY2RlZg==',
  debug:
    'T2JqAQQUYXZyby5jb2RlYw5kZWZsYXRlFmF2cm8uc2NoZW1hgAV7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiRGVidWdBZ2dyZWdhdGVkRmFjdCIsICJmaWVsZHMiOiBbeyJuYW1lIjogImJ1Y2tldCIsICJ0eXBlIjogImJ5dGVzIn0sIHsibmFtZSI6ICJ1bm5vaXNlZF9tZXRyaWMiLCAidHlwZSI6ICJsb25nIn0sIHsibmFtZSI6ICJub2lzZSIsICJ0eXBlIjogImxvbmcifSwgeyJuYW1lIjogImFubm90YXRpb25zIiwgInR5cGUiOiB7InR5cGUiOiAiYXJyYXkiLCAiaXRlbXMiOiB7InR5cGUiOiAiZW51bSIsICJuYW1lIjogImJ1Y2tldF90YWdzIiwgInN5bWJvbHMiOiBbImluX2RvbWFpbiIsICJpbl9yZXBvcnRzIl19fX1dfQAwMTIzNDU2Nzg5YWJjZGVmBCxjYY1sYNo+g4mFiYGBiZGBgwEAHHgCMDEyMzQ1Njc4OWFiY2RlZg==',
};
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

describe('readAvro', () => {
  it('reads what another implementation wrote, plain and deflated', async () => {
    const wanted = [
      { bucket: '\u0005Y', metric: 26308 },
      { bucket: String.fromCharCode(...Array(16).keys()), metric: -7 },
      { bucket: '\u00ff'.repeat(16), metric: 2 ** 40 },
    ];
    for (const text of [golden.plain, golden.deflated])
      assert.deepEqual(await readAvro('test', bytesOf(text)), wanted);
    assert.deepEqual(await readAvro('test', bytesOf(golden.debug)), [
      { bucket: '\u0005Y', unnoised_metric: 128, noise: -17948, annotations: ['in_reports', 'in_domain'] },
      { bucket: '\u0001', unnoised_metric: 0, noise: 4, annotations: [] },
    ]);
  });

  it('refuses damage with a DataError, wherever it is, and never hangs or dies', async () => {
    const files = Object.values(golden).map(bytesOf);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        async (file, place, byte, cut) => {
          const at = Math.floor(place * file.length);
          const damaged = cut ? file.slice(0, at) : file.slice();
          if (!cut) damaged[at] = byte;
          try {
            assert.ok(Array.isArray(await readAvro('test', damaged)));
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'DATA', String(error));
          }
        },
      ),
      { seed: 2, numRuns: 1000 },
    );
  });
});

describe('readSummaryReport', () => {
  it('gives sums by key', async () => {
    const answers = await readSummaryReport(bytesOf(golden.deflated), { maxResponse: 65_536, epsilon: 1 });
    assert.deepEqual(
      [...answers].map(([key, { value }]) => [key, value]),
      [
        ['0x00000000000000000000000000000559', 26308],
        ['0x000102030405060708090a0b0c0d0e0f', -7],
        [`0x${'f'.repeat(32)}`, 2 ** 40],
      ],
    );
  });
});

describe('outputDomain', () => {
  it('is an Avro file of the keys as 16 bytes each', async () => {
    const keys = attributionKeys(300, { base: '0xff' });
    const records = await readAvro('test', outputDomain(keys));
    const hex = ({ bucket }: Record<string, unknown>) =>
      `0x${Array.from(bucket as string, (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('')}`;
    assert.deepEqual(records.map(hex), keys);
    assert.throws(() => outputDomain(['12']), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => outputDomain([]), { code: 'INVALID_ARGUMENT' });
  });
});
