import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVacuous } from '../core/certificate.ts';
import { type Matrix32, matrixSource } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import { exactTotal } from './oracle.ts';
import { probesPerCluster } from './probes.ts';
import { auditSelection } from './report-selection.ts';
import { epsilonForSampleSize } from './sample-size.ts';
import { selectData } from './select-data.ts';
import type { SelectOptions } from './select-options.ts';
import { SAMPLING_SCHEMES } from './types.ts';

const mixture = gaussianMixture({ rows: 600, cols: 5, clusters: 15, lambda: 0.5, seed: 2 });
const { points, losses, labels, representatives, lambda } = mixture;
const clustering = { labels, representatives };

/** An oracle that remembers what it was asked. */
function recorder(values: ArrayLike<number> = losses): { asked: number[]; loss: SelectOptions['loss'] } {
  const asked: number[] = [];
  return {
    asked,
    loss: (ids) => {
      asked.push(...ids);
      return Float64Array.from(ids, (id) => values[id]);
    },
  };
}

const base = { loss: recorder().loss, size: 60, clustering, power: 1 };

describe('selectData', () => {
  it('asks k representatives and the probes, each once, and nothing else', async () => {
    for (const [mode, perCluster] of [
      ['robust', Math.max(4, probesPerCluster(15))],
      ['paper', probesPerCluster(15)],
      ['balanced', 0],
    ] as const) {
      const { asked, loss } = recorder();
      const { value } = await selectData(points, { ...base, loss, mode });
      assert.equal(value.queries, 15 + 15 * perCluster, mode);
      assert.equal(asked.length, value.queries);
      assert.equal(new Set(asked).size, asked.length);
      assert.deepEqual(new Set(asked.slice(0, 15)), new Set(representatives));
    }
    const { asked, loss } = recorder();
    await selectData(points, { ...base, loss, mode: 'paper', lambda });
    assert.deepEqual(
      asked.sort((a, b) => a - b),
      [...representatives],
    );
  });

  it('clusters by k-means when no clustering is given', async () => {
    const { value, certificate } = await selectData(points, { loss: base.loss, size: 100 });
    assert.equal(value.k, 20);
    assert.equal(value.ids.length, 100);
    assert.notEqual(certificate.backend, 'none');
    value.representatives.ids.forEach((row, i) => {
      assert.equal(value.labels[row], i);
    });
  });

  it('gives the same selection whatever the block size, and another for another seed', async () => {
    const run = (maxRows: number, seed = 0) => {
      const source = matrixSource(points);
      return selectData({ rows: 600, cols: 5, blocks: () => source.blocks(maxRows) }, { ...base, seed });
    };
    const plain = await selectData(points, base);
    for (const maxRows of [1, 7, 4096]) assert.deepEqual((await run(maxRows)).value, plain.value);
    assert.notDeepEqual((await run(7, 1)).value.ids, plain.value.ids);
    const free = { loss: base.loss, size: 60, k: 12 };
    const whole = await selectData(points, free);
    const source = matrixSource(points);
    for (const maxRows of [7, 4096]) {
      const blocked = await selectData(
        { rows: 600, cols: 5, blocks: () => source.blocks(maxRows) },
        { ...free },
      );
      const again = await selectData({ rows: 600, cols: 5, blocks: () => source.blocks(100) }, { ...free });
      assert.deepEqual(blocked.value.ids, again.value.ids);
    }
    assert.equal(whole.value.ids.length, 60);
  });

  it('leaves its input as it is', async () => {
    const copy = points.data.slice();
    await selectData(points, { ...base, metric: 'cosine' });
    assert.deepEqual(points.data, copy);
    assert.deepEqual(
      labels,
      gaussianMixture({ rows: 600, cols: 5, clusters: 15, lambda: 0.5, seed: 2 }).labels,
    );
  });

  it('certifies ε·T, checked by probes, and keeps the promise when audited', async () => {
    const { value, certificate } = auditSelection(
      await selectData(points, { ...base, mode: 'paper', lambda, probes: 3 }),
      losses,
    );
    assert.ok(
      Math.abs(certificate.bound.value - epsilonForSampleSize(60, 0.1) * value.total) < 1e-9 * value.total,
    );
    assert.equal(certificate.bound.failureProbability, 0.1);
    assert.equal(certificate.assumptions[0].status, 'checked');
    assert.equal(certificate.assumptions[0].measured, 0);
    assert.ok(certificate.audit?.kept);
    assert.ok(Math.abs(value.predicted.total / exactTotal(losses) - 1) < 0.2);
    const robust = await selectData(points, base);
    // T/(1−α) with the floor, and more when a probe lies above.
    assert.ok(
      robust.certificate.bound.value >= (epsilonForSampleSize(60, 0.1) * robust.value.total) / 0.8 - 1e-9,
    );
    assert.deepEqual(robust.certificate.assumptions.map((a) => a.status).slice(1), ['proved', 'assumed']);
  });

  it('reports violated assumptions with the clusters, and widens the bound over every loss seen', async () => {
    const odd = losses.slice();
    const bad = labels.findIndex((label, e) => label === 4 && e >= 15);
    odd.forEach((_, e) => {
      if (labels[e] === labels[bad] && e >= 15) odd[e] = 50;
    });
    const { value, certificate } = await selectData(points, {
      ...base,
      loss: recorder(odd).loss,
      mode: 'paper',
      lambda,
      probes: 4,
    });
    assert.equal(certificate.assumptions[0].status, 'violated');
    assert.match(certificate.warnings.join('\n'), /Assumption violated: 4 of 60 .* in clusters 4\b/);
    assert.match(certificate.warnings.join('\n'), /covers every loss seen/);
    assert.ok(value.range > value.total);
    assert.ok(Math.abs(certificate.bound.value - value.epsilon * value.range) < 1e-9 * value.range);
  });

  it('needs no assumption when the losses are bounded', async () => {
    const cut = losses.map((loss) => (loss > 1 ? 1 : 0));
    const { certificate, value } = await selectData(points, {
      ...base,
      loss: recorder(cut).loss,
      maxLoss: 1,
    });
    assert.match(certificate.assumptions[0].statement, /ℓ\(e\) ≤ 1 for every row, as the caller states/);
    let largest = 0;
    for (const p of value.model.probabilities) largest = Math.max(largest, 1 / p);
    assert.ok(Math.abs(value.range - largest) < 1e-9 * largest);
    assert.ok(certificate.bound.value < value.epsilon * value.range, 'the total is at most n·M < R');
    await assert.rejects(selectData(points, { ...base, loss: recorder(cut).loss, maxLoss: 0.5 }), {
      code: 'INVALID_ARGUMENT',
      message: /maxLoss is 0.5, but the loss of row \d+ is 1/,
    });
  });

  it('estimates exactly when every row is its own representative', async () => {
    const few = gaussianMixture({ rows: 40, cols: 3, clusters: 4 });
    for (const k of [40, 1000]) {
      const result = await selectData(few.points, {
        loss: recorder(few.losses).loss,
        size: 7,
        k,
        scheme: 'hansen-hurwitz',
      });
      const { certificate, value } = auditSelection(result, few.losses);
      assert.equal(value.k, 40);
      assert.equal(value.queries, 40);
      assert.equal(value.phi, 0);
      assert.ok(certificate.bound.value < 1e-12);
      // 40 products and a sum of the total's size.
      assert.ok(certificate.audit!.error <= 40 * Number.EPSILON * exactTotal(few.losses));
      assert.equal(value.predicted.basis, 'all losses');
      // The root of a difference of two equal numbers, each a sum of 40 terms.
      assert.ok(value.predicted.relativeError < Math.sqrt(40 * Number.EPSILON));
    }
  });

  it('works with one cluster, and with more rows asked for than there are', async () => {
    const one = await selectData(points, { ...base, clustering: undefined, k: 1 });
    assert.equal(one.value.k, 1);
    for (const scheme of SAMPLING_SCHEMES) {
      const { value, certificate } = await selectData(points, { ...base, size: 900, scheme });
      if (scheme === 'hansen-hurwitz') {
        assert.equal(
          value.counts.reduce((s, c) => s + c, 0),
          900,
        );
        continue;
      }
      assert.deepEqual(value.weights, new Float64Array(600).fill(1));
      assert.equal(certificate.bound.failureProbability, 0);
      assert.ok(auditSelection({ value, certificate }, losses).certificate.audit!.kept);
    }
  });

  it('falls back to uniform when all scores are 0, and says so', async () => {
    const { value, certificate } = await selectData(points, {
      ...base,
      loss: recorder(new Float64Array(600)).loss,
    });
    assert.match(certificate.warnings.join('\n'), /All scores are 0: the sample is uniform/);
    assert.ok(value.model.probabilities.every((p) => Math.abs(p - 1 / 600) < 1e-15));
  });

  it('refuses rows that could never be drawn', async () => {
    const cold = losses.map((loss, e) => (labels[e] === 3 ? (e === representatives[3] ? 0 : 5) : loss));
    const options = { ...base, loss: recorder(cold).loss, mode: 'paper' as const, lambda: 0 };
    await assert.rejects(selectData(points, options), {
      code: 'INVALID_ARGUMENT',
      message: /39 rows .* could never be drawn.*Pass alpha > 0/,
    });
    const { value } = await selectData(points, { ...options, alpha: 0.1 });
    assert.equal(value.ids.length, 60);
  });

  it('reduces k to the distinct rows and reports it', async () => {
    const data = Float32Array.from({ length: 200 }, (_, j) => Math.floor(j / 2) % 5);
    const { value, certificate } = await selectData(
      { data, rows: 100, cols: 2 },
      { loss: (ids) => ids, size: 20, k: 12 },
    );
    assert.equal(value.k, 5);
    assert.match(certificate.warnings.join('\n'), /k was reduced from 12 to 5/);
    assert.equal(value.phi, 0);
    assert.ok(value.weights.every(Number.isFinite));
  });

  it('rejects rows that are not finite by id, or drops and lists them', async () => {
    const spoilt: Matrix32 = { ...points, data: points.data.slice() };
    spoilt.data[17 * 5 + 2] = Number.NaN;
    spoilt.data[400 * 5] = Number.POSITIVE_INFINITY;
    await assert.rejects(selectData(spoilt, base), {
      code: 'DATA',
      message: /row 17 of the embeddings is NaN in column 2.*onInvalid: "drop"/,
    });
    for (const scheme of SAMPLING_SCHEMES) {
      const { value, certificate } = await selectData(spoilt, { ...base, onInvalid: 'drop', scheme });
      assert.deepEqual([...value.dropped], [17, 400]);
      assert.equal(value.population, 598);
      assert.ok(!value.ids.includes(17) && !value.ids.includes(400));
      assert.equal(value.model.scores.length, 598);
      assert.match(certificate.warnings.join('\n'), /2 rows were left out/);
      value.ids.forEach((id, j) => {
        assert.equal(value.clusters[j], labels[id]);
      });
    }
    const free = await selectData(spoilt, { loss: base.loss, size: 50, onInvalid: 'drop' });
    assert.equal(free.value.population, 598);
  });

  it('rejects losses that are not finite by id, or drops these rows', async () => {
    const spoilt = losses.slice();
    spoilt[representatives[2]] = Number.NaN;
    await assert.rejects(selectData(points, { ...base, loss: recorder(spoilt).loss }), {
      code: 'DATA',
      message: /loss of row 2 is NaN.*"drop"/,
    });
    const { value } = await selectData(points, { ...base, loss: recorder(spoilt).loss, onInvalid: 'drop' });
    assert.deepEqual([...value.dropped], [representatives[2]]);
    assert.notEqual(value.representatives.ids[2], representatives[2]);
    assert.equal(labels[value.representatives.ids[2]], 2);
    assert.ok(!value.ids.includes(representatives[2]));
    const kept = losses.reduce((sum, loss, e) => sum + (e === representatives[2] ? 0 : loss), 0);
    const { certificate } = await selectData(points, {
      ...base,
      loss: recorder(spoilt).loss,
      onInvalid: 'drop',
      size: 599,
    }).then((result) => auditSelection(result, spoilt));
    // All 599 rows left are in the sample: the audit compares with their sum, and the lost row's NaN stays out.
    assert.ok(certificate.audit!.error < 1e-9 * kept);
    // The new representative is at distance 0 of itself: distances were measured again.
    const own = value.model.scores[value.representatives.ids[2]];
    assert.equal(own, value.model.proxies[2]);
    // A cluster all of whose losses are bad leaves the pool; the rest is selected from.
    const lost = losses.map((loss, e) => (labels[e] === 6 ? Number.NaN : loss));
    const rest = await selectData(points, { ...base, loss: recorder(lost).loss, onInvalid: 'drop' });
    assert.equal(rest.value.dropped.length, 40);
    assert.ok(rest.value.clusters.every((cluster) => cluster !== 6));
  });

  it('never clamps a negative loss', async () => {
    const signed = losses.with(5, -3) as Float64Array;
    await assert.rejects(selectData(points, { ...base, loss: recorder(signed).loss }), {
      code: 'INVALID_ARGUMENT',
      message: /row 5 is -3; .*Shift the losses/,
    });
  });

  it('names every option that leaves its range', async () => {
    const wrong: [Partial<SelectOptions>, RegExp][] = [
      [{ size: undefined, epsilon: 0 }, /epsilon is 0/],
      [{ size: undefined, epsilon: 1 }, /epsilon is 1/],
      [{ size: undefined }, /neither size nor epsilon/],
      [{ epsilon: 0.1 }, /both size and epsilon/],
      [{ size: 0 }, /size is 0/],
      [{ size: 2.5 }, /size is 2.5/],
      [{ failureProbability: 1 }, /failureProbability is 1/],
      [{ power: 0 }, /power is 0/],
      [{ power: -1 }, /power is -1/],
      [{ lambda: -2 }, /lambda is -2/],
      [{ alpha: 1.2 }, /alpha is 1.2/],
      [{ k: 0 }, /k is 0/],
      [{ probes: -1 }, /probes is -1/],
      [{ probes: 0 }, /probes is 0 in mode "robust"/],
      [{ seed: -1 }, /seed is -1/],
      [{ mode: 'fast' as never }, /mode is "fast"/],
      [{ scheme: 'systematic' as never }, /scheme is "systematic"/],
      [{ loss: 3 as never }, /loss is number/],
      [{ rowWeights: new Float64Array(600) }, /rowWeights are all 0/],
      [{ rowWeights: new Float64Array(600).fill(-1) }, /rowWeights\[0\] is -1/],
      [{ clustering: { labels, representatives: Uint32Array.of(1, 0) } }, /labels\[2\] is 2/],
      [
        { clustering: { labels, representatives: representatives.with(0, 1) as Uint32Array } },
        /representatives names row 1/,
      ],
    ];
    for (const [change, message] of wrong) {
      await assert.rejects(
        selectData(points, { ...base, ...change } as SelectOptions),
        { code: 'INVALID_ARGUMENT', message },
        String(message),
      );
    }
    await assert.rejects(selectData({ data: new Float32Array(0), rows: 0, cols: 5 }, base), {
      code: 'DATA',
      message: /0 rows/,
    });
    await assert.rejects(selectData(points, { ...base, rowWeights: [1] }), { code: 'SHAPE' });
  });

  it('takes ε in place of a size', async () => {
    const { value } = await selectData(points, { ...base, size: undefined, epsilon: 0.25 });
    assert.equal(value.ids.length, 104);
    assert.ok(value.epsilon <= 0.25);
  });

  it('centers before it expands: a great common offset changes nothing that matters', async () => {
    const rng = createRng(5);
    const data = Float32Array.from({ length: 400 * 4 }, () => 4096 + 0.005 * rng.normal());
    const { value } = await selectData(
      { data, rows: 400, cols: 4 },
      { loss: (ids) => ids.map(() => 1), size: 40, k: 10 },
    );
    let phi = 0;
    for (let e = 0; e < 400; e++) {
      const c = value.representatives.ids[value.labels[e]];
      for (let j = 0; j < 4; j++) phi += (data[e * 4 + j] - data[c * 4 + j]) ** 2;
    }
    assert.ok(Math.abs(value.phi - phi) < 1e-12 * phi, `${value.phi} against ${phi}`);
  });

  it('warns of uneven weights and rare rows', async () => {
    const steep = losses.map((_, e) => (labels[e] === 0 ? 1000 : 0.001));
    const { certificate, value } = await selectData(points, {
      ...base,
      loss: recorder(steep).loss,
      mode: 'paper',
      lambda: 0,
      scheme: 'hansen-hurwitz',
    });
    assert.match(certificate.warnings.join('\n'), /min p·n = /);
    assert.ok(value.effectiveSize <= 60 + 1e-9 && value.maxWeight > 0);
  });

  it('merges samples through row weights: u = 2 stands for two rows', async () => {
    const u = Float64Array.from({ length: 600 }, (_, e) => (e % 2 === 0 ? 2 : 1));
    let mean = 0;
    const runs = 300;
    for (let seed = 0; seed < runs; seed++) {
      const { value } = await selectData(points, { ...base, rowWeights: u, seed, mode: 'balanced' });
      assert.equal(value.population, 900);
      mean += value.ids.reduce((s, id, j) => s + value.weights[j] * losses[id], 0) / runs;
    }
    const exact = exactTotal(losses, u);
    // Relative standard error of one run is below 0.1 (predicted 0.06): of the mean below 0.006, 5 of them 0.03.
    assert.ok(Math.abs(mean / exact - 1) < 0.03, `${mean} against ${exact}`);
  });

  it('shows the elbow when asked', async () => {
    const { value } = await selectData(points, { ...base, clustering: undefined, k: 8, elbow: true });
    assert.deepEqual(
      value.elbow?.map(({ k }) => k),
      [4, 8, 16],
    );
    assert.ok(value.elbow![0].total > value.elbow![2].total, 'T falls with k');
  });

  it('says what no theorem covers', async () => {
    const { certificate } = await selectData(points, { ...base, scheme: 'gumbel' });
    assert.ok(isVacuous(certificate.bound));
    assert.match(certificate.warnings.join('\n'), /No deviation bound is proved for gumbel/);
  });

  it('stops when told to', async () => {
    const reason = new Error('enough');
    await assert.rejects(selectData(points, { ...base, signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const loss = (ids: Uint32Array) => {
      controller.abort(reason);
      return ids;
    };
    await assert.rejects(
      selectData(points, { ...base, loss, signal: controller.signal, batchSize: 4 }),
      reason,
    );
  });
});
