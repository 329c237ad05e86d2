import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plantedInput, randomInput } from '../../test/attention-inputs.ts';
import { exactAttention, hyperAttention, tuneAttention } from './index.ts';

describe('tuneAttention', () => {
  it('finds parameters that reach the error, at a lower cost than exact attention', async () => {
    const input = plantedInput({ rows: 2048, clusters: 256, seed: 3 });
    const { best, freshError = 0, trials } = await tuneAttention(input, { target: 0.25 });
    assert.ok(best && best.relativeError <= 0.25 && best.cost < 0.5, JSON.stringify(trials));
    assert.ok(freshError > 0 && freshError <= 0.4, `${freshError}`);
    assert.ok(trials.every(({ options }) => options.minSequence === 1));
    const hopeless = await tuneAttention(randomInput({ queryRows: 256, size: 3 }), { target: 1e-6 });
    assert.equal(hopeless.best, undefined);
    assert.equal(hopeless.freshError, undefined);
  });

  it('varies the leaves of causal attention', async () => {
    const input = { ...plantedInput({ rows: 1024, clusters: 128, seed: 3 }), causal: true };
    const { best, trials } = await tuneAttention(input, { target: 0.5 });
    assert.ok(best, JSON.stringify(trials));
    assert.ok(new Set(trials.map(({ options }) => options.minSequence)).size > 1);
  });

  it('tells an error of its choice that is neither lucky nor unlucky', async () => {
    const n = 512;
    const input = plantedInput({ rows: n, clusters: 64, dim: 16, seed: 5 });
    const exact = (await exactAttention(input)).output.data;
    const [rows, seeds] = [8, 300];
    let [difference, variance] = [0, 0];
    for (let seed = 0; seed < seeds; seed++) {
      const { best, freshError = 0 } = await tuneAttention(input, { target: 0.3, rows, seed });
      assert.ok(best);
      const options = { ...best.options, certifyRows: 0, seed: seed + 2 };
      const output = (await hyperAttention(input, options)).value.output.data;
      const squares = (entry: (at: number) => number) =>
        Float64Array.from({ length: n }, (_, i) =>
          output.subarray(16 * i, 16 * i + 16).reduce((sum, _, c) => sum + entry(16 * i + c) ** 2, 0),
        );
      const errors = squares((at) => output[at] - exact[at]);
      const sizes = squares((at) => exact[at]);
      const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / n;
      const whole = mean(errors) / mean(sizes);
      // A quotient of means of t of n rows: its variance to first order, and without replacement.
      const residuals = errors.map((x, i) => (x - whole * sizes[i]) / mean(sizes));
      difference += (freshError ** 2 - whole) / seeds;
      variance += ((1 - rows / n) * mean(residuals.map((x) => x * x))) / rows / seeds ** 2;
    }
    // 5 standard errors. On the rows and seed that it was chosen by, the error would be 7 too low.
    assert.ok(Math.abs(difference) <= 5 * Math.sqrt(variance), `${difference} ± ${Math.sqrt(variance)}`);
  });
});
