import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type RopeConfig, ropeAngles, yarnAmplitude } from './rope.ts';

const plain: RopeConfig = { base: 10000, dims: 128, pairing: 'half-split', scaling: { type: 'none' } };
const angles = (scaling: RopeConfig['scaling']) => ropeAngles({ ...plain, scaling }).frequencies;
// A power and two products or quotients: a few roundings of float64.
const near = (a: number, b: number) =>
  assert.ok(Math.abs(a - b) <= 8 * Number.EPSILON * Math.abs(b), `${a} ≠ ${b}`);

describe('ropeAngles', () => {
  it('falls from 1 to just above 1 / base, by the same ratio from pair to pair', () => {
    const { frequencies, amplitude } = ropeAngles(plain);
    assert.equal(frequencies.length, 64);
    assert.equal(frequencies[0], 1);
    near(frequencies[32], 0.01);
    for (let i = 1; i < 64; i++) near(frequencies[i] / frequencies[i - 1], 10000 ** (-1 / 64));
    assert.equal(amplitude, 1);
  });

  it('divides by the factor, and by each pair’s divisor', () => {
    angles({ type: 'linear', factor: 4 }).forEach((f, i) => {
      near(4 * f, angles({ type: 'none' })[i]);
    });
    const divisors = Array.from({ length: 64 }, (_, i) => 1 + i);
    const { frequencies } = ropeAngles({ ...plain, divisors, scaling: { type: 'linear', factor: 2 } });
    frequencies.forEach((f, i) => {
      near(f * 2 * (1 + i), angles({ type: 'none' })[i]);
    });
  });

  it('leaves fast pairs, divides slow ones, and goes from one to the other without a jump (llama3)', () => {
    const trainedContext = 8192;
    const scaling = {
      type: 'llama3',
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      trainedContext,
    } as const;
    const [scaled, whole] = [angles(scaling), angles({ type: 'none' })];
    let between = 0;
    whole.forEach((f, i) => {
      const turns = (trainedContext * f) / (2 * Math.PI);
      if (turns >= 4) near(scaled[i], f);
      else if (turns <= 1) near(scaled[i], f / 8);
      else {
        between++;
        // Written as in the model's own description: a mixture of the wavelength's position between the two ends.
        const smooth = (trainedContext / ((2 * Math.PI) / f) - 1) / (4 - 1);
        assert.ok(Math.abs(scaled[i] - ((1 - smooth) * (f / 8) + smooth * f)) < 1e-15);
      }
      if (i > 0) assert.ok(scaled[i] < scaled[i - 1]);
    });
    assert.ok(between > 5);
    // Llama 3.1 with θ = 500000: 64 ln(8192 / 8π) / ln θ = 28.2 and 64 ln(8192 / 2π) / ln θ = 34.98 are where the two ends lie.
    const llama = { ...plain, base: 500000 };
    const divisors = ropeAngles({ ...llama, scaling }).frequencies.map(
      (f, i) => ropeAngles(llama).frequencies[i] / f,
    );
    near(divisors[28], 1);
    assert.ok(divisors[29] > 1 && divisors[34] < 8);
    near(divisors[35], 8);
  });

  it('ramps over the pairs that turn between betaSlow and betaFast times (YaRN)', () => {
    const scaling = {
      type: 'yarn',
      factor: 4,
      betaFast: 32,
      betaSlow: 1,
      trainedContext: 32768,
      amplitude: yarnAmplitude(4),
    } as const;
    const model = { ...plain, base: 1e6 };
    const whole = ropeAngles(model).frequencies;
    const { frequencies, amplitude } = ropeAngles({ ...model, scaling });
    near(amplitude, 1 + 0.1 * Math.log(4));
    // d ln(c / 2πβ) / 2 ln θ: 23.6 for β = 32, 39.7 for β = 1, so the ramp goes from pair 23 to pair 40.
    whole.forEach((f, i) => {
      const kept = i <= 23 ? 1 : i >= 40 ? 0 : (40 - i) / 17;
      assert.ok(Math.abs(frequencies[i] - f * (kept + (1 - kept) / 4)) <= 1e-15, `pair ${i}`);
    });
  });

  it('lets every scaling by 1 change nothing', () => {
    const context = fc.integer({ min: 64, max: 1e6 });
    fc.assert(
      fc.property(context, fc.integer({ min: 2, max: 32 }), (trainedContext, half) => {
        const model = { ...plain, dims: 2 * half };
        const scalings: RopeConfig['scaling'][] = [
          { type: 'linear', factor: 1 },
          { type: 'llama3', factor: 1, lowFrequencyFactor: 1, highFrequencyFactor: 4, trainedContext },
          { type: 'yarn', factor: 1, betaFast: 32, betaSlow: 1, trainedContext, amplitude: 1 },
        ];
        for (const scaling of scalings) {
          ropeAngles({ ...model, scaling }).frequencies.forEach((f, i) => {
            near(f, ropeAngles(model).frequencies[i]);
          });
        }
      }),
      { seed: 1, numRuns: 50 },
    );
    assert.equal(yarnAmplitude(1), 1);
    assert.equal(yarnAmplitude(0.5), 1);
  });
});
