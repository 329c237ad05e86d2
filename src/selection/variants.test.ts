// Rounds, gradients, constraints, shards and the small helpers.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gaussianMixture } from '../data/datasets/index.ts';
import { adaptiveSelect, type RoundInput } from './adaptive.ts';
import { neymanAllocation } from './allocation.ts';
import { drawConstrained } from './constrained.ts';
import { lastLayerGradientNorms, selectByGradient } from './gradient.ts';
import { drawSample } from './sampling/draw-sample.ts';
import { earlierObservations } from './seen-rows.ts';
import { selectData } from './select-data.ts';
import { shardCounts } from './shards.ts';
import { mislabelSuspects } from './suspects.ts';
import { trainingWeights } from './training-weights.ts';

const { points, losses, labels, representatives } = gaussianMixture({
  rows: 500,
  cols: 4,
  clusters: 10,
  lambda: 0.5,
  seed: 3,
});
const clustering = { labels, representatives };
const lossOf = (ids: Uint32Array): Float64Array => Float64Array.from(ids, (id) => losses[id]);

describe('adaptiveSelect', () => {
  it('selects new rows in every round and asks afresh', async () => {
    const asked: number[][] = [[], [], []];
    const trained: RoundInput[] = [];
    const { value, certificate } = await adaptiveSelect(points, {
      size: 100,
      rounds: 3,
      clustering,
      mode: 'balanced',
      stopDistance: 0,
      loss: (ids, round) => {
        asked[round - 1].push(...ids);
        // The model changes: each round another part has become easy.
        return Float64Array.from(ids, (id) => losses[id] * (labels[id] === round ? 0.01 : 1));
      },
      train: async (input) => {
        trained.push(input);
      },
    });
    assert.deepEqual(
      value.rounds.map((round) => round.value.ids.length),
      [34, 33, 33],
    );
    assert.equal(new Set(value.ids).size, 100);
    assert.equal(value.queries, 30);
    for (const ids of asked)
      assert.deepEqual(
        ids.sort((a, b) => a - b),
        [...representatives],
      );
    assert.deepEqual(
      trained.map(({ ids }) => ids.length),
      [34, 67, 100],
    );
    assert.ok(Number.isNaN(value.rounds[0].change) && value.rounds[1].change > 0.02);
    assert.ok(Math.abs(certificate.bound.failureProbability - 0.1) < 1e-12);
    for (const round of value.rounds)
      assert.ok(Math.abs(round.certificate.bound.failureProbability - 0.1 / 3) < 1e-12);
    // Round 2 estimates the loss of the rows that were left.
    assert.equal(value.rounds[1].value.population, 466);
  });

  it('tells of every round the worst, and checks only what that round asked', async () => {
    const { value, certificate } = await adaptiveSelect(points, {
      size: 60,
      rounds: 2,
      clustering,
      mode: 'paper',
      lambda: 5,
      power: 1,
      probes: 3,
      stopDistance: 0,
      // In round 1 every row but the representatives lies above its score; in round 2 losses are large and all alike.
      loss: (ids, round) =>
        Float64Array.from(ids, (id) =>
          round === 2 ? 5000 : representatives.includes(id) ? losses[id] : 100,
        ),
      train: ({ selection }) => new Float64Array(selection.ids.length).fill(1e6),
    });
    assert.deepEqual(
      value.rounds.map((round) => round.certificate.assumptions[0].status),
      ['violated', 'checked'],
    );
    assert.ok(value.rounds[1].certificate.bound.value > value.rounds[0].certificate.bound.value);
    assert.equal(certificate.assumptions[0].status, 'violated');
    // 10 clusters with 3 probes each; the 30 rows trained on are none.
    assert.match(value.rounds[1].certificate.assumptions[0].measure!, /share of 30 held-back probes/);
  });

  it('with one round and fresh losses is a plain selection', async () => {
    const { value } = await adaptiveSelect(points, { size: 50, rounds: 1, clustering, loss: lossOf });
    const plain = await selectData(points, { size: 50, clustering, loss: lossOf });
    assert.equal(value.ids.length, 50);
    // Other random streams, so other probes; the same formula on the same losses of representatives.
    assert.equal(value.rounds[0].value.k, plain.value.k);
  });

  it('stops asking once p has settled, and still delivers all rows', async () => {
    const { value, certificate } = await adaptiveSelect(points, {
      size: 90,
      rounds: 5,
      clustering,
      mode: 'balanced',
      loss: lossOf,
    });
    assert.ok(value.stoppedEarly);
    assert.equal(value.rounds.length, 2);
    assert.equal(value.ids.length, 90);
    assert.match(certificate.warnings.join('\n'), /took all rows that were left/);
  });

  it('follows new embeddings', async () => {
    let embedded = 0;
    const { value } = await adaptiveSelect(points, {
      size: 60,
      rounds: 2,
      k: 8,
      loss: lossOf,
      embed: () => {
        embedded++;
        return { ...points, data: points.data.map((x) => -x) };
      },
      train: ({ selection }) => lossOf(selection.ids),
    });
    assert.equal(embedded, 1);
    assert.equal(new Set(value.ids).size, 60);
  });

  it('lets losses seen in training count by age and weight', () => {
    const pool = {
      source: undefined as never,
      ids: undefined,
      dropped: new Uint32Array(0),
      rowWeights: undefined,
    };
    const seen = [
      { id: 4, loss: 1, weight: 3, cluster: 2, round: 1 },
      { id: 9, loss: 5, weight: 1, cluster: 2, round: 1 },
      { id: 7, loss: 2, weight: 8, cluster: 0, round: 2 },
    ];
    const { trust, rows, losses: kept } = earlierObservations(seen, 3, 0.5, pool)!;
    assert.deepEqual([...rows], [4, 9, 7]);
    assert.deepEqual([...kept], [1, 5, 2]);
    // Two rows of age 2 count 2·¼ together, 3 : 1 by weight; one of age 1 counts ½.
    assert.deepEqual([...trust], [0.375, 0.125, 0.5]);
    assert.equal(earlierObservations(seen, 3, 0, pool), undefined);
  });

  it('names what is wrong', async () => {
    const options = { size: 10, rounds: 2, clustering, loss: lossOf };
    await assert.rejects(adaptiveSelect(points, { ...options, rounds: 0 }), { message: /rounds is 0/ });
    await assert.rejects(adaptiveSelect(points, { ...options, discount: 2 }), { message: /discount is 2/ });
    await assert.rejects(adaptiveSelect(points, { ...options, scheme: 'hansen-hurwitz' }), {
      message: /repeats rows/,
    });
    await assert.rejects(adaptiveSelect(points, { ...options, train: () => [1] }), { code: 'SHAPE' });
  });
});

