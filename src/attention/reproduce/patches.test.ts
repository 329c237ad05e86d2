import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LabelledDataset } from '../../data/datasets/index.ts';
import { exactAttention } from '../exact.ts';
import { reproduceDenoising } from './denoising.ts';
import { crop, patchAttention, peakSignalToNoise, pictureSheet, withNoise } from './patches.ts';

/** Pictures of 12 × 12 pixels: an upright bar each, at its own place. */
function bars(count: number): LabelledDataset {
  const data = Float32Array.from({ length: count * 144 }, (_, i) => {
    const [picture, x] = [Math.floor(i / 144), i % 12];
    return x >= 2 + (picture % 5) && x < 6 + (picture % 5) ? 0.8 : 0.1;
  });
  const rows = { features: { data, rows: count, cols: 144 }, labels: new Uint8Array(count) };
  return { name: 'bars', train: rows, test: rows, classes: ['bar'] };
}

describe('patchAttention', () => {
  it('leaves a picture as it is when each square attends to its like alone', async () => {
    const sheet = pictureSheet(bars(4), 2);
    assert.deepEqual([sheet.width, sheet.pixels.length], [24, 576]);
    assert.deepEqual(crop(sheet, 12, 0, 12), bars(4).test.features.data.slice(144, 288));
    // A logit of 1000 with itself: squares that differ at all get no weight.
    const { input, pictureOf } = patchAttention(sheet, 1, 1000);
    const same = pictureOf(await exactAttention(input));
    assert.ok(peakSignalToNoise(same, sheet) > 60, `${peakSignalToNoise(same, sheet)} dB`);
  });

  it('gives a square without contrast its mean', async () => {
    const flat = { pixels: new Float32Array(64).fill(0.25), width: 8, height: 8 };
    const { input, pictureOf } = patchAttention(flat, 2, 5);
    assert.deepEqual(pictureOf(await exactAttention(input)).pixels, flat.pixels);
  });

  it('measures noise: 20 dB are a standard deviation of a tenth', () => {
    const grey = { pixels: new Float32Array(10_000).fill(0.5), width: 100, height: 100 };
    // The mean square of 10 000 normal numbers is within 7 % (5 standard errors √(2/n)) of 1: 0.31 dB.
    assert.ok(Math.abs(peakSignalToNoise(withNoise(grey, 0.1, 1), grey) - 20) < 0.31);
  });
});

describe('reproduceDenoising', () => {
  it('cleans a picture, exactly and nearly so, with a certificate that is kept', async () => {
    const { figures, verdicts } = await reproduceDenoising({
      ...{ dataset: bars(9), across: 3, size: 64, certifyRows: 256, plantedRows: 512 },
    });
    const { inputs, noisy, exact, hyper, map, panels } = figures;
    assert.ok(exact > noisy + 1 && hyper > noisy, `${noisy} dB, ${exact} exact, ${hyper} hyper`);
    assert.deepEqual(
      inputs.map(({ rows }) => rows),
      [1296, 512],
    );
    for (const { certificate, pairsShare } of inputs) {
      assert.equal(certificate.audit?.kept, true);
      assert.ok(pairsShare < 0.3);
    }
    assert.equal(map.values.length, map.bins ** 2);
    assert.equal(panels.clean.length, 144);
    assert.equal(verdicts.length, 4);
  });
});
