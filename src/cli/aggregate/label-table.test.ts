import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { writeTable } from '../../data/index.ts';
import { readLabelTable } from './label-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-labels-'));
after(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();
const columns = { id: 'id', label: 'y' };

function csv(...lines: string[]): string {
  const path = join(folder, 'labels.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

describe('readLabelTable', () => {
  it('names by whole numbers or by text', async () => {
    const path = join(folder, 'labels.parquet');
    await writeTable(path, {
      id: BigInt64Array.of(7n, -3n, 9007199254740991n),
      name: ['a', 'Ünïcode "x"', '007'],
      y: Float64Array.of(1, 0.5, -2),
    });
    const numbers = await readLabelTable(path, columns, signal);
    assert.deepEqual(numbers, {
      ids: Float64Array.of(7, -3, 9007199254740991),
      labels: Float64Array.of(1, 0.5, -2),
    });
    const texts = await readLabelTable(path, { id: 'name', label: 'y', person: 'id' }, signal);
    assert.deepEqual(texts.ids, ['a', 'Ünïcode "x"', '007']);
    assert.deepEqual(texts.people, numbers.ids);
  });

  it('tells what is wrong by row, and no value', async () => {
    const secret = '31337';
    const cases: [lines: string[], message: RegExp][] = [
      [['id,y', '1,0', '1,1'], /names rows 0 and 1 alike/],
      [['id,y', `1,${secret}`, '2,'], /"y" .* is NULL at row 1/],
      [['id,y', '1,0', `2,NaN`, `3,${secret}`], /"y" is not finite at row 1/],
      [['id,y', '1,0', ',1'], /"id" of .* is NULL at row 1/],
      [['id,y', 'a,0', ',1'], /"id" is NULL at row 1/],
      [['id,y', '1.5,0', '2,1'], /"id" is no whole number .* at row 0/],
      [['id,y', '9007199254740993,0', '2,1'], /"id" is no whole number .* at row 0/],
      [['id,y', `${'x'.repeat(257)},0`, 'y,1'], /"id" has 257 characters at row 0/],
      [['id,z', '1,0'], /has no column "y"/],
      [['id,y', `1,${secret}`, '2,low'], /"y" .* VARCHAR; expected numbers/],
      [['id,y', ...Array(30_000).fill('1,0'), `1,${secret},7`], /cannot be read as a table/],
    ];
    for (const [lines, message] of cases) {
      await assert.rejects(readLabelTable(csv(...lines), columns, signal), (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes(secret));
        return (error as { code?: string }).code === 'DATA';
      });
    }
  });
});
