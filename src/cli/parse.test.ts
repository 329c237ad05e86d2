import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as parse from './parse.ts';

/** Parser → accepted words with their values, and words it refuses. */
const cases: [(text: string) => unknown, [string, unknown][], string[]][] = [
  [
    parse.positiveInteger,
    [
      ['1', 1],
      ['1e3', 1000],
    ],
    ['0', '-1', '1.5', '', ' ', 'ten', '0x10', '1e300', 'Infinity'],
  ],
  [
    parse.positiveNumber,
    [
      ['.5', 0.5],
      ['2', 2],
    ],
    ['0', '-0.1', 'NaN', 'Infinity'],
  ],
  [
    parse.nonNegativeNumber,
    [
      ['0', 0],
      ['1.25', 1.25],
    ],
    ['-1', '1,5'],
  ],
  [
    parse.probability,
    [
      ['0.05', 0.05],
      ['5%', 0.05],
    ],
    ['0', '1', '100%', '5 percent'],
  ],
  [
    parse.share,
    [
      ['0', 0],
      ['1', 1],
      ['20%', 0.2],
    ],
    ['1.01', '101%', '-1%'],
  ],
  [
    parse.seedInteger,
    [
      ['0', 0],
      ['4294967295', 4294967295],
    ],
    ['4294967296', '-1', '1.5'],
  ],
  [
    parse.size,
    [
      ['500', { rows: 500 }],
      ['1%', { share: 0.01 }],
      ['100%', { share: 1 }],
    ],
    ['0', '0%', '101%', '0.5', '%'],
  ],
  [
    parse.autoOrPositiveInteger,
    [
      ['auto', 'auto'],
      ['3', 3],
    ],
    ['0', 'automatic'],
  ],
  [
    parse.count,
    [
      ['0', 0],
      ['12', 12],
    ],
    ['-1', '1.5', ''],
  ],
  [parse.positiveIntegers, [['5, 10', [5, 10]]], ['0', '1,', '1,x']],
  [
    parse.list,
    [
      ['a', ['a']],
      ['a, b', ['a', 'b']],
    ],
    ['', 'a,,b', 'a,'],
  ],
];

describe('parse', () => {
  for (const [parser, good, bad] of cases) {
    it(`${parser.name} takes what it names and nothing else`, () => {
      for (const [text, value] of good) assert.deepEqual(parser(text), value);
      for (const text of bad) {
        assert.throws(() => parser(text), { code: 'commander.invalidArgument', message: /^Expected / }, text);
      }
    });
  }

  it('sizeInRows rounds a share, and never to nothing', () => {
    assert.equal(parse.sizeInRows({ share: 0.01 }, 250), 3);
    assert.equal(parse.sizeInRows({ share: 0.01 }, 10), 1);
    assert.equal(parse.sizeInRows({ rows: 7 }, 3), 7);
  });
});
