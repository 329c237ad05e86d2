import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RowSource } from '../core/matrix.ts';
import { readEmbeddings } from './embeddings.ts';
import { writeNpy } from './npy.ts';
import { writeSafetensors } from './safetensors.ts';
import { temporaryDirectory } from './temporary.ts';
import { vecsSource } from './vecs.ts';
import { writeTable } from './write-table.ts';

const matrix = { data: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 3, cols: 2 };

async function valuesOf(source: RowSource): Promise<number[]> {
  const values: number[] = [];
  for await (const { points } of source.blocks(2)) values.push(...points.data);
  return values;
}

function vecs(kind: 'f' | 'i' | 'b'): Buffer {
  const rows = [0, 1, 2].map((i) => {
    const numbers = [...matrix.data.subarray(2 * i, 2 * i + 2)];
    const row = Buffer.alloc(4 + 2 * (kind === 'b' ? 1 : 4));
    row.writeInt32LE(2);
    for (const [j, x] of numbers.entries()) {
      if (kind === 'b') row.writeUInt8(x, 4 + j);
      else if (kind === 'i') row.writeInt32LE(x, 4 + 4 * j);
      else row.writeFloatLE(x, 4 + 4 * j);
    }
    return row;
  });
  return Buffer.concat(rows);
}

describe('readEmbeddings', () => {
  it('reads the same rows from every format', async () => {
    await using directory = await temporaryDirectory();
    const at = (name: string) => join(directory.path, name);
    const id = Int32Array.of(1, 2, 3);
    for (const name of ['m.parquet', 'm.jsonl', 'm.arrow']) await writeTable(at(name), { id, emb: matrix });
    await writeNpy(at('m.npy'), matrix);
    await writeSafetensors(at('m.safetensors'), { emb: matrix });
    for (const kind of ['f', 'i', 'b'] as const) await writeFile(at(`m.${kind}vecs`), vecs(kind));
    const names = ['parquet', 'jsonl', 'arrow', 'npy', 'safetensors', 'fvecs', 'ivecs', 'bvecs'];
    for (const name of names) {
      await using source = await readEmbeddings(at(`m.${name}`));
      assert.deepEqual([source.rows, source.cols], [3, 2], name);
      assert.deepEqual(await valuesOf(source), [...matrix.data], name);
    }
    for (const name of ['m.parquet', 'm.safetensors']) {
      await using source = await readEmbeddings(at(name), 'emb');
      assert.deepEqual(await valuesOf(source), [...matrix.data]);
    }
    await writeTable(at('wide.csv'), { id, a: Float64Array.of(1, 3, 5), b: Float64Array.of(2, 4, 6) });
    await using wide = await readEmbeddings(at('wide.csv'), ['a', 'b']);
    assert.deepEqual(await valuesOf(wide), [...matrix.data]);
    await assert.rejects(readEmbeddings(at('wide.csv')), {
      code: 'INVALID_ARGUMENT',
      message: /0 columns of vectors/,
    });
    await assert.rejects(readEmbeddings(at('m.npy'), 'emb'), {
      code: 'INVALID_ARGUMENT',
      message: /has no columns/,
    });
    await assert.rejects(readEmbeddings(at('m.txt')), { code: 'UNSUPPORTED' });
  });
});

describe('vecsSource', () => {
  it('says what is wrong with a file', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.fvecs');
    for (const bytes of [
      vecs('f').subarray(0, 30),
      Buffer.alloc(12),
      Buffer.from([255, 255, 255, 127, 0, 0]),
    ]) {
      await writeFile(path, bytes);
      await assert.rejects(vecsSource(path), { code: 'DATA', message: /damaged or cut off/ });
    }
    await writeFile(path, Buffer.from([1, 0]));
    await assert.rejects(vecsSource(path), { code: 'DATA', message: /ends at byte 2/ });
  });
});