describe('selectByGradient', () => {
  // Gradients g(e) = ℓ(e)·direction of the embedding: norms are the losses.
  const gradient = (e: number): number[] => {
    const row = Array.from(points.data.subarray(e * 4, e * 4 + 4));
    const norm = Math.hypot(...row);
    return row.map((x) => (losses[e] * x) / norm);
  };
  const exact = [0, 1, 2, 3].map((j) => losses.reduce((sum, _, e) => sum + gradient(e)[j], 0));

  it('keeps E‖Ĝ − G‖² below its bound for every scheme it is stated for, and is unbiased', async () => {
    for (const scheme of ['hansen-hurwitz', 'fixed-size', 'poisson'] as const) {
      const { value, certificate } = await selectByGradient(points, {
        gradientNorm: lossOf,
        size: 80,
        clustering,
        scheme,
        probes: 20,
      });
      const p = value.model.probabilities;
      let mean = 0;
      const center = [0, 0, 0, 0];
      const runs = 600;
      for (let seed = 0; seed < runs; seed++) {
        const { ids, weights } = drawSample(p, { size: 80, seed, scheme });
        const estimate = [0, 0, 0, 0];
        ids.forEach((id, i) => {
          gradient(id).forEach((g, j) => {
            estimate[j] += weights[i] * g;
          });
        });
        mean += Math.hypot(...estimate.map((g, j) => g - exact[j])) ** 2 / runs;
        estimate.forEach((g, j) => {
          center[j] += g / runs;
        });
      }
      // bound = √(E/δ) by Chebyshev, so E ≤ bound²·δ; the measured mean may exceed its expectation by a few per cent.
      assert.ok(mean <= certificate.bound.value ** 2 * 0.1 * 1.3, `${scheme}: ${mean}`);
      assert.ok(Math.hypot(...center.map((g, j) => g - exact[j])) < 5 * Math.sqrt(mean / runs)); // 5 standard errors
    }
    const gumbel = await selectByGradient(points, {
      gradientNorm: lossOf,
      size: 80,
      clustering,
      scheme: 'gumbel',
    });
    assert.equal(gumbel.certificate.bound.value, Infinity);
  });

  it('takes ε as 1/(ε²δ) draws', async () => {
    const { value, certificate } = await selectByGradient(points, {
      gradientNorm: lossOf,
      epsilon: 0.5,
      clustering,
    });
    assert.equal(value.draws, 40);
    assert.equal(certificate.bound.unit, 'same as gradient norm');
    assert.ok(Math.abs(certificate.bound.value - 0.5 * value.range) < 1e-9 * value.range);
  });

  it('has last-layer norms that equal the gradient of the cross-entropy', () => {
    const probabilities = { data: Float32Array.of(0.5, 0.25, 0.25), rows: 1, cols: 3 };
    const features = { data: Float32Array.of(2, -1), rows: 1, cols: 2 };
    // ∂ℓ/∂W = (p − y)hᵀ, ∂ℓ/∂b = p − y with y = (0, 1, 0).
    const entries = [0.5, -0.75, 0.25].flatMap((r) => [2 * r, -r, r]);
    const [norm] = lastLayerGradientNorms(probabilities, [1], features);
    assert.ok(Math.abs(norm - Math.hypot(...entries)) < 1e-12);
    assert.throws(() => lastLayerGradientNorms(probabilities, [3]), { message: /labels\[0\] is 3/ });
  });
});

