// The protocols at sizes small enough for a unit test: that they run, repeat, count and stop. What they find at full size is for
// `provably reproduce subgen`.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import type { LabelledDataset, LabelledRows } from '../../data/datasets/index.ts';
import { oracleAnswer } from '../index.ts';
import { reproduceClusters } from './clusters.ts';
import { reproduceErrorLaw } from './error-law.ts';
import { reproduceNeedle } from './needle.ts';
import { reproducePictureMemory } from './picture-memory.ts';
import { reproducePolicies } from './policies.ts';
import { reproduceResiduals } from './residuals.ts';
import { plantedRetrieval } from './retrieval-stream.ts';
import { reproduceWindowShare } from './window-share.ts';

/** Three well separated clouds in six dimensions. */
function clouds(count: number, seed: number): LabelledRows {
  const rng = createRng(seed);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  const data = Float32Array.from(
    { length: count * 6 },
    (_, i) => 0.3 * rng.normal() + (i % 6 === labels[Math.floor(i / 6)] ? 2 : 0),
  );
  return { features: { data, rows: count, cols: 6 }, labels };
}

const dataset: LabelledDataset = {
  name: 'clouds',
  train: clouds(400, 1),
  test: clouds(300, 2),
  classes: ['a', 'b', 'c'],
};

describe('plantedRetrieval', () => {
  it('asks questions whose answers are about one group, or the needle alone', () => {
    const { shape, stream, needle, needleQuery } = plantedRetrieval({ rows: 300, clusters: 8, seed: 4 });
    const layer = { ...shape, scale: shape.scale ?? 1, storage: 'float32' as const };
    assert.equal(needle, 100);
    const { output, softmaxNorm } = oracleAnswer(layer, stream, 300, 0, needleQuery);
    const value = stream.values.subarray(needle * 32, (needle + 1) * 32);
    const error = Math.hypot(...output.map((x, p) => x - value[p]));
    // e^12 against about 300 e^{N(0, 12²/32)}: most of the mass is the needle's.
    assert.ok(softmaxNorm > 0.5 && error < 0.5 * Math.hypot(...value), `${softmaxNorm}, ${error}`);
  });
});

describe('protocols', () => {
  it('S1 finds the planted clusters, and none among normal keys', async () => {
    const { figures, verdicts } = await reproduceClusters({ tokens: [60, 120], clusters: 4, seeds: [3] });
    assert.deepEqual(figures[0], { stream: 'keys in clusters', clusters: [4, 4] });
    assert.deepEqual(figures[2], { stream: 'normal keys', clusters: [60, 120] });
    assert.ok(verdicts.every(({ passed }) => passed));
  });

  it('S2 has an error that falls with the samples', async () => {
    const { figures, verdicts } = await reproduceErrorLaw({
      ...{
        rows: 300,
        clusters: 6,
        valueSamples: [8, 128],
        clusterSamples: [1, 16],
        queries: 6,
        seeds: [1, 2],
      },
    });
    const { theorem, denominator } = figures;
    // A sixteenfold of samples divides the error by about 4; by 1.5 at least, even in so few runs.
    assert.ok(theorem[0].error.mean > 1.5 * theorem[1].error.mean, JSON.stringify(theorem));
    assert.ok(denominator[0].error.mean > 1.5 * denominator[1].error.mean, JSON.stringify(denominator));
    assert.equal(verdicts.length, 3);
  });

  it('S3 and S4 show the step where centers outnumber clusters', async () => {
    const common = { rows: 400, clusters: 8, seeds: [1, 2] };
    const { figures, verdicts } = await reproducePolicies({ ...common, budgets: [40, 52], queries: 8 });
    const of = (cache: string, budget: number) =>
      figures.find((row) => row.cache === cache && row.budget === budget)!.generic.mean;
    assert.ok(of('k-center, merged', 52) < 0.1 * of('k-center, merged', 40));
    assert.equal(verdicts.length, 7);
    const needles = await reproduceNeedle({ ...common, chosen: [4, 12] });
    const kept = (policy: string) =>
      needles.figures.filter((row) => row.policy === policy).map((row) => row.kept.mean);
    assert.deepEqual([kept('k-center')[1], kept('sink-window')], [1, [0, 0]]);
  });

  it('W1 gives all caches of a kind the same bytes, and repeats', async () => {
    const options = {
      rows: 400,
      dim: 16,
      bytes: 12_000,
      shares: [1 / 8, 1 / 2],
      questions: 8,
      seeds: [1, 2],
    };
    const { figures, verdicts } = await reproduceWindowShare(options);
    assert.equal(figures.length, 5 * 5);
    assert.ok(figures.every(({ error }) => error.values.length === 2 && error.mean > 0));

    const of = (kind: string, cache: string) =>
      figures.find((row) => row.kind === kind && row.cache === cache)!.error.mean;
    assert.ok(of('normal keys', 'hybrid') < of('normal keys', 'uniform, weighted'));
    assert.equal(verdicts.length, 6);
    assert.deepEqual((await reproduceWindowShare(options)).figures, figures);
  });

  it('W2 errs at merged centers as the hybrid cache of W1 does, and repeats', async () => {
    const options = { rows: 400, dim: 16, bytes: 12_000, questions: 8, seeds: [1] };
    const { figures, verdicts } = await reproduceResiduals(options);
    assert.equal(figures.length, 5 * 9);
    const merged = figures.filter(({ variant }) => variant === 'merged centers');
    const { figures: caches } = await reproduceWindowShare({ ...options, shares: [1 / 8] });
    for (const { kind, error } of merged) {
      const cache = caches.find((row) => row.kind === kind && row.cache === 'hybrid')!.error.mean;
      // A simulation in float64 with another window, against the cache that streams.
      assert.ok(error.mean < 2 * cache && cache < 2 * error.mean, `${kind}: ${error.mean}, cache ${cache}`);
    }
    assert.equal(verdicts.length, 2);
    assert.deepEqual((await reproduceResiduals(options)).figures, figures);
  });

  it('M1 names by what is kept, repeats bit for bit but for the times, and certifies a policy', async () => {
    const options = { dataset, rows: 240, dim: 4, strength: 8, compression: 4, asked: 60, seeds: [1] };
    const { figures, verdicts } = await reproducePictureMemory(options);
    const { accuracy, certificate, kept, shown, rows } = figures;
    assert.ok(accuracy.full > 0.9, `${accuracy.full}`);
    // The last class alone is in the window, but for the sinks.
    assert.ok(accuracy['sink-window'] < 0.7, `${accuracy['sink-window']}`);
    for (const shares of Object.values(kept)) {
      assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
    }
    assert.equal(rows.at(-1)?.tokens, 240);
    assert.ok(certificate.bound.value > 0 && certificate.bound.value <= 1);
    assert.equal(certificate.audit?.sample, '60 other questions');
    assert.equal(shown, 'hybrid');
    assert.equal(verdicts.length, 4);
    const again = await reproducePictureMemory(options);
    assert.deepEqual(
      [again.figures.accuracy, again.figures.shown, again.figures.certificate],
      [accuracy, shown, certificate],
    );
  });

  it('stop when they are told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    for (const protocol of [
      ...[reproduceClusters, reproduceErrorLaw, reproducePolicies, reproduceNeedle],
      ...[reproducePictureMemory, reproduceWindowShare, reproduceResiduals],
    ])
      await assert.rejects(protocol({ signal, dataset } as never), { message: 'enough' });
  });
});
