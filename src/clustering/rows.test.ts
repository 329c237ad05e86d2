import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Matrix32, matrixSource, type RowSource } from '../core/matrix.ts';
import { Rows } from './rows.ts';

const matrix: Matrix32 = { data: Float32Array.from({ length: 60 }, (_, i) => i + 1), rows: 20, cols: 3 };

function source(sizes: number[]): RowSource {
  return {
    rows: 20,
    cols: 3,
    async *blocks() {
      let start = 0;
      for (const size of sizes) {
        yield {
          start,
          points: { data: matrix.data.slice(3 * start, 3 * (start + size)), rows: size, cols: 3 },
        };
        start += size;
      }
    },
  };
}

async function collect(rows: Rows) {
  const tiles = [];
  for await (const { start, rows: count, data } of rows.tiles()) {
    tiles.push({ start, rows: count, data: data.slice(0, count * rows.cols) });
  }
  return tiles;
}

describe('Rows', () => {
  it('cuts a source into the tiles of a matrix, whatever its blocks', async () => {
    const composition = fc
      .array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 })
      .map((parts) => {
        const sizes: number[] = [];
        let left = 20;
        for (const part of [...parts, 20]) {
          if (left === 0) break;
          sizes.push(Math.min(part, left));
          left -= sizes[sizes.length - 1];
        }
        return sizes;
      });
    const property = fc.asyncProperty(
      composition,
      fc.integer({ min: 1, max: 25 }),
      fc.boolean(),
      async (sizes, tileRows, spherical) => {
        const expected = await collect(new Rows('test', matrix, { tileRows, spherical }));
        assert.deepEqual(await collect(new Rows('test', source(sizes), { tileRows, spherical })), expected);
        assert.equal(expected.length, Math.ceil(20 / tileRows));
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 200 });
  });

  it('takes rows in any order, repeated too, from memory or in one pass', async () => {
    const ids = [19, 0, 7, 7, 3];
    const expected = ids.flatMap((id) => [...matrix.data.slice(3 * id, 3 * id + 3)]);
    for (const points of [matrix, source([5, 15]), matrixSource(matrix)]) {
      const taken = await new Rows('test', points, { tileRows: 4 }).take(ids);
      assert.deepEqual([...taken.data], expected);
      assert.equal(taken.rows, 5);
    }
  });

  it('normalises without touching the matrix', async () => {
    const before = matrix.data.slice();
    const [tile] = await collect(new Rows('test', matrix, { spherical: true }));
    for (let i = 0; i < 20; i++) {
      const norm = Math.hypot(...tile.data.slice(3 * i, 3 * i + 3));
      assert.ok(Math.abs(norm - 1) < 2e-7, 'three roundings to float32');
    }
    assert.deepEqual(matrix.data, before);
  });

  it('reports blocks that overlap, skip or overflow', async () => {
    const wrong = (start: number, count: number): RowSource => ({
      rows: 20,
      cols: 3,
      async *blocks() {
        yield { start: 0, points: { data: new Float32Array(30), rows: 10, cols: 3 } };
        yield { start, points: { data: new Float32Array(3 * count), rows: count, cols: 3 } };
      },
    });
    for (const [start, count] of [
      [9, 11],
      [11, 9],
      [10, 11],
    ]) {
      await assert.rejects(collect(new Rows('test', wrong(start, count))), { code: 'DATA' });
    }
    await assert.rejects(collect(new Rows('test', source([19]))), { message: /ended after 19 rows/ });
  });
});