describe('drawConstrained', () => {
  const groups = Uint32Array.from({ length: 500 }, (_, e) => e % 3);

  it('meets quotas, includes and excludes exactly', () => {
    const quotas = new Map([
      [0, 20],
      [1, 5],
      [2, 0],
    ]);
    const sample = drawConstrained(losses, { groups, quotas, include: [3, 1], exclude: [0, 6] });
    const of = (group: number): number => sample.ids.filter((id) => groups[id] === group).length;
    assert.deepEqual([of(0), of(1), of(2)], [20, 5, 0]);
    assert.ok(sample.ids.includes(3) && sample.ids.includes(1));
    assert.ok(!sample.ids.includes(0) && !sample.ids.includes(6));
    assert.equal(sample.weights[sample.ids.indexOf(3)], 1);
    // Group 0 has 167 rows, two of them excluded; group 1 has 167; group 2 has no quota.
    assert.equal(sample.population, 165 + 167);
  });

  it('stays unbiased for the rows that may be drawn', () => {
    const exact = losses.reduce((sum, loss, e) => sum + (e === 7 ? 0 : loss), 0);
    let mean = 0;
    let squares = 0;
    const runs = 2000;
    for (let seed = 0; seed < runs; seed++) {
      const { ids, weights } = drawConstrained(losses, {
        size: 40,
        include: [11, 12],
        exclude: [7],
        seed,
        costs: groups.map((g) => g + 1),
      });
      assert.equal(ids.length, 40);
      const value = ids.reduce((sum, id, j) => sum + weights[j] * losses[id], 0);
      mean += value / runs;
      squares += value ** 2 / runs;
    }
    assert.ok(Math.abs(mean - exact) < 5 * Math.sqrt((squares - mean ** 2) / runs)); // 5 standard errors: 6e-7
  });

  it('prefers cheap rows in proportion to 1/√cost', () => {
    const costs = Float64Array.from({ length: 500 }, (_, e) => (e < 250 ? 1 : 9));
    let cheap = 0;
    for (let seed = 0; seed < 200; seed++) {
      cheap += drawConstrained(new Float64Array(500).fill(1), { size: 20, costs, seed }).ids.filter(
        (e) => e < 250,
      ).length;
    }
    // Expected 3/4 of 4 000 draws, s.d. ≤ 27: 5 of them.
    assert.ok(Math.abs(cheap - 3000) < 137, `${cheap}`);
  });

  it('names what cannot be met', () => {
    assert.throws(() => drawConstrained(losses, { size: 1, include: [1, 2] }), {
      message: /2 rows must be included, but only 1 fit/,
    });
    assert.throws(() => drawConstrained(losses, { size: 5, include: [1], exclude: [1] }), {
      message: /row 1 is both/,
    });
    assert.throws(() => drawConstrained(losses, {}), { message: /exactly one of size and quotas/ });
    assert.throws(() => drawConstrained(losses, { quotas: new Map([[0, 1]]) }), {
      message: /without groups/,
    });
    assert.throws(() => drawConstrained(losses, { groups, quotas: new Map([[0, 1]]), include: [1] }), {
      message: /group 1 has no quota/,
    });
    assert.throws(() => drawConstrained(losses, { size: 5, costs: new Float64Array(500) }), {
      message: /costs\[0\] is 0/,
    });
  });
});

