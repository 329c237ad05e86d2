import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { type Bags, bagMeans, bagSize, bagsFromLists } from '../bags/bags.ts';
import {
  attributionKeys,
  contributionFactor,
  outputDomain,
  parseSummaryReport,
  summaryReportAnswers,
  toContribution,
} from './attribution.ts';
import { joinAnswers, type KeyedAnswer } from './keyed-answers.ts';
import { conversionValue, parseSkanPostbacks, skanSourceIdentifiers, skanSteps } from './skan.ts';
import { answerTable, tableAnswers } from './table-answers.ts';

const bags = bagsFromLists([[0, 1, 2], [4, 3], [5]], 7);
const answersOf = (entries: Record<string, Partial<KeyedAnswer>>) =>
  new Map(
    Object.entries(entries).map(([key, answer]) => [
      key,
      { responses: 'mean', value: 0, ...answer } as KeyedAnswer,
    ]),
  );

describe('joinAnswers', () => {
  it('finds answers by key, in any order, and divides sums by counts or sizes', () => {
    const joined = joinAnswers(
      bags,
      ['a', 'b', 'c'],
      answersOf({
        c: { value: 7 },
        x: { value: 9 },
        b: { responses: 'sum', value: 5, noiseVariance: 8 },
        a: { responses: 'sum', value: 6, count: 3, noiseVariance: 9 },
      }),
    );
    assert.deepEqual(joined.means, Float64Array.of(2, 2.5, 7));
    assert.deepEqual(joined.noiseVariance, Float64Array.of(1, 2, 0));
    assert.deepEqual([joined.bags, joined.dropped, joined.unused], [bags, [], ['x']]);
    assert.ok(!('noiseVariance' in joinAnswers(bags, ['a', 'b', 'c'], answersOf({ a: {}, b: {}, c: {} }))));
  });

  it('names the key that has no answer, another count, or two bags', () => {
    const complete = answersOf({ a: {}, b: {}, c: {} });
    const cases: [() => unknown, string, RegExp][] = [
      [
        () => joinAnswers(bags, ['a', 'b', 'z'], complete),
        'DATA',
        /no answer for key "z" \(bag 2, 1 samples/,
      ],
      [() => joinAnswers(bags, ['a', 'b', 'a'], complete), 'INVALID_ARGUMENT', /"a" names bags 0 and 2/],
      [() => joinAnswers(bags, ['a', '', 'c'], complete), 'INVALID_ARGUMENT', /key of bag 1 is empty/],
      [() => joinAnswers(bags, ['a', 'b'], complete), 'SHAPE', /2 keys for 3 bags/],
      [
        () => joinAnswers(bags, ['a', 'b', 'c'], answersOf({ a: {}, b: { count: 3 }, c: {} })),
        'DATA',
        /key "b" was answered for 3 samples, its bag has 2/,
      ],
      [
        () => joinAnswers(bags, ['p', 'q', 'r'], complete, { missing: 'drop' }),
        'DATA',
        /none of the 3 bags has an answer; expected keys such as "p", got "a", "b", "c"/,
      ],
    ];
    for (const [call, code, message] of cases) assert.throws(call, { code, message });
  });

  it('leaves bags without an answer out, and takes other counts, when told to', () => {
    const joined = joinAnswers(
      bags,
      ['a', 'b', 'c'],
      answersOf({ a: { responses: 'sum', value: 4, count: 2 }, c: { value: 1 } }),
      { missing: 'drop', counts: 'ignore' },
    );
    assert.deepEqual(joined.bags, {
      samples: 7,
      members: Uint32Array.of(0, 1, 2, 5),
      offsets: Uint32Array.of(0, 3, 4),
    });
    assert.deepEqual(joined.means, Float64Array.of(2, 1));
    assert.deepEqual(joined.dropped, ['b']);
  });
});

describe('tableAnswers', () => {
  it('reads back what answerTable writes, as means and as sums', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('mean' as const, 'sum' as const),
        fc.nat(),
        (sizes, responses, seed) => {
          const rng = createRng(seed);
          let next = 0;
          const lists = sizes.map((size) => Array.from({ length: size }, () => next++));
          const some = bagsFromLists(lists, next);
          const keys = sizes.map((_, a) => `area ${a}`);
          const answers = {
            means: Float64Array.from(sizes, () => rng.normal()),
            noiseVariance: Float64Array.from(sizes, () => rng.next()),
          };
          const table = answerTable(some, keys, answers, { responses });
          const joined = joinAnswers(some, keys, tableAnswers(table, { responses }));
          const close = (a: Float64Array, b: Float64Array) =>
            a.every((value, i) => Math.abs(value - b[i]) <= 1e-15 * Math.abs(b[i]) * 4);
          assert.ok(close(joined.means, answers.means));
          assert.ok(close(joined.noiseVariance as Float64Array, answers.noiseVariance));
        },
      ),
      { seed: 1, numRuns: 50 },
    );
  });

  it('writes sums of the bag and their variance', () => {
    const table = answerTable(
      bags,
      ['a', 'b', 'c'],
      { means: Float64Array.of(1, 2, 3), noiseVariance: Float64Array.of(1, 1, 1) },
      { responses: 'sum' },
    );
    assert.deepEqual(table, {
      key: ['a', 'b', 'c'],
      count: Uint32Array.of(3, 2, 1),
      value: Float64Array.of(3, 4, 3),
      noiseVariance: Float64Array.of(9, 4, 1),
    });
  });

  it('refuses proportions that are none, unless noise was added', () => {
    const columns = { key: [10, 11], value: [0.5, 1.2] };
    assert.throws(() => tableAnswers(columns, { responses: 'proportion' }), {
      code: 'DATA',
      message: /proportion of key "11" is 1.2/,
    });
    const noisy = tableAnswers(columns, { responses: 'proportion', noisy: true });
    assert.equal(noisy.get('11')?.value, 1.2);
    assert.ok(tableAnswers({ ...columns, noiseVariance: [0.1, 0.1] }, { responses: 'proportion' }));
    assert.ok(tableAnswers(columns, { responses: 'mean' }));
  });

  it('names the key of what is wrong', () => {
    const options = { responses: 'mean' } as const;
    const cases: [Parameters<typeof tableAnswers>[0], string, RegExp][] = [
      [{ key: ['n1', 'n1'], value: [1, 2] }, 'DATA', /key "n1" is answered twice/],
      [{ key: ['n1'], value: [Number.NaN] }, 'DATA', /value of key "n1" is NaN/],
      [{ key: ['n1'], value: [1], count: [0] }, 'DATA', /count of key "n1" is 0/],
      [{ key: ['n1'], value: [1], noiseVariance: [-1] }, 'DATA', /noise variance of key "n1" is -1/],
      [{ key: ['n1', 'n2'], value: [1] }, 'SHAPE', /value has length 1; expected 2/],
    ];
    for (const [columns, code, message] of cases)
      assert.throws(() => tableAnswers(columns, options), { code, message });
    assert.throws(() => tableAnswers({ key: [], value: [] }, { responses: 'total' as 'sum' }), {
      message: /expected one of mean, sum, proportion/,
    });
  });
});

