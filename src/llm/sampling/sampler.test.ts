import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { chiSquarePValue } from '../../core/statistics/index.ts';
import { distributionFromLogits } from './distribution.ts';
import type { SamplingOptions } from './options.ts';
import { oracleProbabilities } from './oracle.ts';
import { createSampler } from './sampler.ts';

const size = 40;

function someLogits(seed: number, length = size): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => 3 * rng.normal());
}

const ids = fc.array(fc.nat(size - 1), { maxLength: 12 });
const options: fc.Arbitrary<SamplingOptions> = fc.record({
  temperature: fc.constantFrom(0, 0.3, 0.7, 1, 1.8),
  topK: fc.constantFrom(0, 1, 3, 10, size, 500),
  topP: fc.constantFrom(1, 0.999, 0.9, 0.5, 1e-9),
  minP: fc.constantFrom(0, 0.001, 0.1, 1),
  repetitionPenalty: fc.constantFrom(1, 1.3, 0.8),
  repetitionWindow: fc.constantFrom(Infinity, 0, 1, 5),
  frequencyPenalty: fc.constantFrom(0, 0.5, -0.5),
  presencePenalty: fc.constantFrom(0, 1, -1),
  logitBias: fc
    .array(fc.tuple(fc.nat(size - 1), fc.constantFrom(-100, -Infinity, 2)), { maxLength: 4 })
    .map((entries) => new Map(entries)),
});