describe('shardCounts', () => {
  it('splits draws as one sampler over all rows would', () => {
    const totals = [1, 0, 3];
    let first = 0;
    for (let seed = 0; seed < 500; seed++) {
      const counts = shardCounts(totals, 40, seed);
      assert.equal(counts[0] + counts[2], 40);
      assert.equal(counts[1], 0);
      first += counts[0];
    }
    // Binomial(20 000, ¼): s.d. 61; 5 of them.
    assert.ok(Math.abs(first - 5000) < 306, `${first}`);
  });
});

describe('neymanAllocation', () => {
  it('is the best of all splits', () => {
    const sizes = [10, 6, 8];
    const deviations = [1, 4, 0.5];
    const { counts, variance } = neymanAllocation(sizes, deviations, 7);
    let best = Infinity;
    for (let a = 1; a <= 5; a++) {
      for (let b = 1; a + b <= 6; b++) {
        const split = [a, b, 7 - a - b];
        const value = split.reduce(
          (sum, s, i) => sum + ((sizes[i] * deviations[i]) ** 2 * (1 - s / sizes[i])) / s,
          0,
        );
        if (split.every((s, i) => s <= sizes[i])) best = Math.min(best, value);
      }
    }
    assert.equal(
      counts.reduce((sum, s) => sum + s, 0),
      7,
    );
    assert.ok(Math.abs(variance - best) < 1e-9, `${variance} against ${best}`);
    assert.deepEqual([...neymanAllocation([2, 3], [1, 1], 99).counts], [2, 3]);
    assert.equal(neymanAllocation([2, 3], [1, 1], 99).variance, 0);
    assert.equal(neymanAllocation([5, 5], [1, 2], 1).variance, Infinity);
  });
});

describe('trainingWeights', () => {
  it('have mean 1 and respect the clip', () => {
    const sample = drawSample(
      losses.map((loss) => loss + 0.05),
      { size: 80, scheme: 'fixed-size' },
    );
    for (const weighting of ['none', 'importance', { clip: 2 }] as const) {
      const weights = trainingWeights(sample, weighting);
      assert.ok(Math.abs(weights.reduce((sum, w) => sum + w, 0) / 80 - 1) < 1e-12);
    }
    assert.deepEqual(trainingWeights(sample), new Float64Array(80).fill(1));
    const spread = (weights: Float64Array): number => Math.max(...weights) / Math.min(...weights);
    assert.ok(spread(trainingWeights(sample, { clip: 2 })) < spread(trainingWeights(sample, 'importance')));
    assert.throws(() => trainingWeights(sample, { clip: 0 }), { message: /clip is 0/ });
  });
});

describe('mislabelSuspects', () => {
  it('finds planted label errors first', async () => {
    const spoilt = losses.slice();
    const planted = [77, 188, 299];
    for (const e of planted) spoilt[e] += 60;
    const { value } = await selectData(points, {
      size: 50,
      clustering,
      loss: (ids) => Float64Array.from(ids, (id) => spoilt[id]),
      power: 1,
    });
    const all = Array.from({ length: 500 }, (_, e) => e);
    const suspects = mislabelSuspects(all, spoilt, value.model.scores);
    assert.deepEqual(new Set(suspects.slice(0, 3).map(({ id }) => id)), new Set(planted));
    assert.equal(mislabelSuspects([1, 2], [5, 0], [0, 0])[0].ratio, Infinity);
    assert.equal(mislabelSuspects(all, spoilt, value.model.scores, { factor: 0.1, limit: 4 }).length, 4);
  });
});