describe('attribution summary reports', () => {
  const scale = { maxResponse: 10 };

  it('brings sums of contributions back to means of responses', () => {
    const rng = createRng(3);
    const responses = Float64Array.from({ length: 7 }, () => 10 * rng.next());
    const keys = attributionKeys(3, { base: '0xabc00000000000000000000' });
    assert.deepEqual(keys.slice(0, 2), [
      '0x000000000abc00000000000000000000',
      '0x000000000abc00000000000000000001',
    ]);
    const report = keys.map((bucket, a) => {
      let metric = 0;
      for (let i = bags.offsets[a]; i < bags.offsets[a + 1]; i++)
        metric += toContribution(responses[bags.members[i]], scale);
      return { bucket, metric };
    });
    const answers = parseSummaryReport(JSON.stringify(report), { ...scale, epsilon: 10 });
    const joined = joinAnswers(bags, keys, answers);
    const exact = bagMeans(responses, bags);
    // Each contribution is rounded by at most half a unit of the histogram.
    for (let a = 0; a < 3; a++)
      assert.ok(Math.abs(joined.means[a] - exact[a]) <= 0.5 / contributionFactor(scale) + 1e-12);
    // sd of the sum is √2 · 65536 / ε units, up to the rounding to integers (relative 1/(12 scale²)).
    for (let a = 0; a < 3; a++) {
      const wanted = (Math.SQRT2 * 6553.6) / contributionFactor(scale) / bagSize(bags, a);
      assert.ok(Math.abs(Math.sqrt(joined.noiseVariance?.[a] as number) / wanted - 1) < 1e-8);
    }
  });

  it('reads buckets as hexadecimal digits and as bytes, lists and lines, plain and debug reports', () => {
    const key = '0x00000000000000000000000000000559';
    const options = { ...scale, epsilon: Infinity };
    for (const bucket of ['0x559', key, key.slice(2), '\u0005Y', `${'\0'.repeat(14)}\u0005Y`]) {
      for (const text of [
        JSON.stringify([{ bucket, metric: 26308 }]),
        JSON.stringify({ bucket, metric: 26308 }),
      ]) {
        const answer = parseSummaryReport(text, options).get(key);
        assert.deepEqual(answer, {
          responses: 'sum',
          value: 26308 / contributionFactor(scale),
          noiseVariance: 0,
        });
      }
    }
    const debug =
      '{"bucket":"0x1","unnoised_metric":128,"noise":-17948}\n{"bucket":"0x2","unnoised_metric":0,"noise":4}\n';
    const values = (unnoised: boolean) =>
      [...parseSummaryReport(debug, { maxResponse: 65_536, epsilon: 1, unnoised }).values()].map(
        ({ value, noiseVariance }) => [value, noiseVariance === 0],
      );
    assert.deepEqual(values(false), [
      [-17820, false],
      [4, false],
    ]);
    assert.deepEqual(values(true), [
      [128, true],
      [0, true],
    ]);
  });

  it('refuses what is no report, with its place', () => {
    const options = { ...scale, epsilon: 1 };
    const cases: [string, RegExp][] = [
      ['', /empty/],
      ['[1]', /record 0 is 1/],
      ['{"bucket":"0x1","metric":1}\nnonsense', /line 2 is no JSON/],
      ['{"bucket":"0xg1","metric":1.5}', /metric of key .* is 1.5/],
      ['{"bucket":12,"metric":1}', /bucket of record 0 is 12/],
      [`{"bucket":"${'f'.repeat(33)}","metric":1}`, /bucket of record 0/],
      ['[{"bucket":"0x1","metric":1},{"bucket":"0x01","metric":1}]', /answered twice/],
      ['{"bucket":"0x1"}', /metric of key "0x0+1" is undefined/],
    ];
    for (const [text, message] of cases)
      assert.throws(() => parseSummaryReport(text, options), { code: 'DATA', message });
    assert.throws(() => parseSummaryReport('{}', { ...scale, epsilon: 0 }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => parseSummaryReport('{}', { ...scale, epsilon: 1, share: 2 }), {
      message: /share is 2/,
    });
  });

  it('never contributes more than the share of the budget, and clips nothing in silence', () => {
    const shared = { maxResponse: 3, share: 0.5 };
    assert.equal(toContribution(3, shared), 32_768);
    assert.equal(toContribution(1.5, shared), 16_384);
    assert.equal(contributionFactor(shared), 32_768 / 3);
    assert.equal(toContribution(3, { maxResponse: 3, budget: 101, share: 0.5 }), 50);
    assert.equal(toContribution(0, shared), 0);
    for (const response of [-0.1, 3.1, Number.NaN])
      assert.throws(() => toContribution(response, shared), { code: 'INVALID_ARGUMENT' });
  });

  it('lists keys for the aggregation job, which its report brings back', () => {
    const keys = attributionKeys(300, { base: '0xff' });
    const { records } = outputDomain(keys);
    assert.deepEqual(records[1], { bucket: Uint8Array.of(...Array(14).fill(0), 1, 0) });
    const report = records.map((record) => ({ ...record, metric: 1 }));
    assert.deepEqual([...summaryReportAnswers(report, { ...scale, epsilon: 1 }).keys()], keys);
    assert.throws(() => outputDomain(['12']), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => outputDomain([]), { code: 'INVALID_ARGUMENT' });
  });

  it('keeps keys within 128 bits', () => {
    const last = `0x${'f'.repeat(32)}`;
    assert.deepEqual(attributionKeys(1, { base: last }), [last]);
    assert.throws(() => attributionKeys(2, { base: last }), { message: /no room for 2 keys/ });
    assert.throws(() => attributionKeys(1, { base: 'ff' }), { message: /base is "ff"/ });
  });
});

describe('SKAdNetwork postbacks', () => {
  const fine = skanSteps(63);
  const coarse = { low: 1, medium: 10, high: 40 };
  const postback = (fields: object) => ({ version: '4.0', 'did-win': true, ...fields });
  const parse = (postbacks: object[], options = {}) =>
    parseSkanPostbacks(JSON.stringify(postbacks), { values: { fine, coarse }, ...options });

  it('averages fine and coarse values by the digits of the source that were told', () => {
    const postbacks = [
      postback({ 'source-identifier': '5239', 'conversion-value': 20, 'transaction-id': 'a' }),
      postback({ 'source-identifier': '39', 'coarse-conversion-value': 'high', 'transaction-id': 'b' }),
      postback({ 'source-identifier': '140', 'conversion-value': 7 }),
      postback({ 'source-identifier': '39' }),
      postback({ 'source-identifier': '5239', 'conversion-value': 20, 'transaction-id': 'a' }),
      postback({ 'source-identifier': '39', 'did-win': false, 'conversion-value': 63 }),
      postback({ 'source-identifier': '39', 'postback-sequence-index': 1, 'coarse-conversion-value': 'low' }),
      postback({ 'conversion-value': 3 }),
    ];
    const two = parse(postbacks);
    assert.deepEqual(
      [...two.answers],
      [
        ['39', { responses: 'mean', value: 30, count: 2 }],
        ['40', { responses: 'mean', value: 7, count: 1 }],
      ],
    );
    assert.deepEqual(
      [...two.suppressed],
      [
        ['39', 1],
        ['', 1],
      ],
    );
    assert.deepEqual([two.repeated, two.skipped], [1, 2]);
    const four = parse(postbacks, { sourceDigits: 4 });
    assert.deepEqual([...four.answers.keys()], ['5239']);
    assert.equal(four.suppressed.get(''), 4);
    const later = parse(postbacks, { sequence: 1 });
    assert.deepEqual([...later.answers], [['39', { responses: 'mean', value: 1, count: 1 }]]);
    const own = parse(postbacks, { key: () => 'all' });
    assert.equal(own.answers.get('all')?.count, 4);
  });

  it('reads version 3 by its campaign, and counts coarse values as suppressed without a table', () => {
    const old = { version: '3.0', 'campaign-id': 7, 'conversion-value': 12 };
    assert.equal(parse([old]).answers.get('7')?.value, 12);
    const { answers, suppressed } = parse(
      [postback({ 'source-identifier': '39', 'coarse-conversion-value': 'low' })],
      { values: { fine } },
    );
    assert.deepEqual([answers.size, suppressed.get('39')], [0, 1]);
  });

  it('refuses values that cannot be', () => {
    const cases: [object, RegExp][] = [
      [postback({ 'source-identifier': '39', 'conversion-value': 64 }), /conversion-value is 64/],
      [postback({ 'source-identifier': '39', 'coarse-conversion-value': 'huge' }), /is "huge"/],
      [postback({ 'source-identifier': 'abc', 'conversion-value': 1 }), /source-identifier is "abc"/],
      [{ 'campaign-id': 3 }, /has no version/],
    ];
    for (const [record, message] of cases) assert.throws(() => parse([record]), { code: 'DATA', message });
    assert.throws(() => parse([], { values: { fine: [1, 2] } }), { message: /2 entries; expected 64/ });
    assert.throws(() => parse([], { values: { fine, coarse: { ...coarse, high: Number.NaN } } }), {
      message: /coarse.high/,
    });
  });

  it('gives bags identifiers, and responses the nearest value', () => {
    assert.deepEqual(skanSourceIdentifiers(3), ['00', '01', '02']);
    assert.deepEqual(skanSourceIdentifiers(101, { digits: 3 }).at(-1), '100');
    assert.throws(() => skanSourceIdentifiers(101), { message: /expected an integer in \[1, 100\]/ });
    const steps = skanSteps(126);
    assert.deepEqual(
      [0, 1, 1.1, 125, 500, -3].map((response) => conversionValue(response, steps)),
      [0, 0, 1, 62, 63, 0],
    );
    for (let value = 0; value < 64; value++) assert.equal(conversionValue(steps[value], steps), value);
  });
});

describe('adapters', () => {
  it('bring one table through every format to the same means', () => {
    const responses = Float64Array.of(3, 0, 63, 12, 7, 21, 0);
    const exact = bagMeans(responses, bags);
    const lists = (whole: Bags) =>
      Array.from({ length: 3 }, (_, a) => [
        ...whole.members.subarray(whole.offsets[a], whole.offsets[a + 1]),
      ]);
    const sources = skanSourceIdentifiers(3);
    const postbacks = lists(bags).flatMap((members, a) =>
      members.map((i) => ({
        version: '4.0',
        'source-identifier': sources[a],
        'conversion-value': conversionValue(responses[i], skanSteps(63)),
      })),
    );
    const { answers } = parseSkanPostbacks(JSON.stringify(postbacks), { values: { fine: skanSteps(63) } });
    assert.deepEqual(joinAnswers(bags, sources, answers).means, exact);
  });
});