describe('createSampler', () => {
  it('has the distribution of the obvious computation, whatever the options', () => {
    const property = fc.property(fc.nat(), options, ids, ids, (seed, some, prompt, output) => {
      const logits = someLogits(seed >>> 0);
      const sampler = createSampler({ vocabularySize: size, prompt, ...some });
      for (const id of output) sampler.accept(id);
      const distribution = sampler.distribution(logits);
      oracleProbabilities(logits, some, output, prompt).forEach((p, id) => {
        // Sums of 40 terms and a logarithm: some 100 roundings.
        assert.ok(
          Math.abs(distribution.probability(id) - p) <= 100 * Number.EPSILON,
          `${id}: ${distribution.probability(id)} ${p}`,
        );
      });
      const { id } = sampler.next(logits);
      assert.ok(distribution.probability(id) > 0);
    });
    fc.assert(property, { seed: 3, numRuns: 1500 });
  });

  const cases: Record<string, SamplingOptions> = {
    plain: {},
    temperature: { temperature: 0.6 },
    'top-k': { topK: 7 },
    'top-p': { topP: 0.8 },
    'top-k, top-p and min-p': { topK: 20, topP: 0.95, minP: 0.02, temperature: 1.4 },
    'min-p': { minP: 0.05 },
  };
  for (const [name, some] of Object.entries(cases)) {
    it(`draws from its distribution: ${name}`, () => {
      const logits = someLogits(11);
      const sampler = createSampler({ vocabularySize: size, seed: 5, ...some });
      const distribution = sampler.distribution(logits);
      const draws = 20_000;
      const counts = new Float64Array(size);
      for (let i = 0; i < draws; i++) counts[sampler.next(logits).id]++;
      // Tokens with fewer than 5 expected draws are put together, as χ² needs.
      let statistic = 0;
      let cells = 0;
      let [rareCount, rareExpected] = [0, 0];
      for (let id = 0; id < size; id++) {
        const expected = draws * distribution.probability(id);
        if (expected === 0) assert.equal(counts[id], 0);
        else if (expected < 5) {
          rareCount += counts[id];
          rareExpected += expected;
        } else {
          statistic += (counts[id] - expected) ** 2 / expected;
          cells++;
        }
      }
      if (rareExpected > 1) {
        statistic += (rareCount - rareExpected) ** 2 / rareExpected;
        cells++;
      }
      // False-failure rate 1e-6 for each case.
      assert.ok(chiSquarePValue(statistic, cells - 1) > 1e-6, `χ² = ${statistic} with ${cells - 1} degrees`);
    });
  }

  it('gives the same tokens for the same seed, and others for another seed or sequence', () => {
    const run = (more: SamplingOptions): number[] => {
      const sampler = createSampler({ vocabularySize: size, ...more });
      return Array.from({ length: 50 }, (_, t) => sampler.next(someLogits(t)).id);
    };
    assert.deepEqual(run({ seed: 7 }), run({ seed: 7 }));
    assert.notDeepEqual(run({ seed: 7 }), run({ seed: 8 }));
    assert.notDeepEqual(run({ seed: 7 }), run({ seed: 7, sequence: 1 }));
  });

  it('does not shift later draws when a token is forced', () => {
    const [free, forced] = [0, 1].map(() => createSampler({ vocabularySize: size, seed: 3 }));
    free.next(someLogits(1));
    forced.accept(0);
    for (let t = 2; t < 30; t++) assert.equal(free.next(someLogits(t)).id, forced.next(someLogits(t)).id);
  });

  it('does not change when all logits move together, or scale with the temperature', () => {
    const property = fc.property(fc.nat(1000), fc.integer({ min: -64, max: 64 }), (seed, shift) => {
      // Sixteenths and whole shifts, so that the sums are exact.
      const logits = someLogits(seed).map((x) => Math.round(16 * x) / 16);
      const take = (some: Float32Array, temperature: number): number =>
        createSampler({ vocabularySize: size, seed, temperature, topP: 0.9 }).next(some).id;
      assert.equal(
        take(
          logits.map((x) => x + shift),
          1,
        ),
        take(logits, 1),
      );
      assert.equal(
        take(
          logits.map((x) => 4 * x),
          4,
        ),
        take(logits, 1),
      );
    });
    fc.assert(property, { seed: 4, numRuns: 200 });
  });

  it('takes the first of the most likely tokens at temperature 0', () => {
    const sampler = createSampler({ vocabularySize: 4, temperature: 0 });
    assert.equal(sampler.next(Float32Array.of(1, 5, 5, -Infinity)).id, 1);
  });

  it("reports ln p of the model's own distribution, untouched by temperature, bias and penalties", () => {
    const logits = someLogits(2);
    const own = distributionFromLogits(logits);
    const sampler = createSampler({
      vocabularySize: size,
      temperature: 0,
      logitBias: new Map([[own.top(1)[0].id, -Infinity]]),
      presencePenalty: 2,
      logprobs: 3,
    });
    const { id, logprob, top } = sampler.next(logits);
    assert.notEqual(id, own.top(1)[0].id);
    assert.ok(Math.abs(logprob! - own.logProbabilities[id]) < 1e-12);
    assert.deepEqual(
      top!.map((token) => token.id),
      own.top(3).map((token) => token.id),
    );
    top!.forEach((token) => {
      assert.ok(Math.abs(token.logprob - own.logProbabilities[token.id]) < 1e-12);
    });
    assert.deepEqual(createSampler({ vocabularySize: size }).next(logits), {
      id: createSampler({ vocabularySize: size }).next(logits).id,
    });
  });

  it('leaves the logits as they were', () => {
    const logits = someLogits(9);
    const before = logits.slice();
    const sampler = createSampler({
      vocabularySize: size,
      repetitionPenalty: 2,
      prompt: [1, 2],
      logprobs: 1,
      topP: 0.5,
    });
    sampler.next(logits);
    sampler.distribution(logits);
    assert.deepEqual(logits, before);
  });

  it('refuses logits that are no numbers, and options out of range', () => {
    const sampler = createSampler({ vocabularySize: 3 });
    const numerical = (message: RegExp) => ({ code: 'NUMERICAL', message });
    assert.throws(() => sampler.next(Float32Array.of(1, NaN, 2)), numerical(/logits\[1\] is NaN/));
    assert.throws(() => sampler.next(Float32Array.of(NaN, 1, 2)), numerical(/logits\[0\] is NaN/));
    assert.throws(() => sampler.next(Float32Array.of(1, Infinity, 2)), numerical(/logits\[1\] is ∞/));
    assert.throws(() => sampler.next(new Float32Array(3).fill(-Infinity)), numerical(/all 3 logits are −∞/));
    assert.throws(() => sampler.next(Float32Array.of(1, 2)), { code: 'SHAPE' });
    const bad: [SamplingOptions & { prompt?: number[] }, RegExp][] = [
      [{ temperature: -1 }, /temperature is -1/],
      [{ topK: 1.5 }, /topK is 1.5/],
      [{ topP: 0 }, /topP is 0/],
      [{ topP: 1.1 }, /topP is 1.1/],
      [{ minP: 2 }, /minP is 2/],
      [{ repetitionPenalty: 0 }, /repetitionPenalty is 0/],
      [{ frequencyPenalty: NaN }, /frequencyPenalty is NaN/],
      [{ seed: -1 }, /seed is -1/],
      [{ logprobs: 4 }, /logprobs is 4/],
      [{ logitBias: new Map([[3, 1]]) }, /id of logitBias is 3/],
      [{ logitBias: new Map([[0, NaN]]) }, /logitBias of token 0 is NaN/],
      [{ prompt: [0, 3] }, /prompt\[1\] is 3/],
    ];
    for (const [some, message] of bad) {
      assert.throws(() => createSampler({ vocabularySize: 3, ...some }), {
        code: 'INVALID_ARGUMENT',
        message,
      });
    }
  });

  it('forgets tokens that left the window of the repetition penalty, in long texts too', () => {
    const window = 3;
    const sampler = createSampler({ vocabularySize: 8, repetitionPenalty: 2, repetitionWindow: window });
    const output: number[] = [];
    const rng = createRng(1);
    const logits = Float32Array.of(1, 2, 3, 4, -1, -2, -3, -4);
    for (let t = 0; t < 3000; t++) {
      const id = rng.integer(8);
      sampler.accept(id);
      output.push(id);
      if (t % 500 !== 499) continue;
      const expected = oracleProbabilities(
        logits,
        { repetitionPenalty: 2, repetitionWindow: window },
        output,
      );
      const actual = sampler.distribution(logits);
      expected.forEach((p, i) => {
        assert.ok(Math.abs(actual.probability(i) - p) < 1e-14);
      });
    }
  });
});
