import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type GgufToWrite, type GgufWritable, writeGguf } from '../../../test/gguf-writer.ts';
import { ProvablyError } from '../../core/errors.ts';
import { WEIGHT_FORMATS, type WeightFormat, weightBytes } from '../../kernels/index.ts';
import { type ByteSource, bytesSource } from './byte-source.ts';
import { openGguf } from './gguf.ts';
import type { GgufValue } from './gguf-metadata.ts';
import { readTensorBytes } from './stored-tensor.ts';
import { StringList } from './string-list.ts';

const open = (bytes: Uint8Array) => openGguf(bytesSource(bytes, 'model.gguf'));

/** What was written, in the reader's form, as plain values that compare. */
function plain(value: GgufValue): unknown {
  if (value instanceof StringList) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, comparable);
  return comparable(value);
}

function comparable(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? Number(value)
    : value;
}

function written(value: unknown): unknown {
  return Array.isArray(value) ? value.map(written) : comparable(value);
}

const scalars: Record<string, fc.Arbitrary<number | bigint | boolean | string>> = {
  uint8: fc.integer({ min: 0, max: 255 }),
  int8: fc.integer({ min: -128, max: 127 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  float32: fc.float({ noNaN: true }).map((x) => x + 0),
  bool: fc.boolean(),
  string: fc.string({ unit: 'grapheme' }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double({ noNaN: true }).map((x) => x + 0),
};
const typed = fc.oneof(
  ...Object.entries(scalars).flatMap(([type, values]) => [
    values.map((value) => ({ type, value }) as GgufWritable),
    fc.array(values, { maxLength: 5 }).map((value): GgufWritable => ({ type: 'array', of: type, value })),
    fc
      .array(fc.array(values, { maxLength: 3 }), { maxLength: 3 })
      .map((value): GgufWritable => ({ type: 'array', of: `array:${type}`, value: value })),
  ]),
);
const tensor = fc
  .record({
    format: fc.constantFrom(...(Object.keys(WEIGHT_FORMATS) as WeightFormat[])),
    rows: fc.integer({ min: 0, max: 3 }),
    blocks: fc.integer({ min: 0, max: 2 }),
    fill: fc.nat(255),
  })
  .map(({ format, rows, blocks, fill }) => {
    const shape = [rows, blocks * WEIGHT_FORMATS[format].entries];
    return { type: format, shape, bytes: new Uint8Array(weightBytes(format, shape[0], shape[1])).fill(fill) };
  });
const file = fc.record({
  version: fc.constantFrom(2, 3),
  alignment: fc.constantFrom(32, 8, 64, 4096),
  metadata: fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), typed, { maxKeys: 6 }),
  tensors: fc
    .array(tensor, { maxLength: 4 })
    .map((all) => all.map((item, i) => ({ ...item, name: `tensor ${i}` }))),
});

describe('openGguf', () => {
  it('brings back whatever was written, from a file that is handed out in small pieces too', async () => {
    await fc.assert(
      fc.asyncProperty(file, async (made) => {
        const bytes = writeGguf(made);
        const { version, alignment, metadata, tensors } = await open(bytes);
        assert.equal(version, made.version);
        assert.equal(alignment, made.alignment);
        for (const [key, { value }] of Object.entries(made.metadata)) {
          assert.deepEqual(plain(metadata.get(key) as GgufValue), written(value), key);
        }
        assert.equal(metadata.size, Object.keys(made.metadata).length + Number(alignment !== 32));
        assert.equal(tensors.length, made.tensors.length);
        for (const [i, stored] of tensors.entries()) {
          const { name, type, shape, bytes: content } = made.tensors[i];
          assert.deepEqual(
            { ...stored, source: 0 },
            { ...{ name, type, shape, bytes: content.length }, source: 0, offset: stored.offset },
          );
          assert.equal(stored.offset % alignment, 0);
          assert.deepEqual(await readTensorBytes(stored), content);
        }
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  it('keeps large integers as they are, and small ones as numbers', async () => {
    const { metadata } = await open(
      writeGguf({
        metadata: {
          large: { type: 'uint64', value: 2n ** 64n - 1n },
          small: { type: 'int64', value: -7n },
          flag: { type: 'bool', value: true },
        },
      }),
    );
    assert.deepEqual(
      [...metadata],
      [
        ['large', 2n ** 64n - 1n],
        ['small', -7],
        ['flag', true],
      ],
    );
  });

  it('keeps U+FEFF where it begins a text: it is a token of Llama 2', async () => {
    const texts = ['\uFEFF', 'a', '\uFEFFb'];
    const { metadata } = await open(
      writeGguf({
        metadata: {
          list: { type: 'array', of: 'string', value: texts },
          '\uFEFFname': { type: 'string', value: '\uFEFFvalue' },
        },
      }),
    );
    assert.deepEqual(plain(metadata.get('list') as GgufValue), texts);
    assert.equal(metadata.get('\uFEFFname'), '\uFEFFvalue');
  });

  it('asks for more of a header than it read at first', async () => {
    const tokens = Array.from({ length: 20_000 }, (_, i) => `${i} `.repeat(100));
    const bytes = writeGguf({
      metadata: {
        tokens: { type: 'array', of: 'string', value: tokens },
        after: { type: 'uint8', value: 9 },
      },
      tensors: [{ name: 'w', type: 'F32', shape: [1], bytes: new Uint8Array(4).fill(3) }],
    });
    const reads: number[] = [];
    const inner = bytesSource(bytes, 'large.gguf');
    const source: ByteSource = {
      ...inner,
      read(offset, length) {
        reads.push(length);
        return inner.read(offset, length);
      },
    };
    const { metadata, tensors } = await openGguf(source);
    assert.deepEqual(reads, [2 ** 23, bytes.length]);
    const list = metadata.get('tokens');
    assert.ok(list instanceof StringList);
    assert.equal(list.length, tokens.length);
    for (const i of [0, 1, 12_345, 19_999]) assert.equal(list.at(i), tokens[i]);
    assert.throws(() => list.at(20_000), { code: 'INVALID_ARGUMENT' });
    assert.equal(metadata.get('after'), 9);
    assert.deepEqual(await readTensorBytes(tensors[0]), new Uint8Array(4).fill(3));
  });

  it('gives up on a source that hands out less than it has', async () => {
    const inner = bytesSource(
      writeGguf({ metadata: { a: { type: 'string', value: 'text' } } }),
      'short.gguf',
    );
    const source: ByteSource = { ...inner, read: (offset, length) => inner.read(offset, length - 9) };
    await assert.rejects(openGguf(source), {
      code: 'DATA',
      message: /short\.gguf gave \d+ bytes, and its header goes on/,
    });
  });

  it('refuses a file whose last byte is missing', async () => {
    const whole = writeGguf({ tensors: [{ name: 'w', type: 'F32', shape: [3], bytes: new Uint8Array(12) }] });
    await open(whole);
    await assert.rejects(open(whole.subarray(0, -1)), { code: 'DATA', message: /tensor "w" ends at/ });
  });

  it('refuses other versions and byte orders by name', async () => {
    await assert.rejects(open(writeGguf({ version: 1 })), {
      code: 'UNSUPPORTED',
      message: /version 1; expected 2 or 3/,
    });
    await assert.rejects(open(writeGguf({ version: 0x03000000 })), {
      code: 'UNSUPPORTED',
      message: /is big-endian/,
    });
    await assert.rejects(open(new TextEncoder().encode('GGML and more')), {
      code: 'DATA',
      message: /begin with "GGUF"/,
    });
    for (const length of [0, 3, 7, 20]) {
      await assert.rejects(open(writeGguf({}).subarray(0, length)), { code: 'DATA', message: /ends within/ });
    }
  });

  it('names what does not fit', async () => {
    const weights = (more: object) => [
      { ...{ name: 'w', type: 'Q4_0', shape: [2, 32], bytes: new Uint8Array(36) }, ...more },
    ];
    const cases: [GgufToWrite, RegExp][] = [
      [
        { tensors: weights({ shape: [2, 33] }) },
        /tensor "w" of shape \(2, 33\) as Q4_0; expected rows of a multiple of 32/,
      ],
      [{ tensors: weights({ shape: [3, 32] }) }, /has \d+ bytes; tensor "w" ends at \d+/],
      [{ tensors: [...weights({}), ...weights({})] }, /lists the tensor "w" twice/],
      [{ tensors: weights({ shape: [1, 1, 1, 2, 32] }) }, /gives tensor "w" 5 axes; expected 1 to 4/],
      [{ tensors: weights({ shape: [2 ** 40, 2 ** 40] }) }, /gives tensor "w" the shape/],
      [{ alignment: 24 }, /alignment 24; expected a power of two/],
      [
        {
          metadata: {
            x: { type: 'array', of: 'array:array:array:array:uint8', value: [[[[[1]]]]] },
          },
        },
        /nests 1 lists in "x", 4 deep/,
      ],
    ];
    const off = { 'general.alignment': { type: 'uint32', value: 64 } } as const;
    const two = ['v', 'w'].map((name) => ({ name, type: 'F32', shape: [5], bytes: new Uint8Array(20) }));
    cases.push([{ metadata: off, tensors: two }, /places tensor "w" at 32; expected a multiple of 64/]);
    for (const [made, message] of cases)
      await assert.rejects(open(writeGguf(made)), { code: 'DATA', message });
  });

  it('refuses a value named twice, a type of value that is none, and a truth that is neither', async () => {
    const flag = { type: 'bool', value: true } as const;
    const bytes = writeGguf({ metadata: { a: flag, b: flag } });
    // Magic, version, two counts; then length, name, type and value of each.
    const [second, length] = [24 + 14, 8];
    const damage = async (at: number, to: number, message: RegExp) => {
      const damaged = bytes.slice();
      damaged[at] = to;
      await assert.rejects(open(damaged), { code: 'DATA', message });
    };
    await damage(second + length, 97, /names the value "a" twice/);
    await damage(second + length + 1, 13, /gives the value "b" type 13; expected 0 to 12/);
    await damage(second + length + 5, 2, /has 2 as a truth value in "b"/);
  });

  it('refuses a type that is not computed with only when the tensor is read', async () => {
    const bytes = writeGguf({
      tensors: [
        { name: 'odd', type: 'IQ2_XS', shape: [1, 256], bytes: new Uint8Array(74) },
        { name: 'new', type: 99, shape: [5], bytes: new Uint8Array(5) },
        { name: 'good', type: 'F32', shape: [1, 2], bytes: new Uint8Array(8) },
      ],
    });
    const { tensors } = await open(bytes);
    await assert.rejects(readTensorBytes(tensors[0]), {
      code: 'UNSUPPORTED',
      message: /model\.gguf: tensor "odd" is stored as IQ2_XS; expected one of F32, F16/,
    });
    await assert.rejects(readTensorBytes(tensors[1]), {
      code: 'UNSUPPORTED',
      message: /"new" is stored as type 99/,
    });
    assert.equal((await readTensorBytes(tensors[2])).length, 8);
  });

  it('allocates nothing for what is only announced', async () => {
    // Counts of 2⁶² everywhere a count stands; each must be refused at once.
    const bytes = writeGguf({ metadata: { list: { type: 'array', of: 'string', value: ['a', 'b'] } } });
    const view = new DataView(bytes.buffer);
    const positions = [8, 16, 24, 24 + 8 + 4 + 4 + 4, 24 + 8 + 4 + 4 + 4 + 8];
    for (const at of positions) {
      const kept = view.getBigUint64(at, true);
      view.setBigUint64(at, 2n ** 62n, true);
      await assert.rejects(open(bytes), {
        code: 'DATA',
        message: /announces 4611686018427388000 .*, but only \d+ bytes follow/,
      });
      view.setBigUint64(at, kept, true);
    }
    await open(bytes);
  });

  it('makes no millions of objects of what is empty', async () => {
    const lists = (count: number) =>
      ({ type: 'array', of: 'array:uint8', value: Array(count).fill([]) }) as const;
    await open(writeGguf({ metadata: { a: lists(30_000), b: lists(35_536) } }));
    await assert.rejects(open(writeGguf({ metadata: { a: lists(30_000), b: lists(35_537) } })), {
      code: 'DATA',
      message: /nests 35537 lists in "b", 1 deep; expected ≤ 65536 in the file/,
    });
    const bytes = writeGguf({});
    for (const [at, what] of [
      [8, 'tensors'],
      [16, 'values'],
    ] as const) {
      const many = new Uint8Array(2 ** 23);
      many.set(bytes);
      new DataView(many.buffer).setUint32(at, 200_000, true);
      await assert.rejects(open(many), {
        code: 'DATA',
        message: new RegExp(`announces 200000 ${what}; expected ≤`),
      });
    }
  });

  it('meets any damage with an error of ours, in bounded time and memory', async () => {
    const tokens = Array.from({ length: 300 }, (_, i) => `t${i}`);
    const bytes = writeGguf({
      metadata: {
        'general.architecture': { type: 'string', value: 'llama' },
        tokens: { type: 'array', of: 'string', value: tokens },
        scores: { type: 'array', of: 'float32', value: tokens.map((_, i) => i) },
        nested: { type: 'array', of: 'array:int32', value: [[1, 2], [3]] },
      },
      tensors: ['a', 'b', 'c'].map((name) => ({
        name,
        type: 'Q8_0',
        shape: [4, 64],
        bytes: new Uint8Array(272),
      })),
    });
    const flips = fc.array(fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) }), { maxLength: 6 });
    let refused = 0;
    const before = process.memoryUsage().rss;
    await fc.assert(
      fc.asyncProperty(flips, fc.nat(bytes.length), fc.boolean(), async (changes, cut, cutIt) => {
        const damaged = bytes.slice(0, cutIt ? cut : undefined);
        for (const { at, to } of changes) if (at < damaged.length) damaged[at] = to;
        const started = performance.now();
        try {
          const { metadata, tensors } = await open(damaged);
          for (const value of metadata.values()) plain(value);
          for (const item of tensors) await readTensorBytes(item);
        } catch (error) {
          refused++;
          assert.ok(error instanceof ProvablyError, String(error));
        }
        assert.ok(performance.now() - started < 1000);
      }),
      { seed: 2, numRuns: 3000 },
    );
    assert.ok(refused > 1000, `${refused} of 3000 were refused`);
    assert.ok(process.memoryUsage().rss - before < 2 ** 28, 'memory stays bounded');
  });
});
