import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Matrix32, takeRows } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { plantedStream } from '../data/datasets/index.ts';
import { kCenterGreedy } from './k-center.ts';
import { OnlineKCenter, type OnlineKCenterStep } from './online-k-center.ts';
import { oracleOptimalRadius } from './oracle.ts';

/** Which center every row so far is in, by following the steps. */
class Members {
  labels: number[] = [];
  take({ center, changes }: OnlineKCenterStep): void {
    for (const { from, to } of changes)
      this.labels = this.labels.map((label) => (label === from ? to : label));
    this.labels.push(center);
  }
}

function distance({ data, cols }: Matrix32, i: number, other: Float32Array, j: number): number {
  return Math.hypot(...Array.from({ length: cols }, (_, p) => data[i * cols + p] - other[j * cols + p]));
}

/** Everything the docstring promises, of the rows 0 … members.labels.length − 1. */
function checkInvariants(points: Matrix32, centers: OnlineKCenter, { labels }: Members): void {
  const { size, k, delta, merging, representatives, radii, means, dim } = centers;
  assert.ok(means);
  const tight = 1 + 1e-12;
  assert.ok(size <= k);
  for (let a = 0; a < size; a++)
    for (let b = 0; b < a; b++) {
      const apart = distance({ data: representatives, rows: size, cols: dim }, a, representatives, b);
      if (merging === 'doubling') assert.ok(apart > delta);
      else assert.ok(apart * tight >= delta);
    }
  const counts = new Array(size).fill(0);
  const sums = new Float64Array(size * dim);
  labels.forEach((label, i) => {
    counts[label]++;
    for (let p = 0; p < dim; p++) sums[label * dim + p] += points.data[i * dim + p];
    const away = distance(points, i, representatives, label);
    assert.ok(away <= radii[label] * tight, 'radius holds');
    const most = merging === 'doubling' ? 2 : Math.floor(Math.log2(centers.counts[label]));
    assert.ok(away <= most * delta * tight, 'members are within 2δ, or δ⌊log₂ n⌋');
  });
  const scatters = new Float64Array(size);
  for (let c = 0; c < size; c++) {
    const { error, radius } = means.bounds(c);
    const count: number = counts[c];
    assert.equal(centers.counts[c], counts[c]);
    const mean = Array.from({ length: dim }, (_, p) => sums[c * dim + p] / count);
    // The test's own sums carry count · 2⁻⁵³ of the rows' norms.
    const rounding = 1e-13 * Math.hypot(...mean);
    assert.ok(Math.hypot(...mean.map((x, p) => x - means.means[c * dim + p])) <= error + rounding);
    labels.forEach((label, i) => {
      if (label !== c) return;
      const away = distance(points, i, means.means, c);
      scatters[c] += away ** 2;
      assert.ok(away <= radius * tight, 'radius around the mean holds');
    });
    assert.ok(scatters[c] <= means.bounds(c).scatter * tight + 1e-300, 'scatter holds');
  }
  assert.ok(delta <= (merging === 'doubling' ? 4 : 2) * centers.optimumLow * tight);
}

describe('OnlineKCenter', () => {
  it('keeps every promise at every row', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom('doubling' as const, 'closest' as const),
      fc.boolean(),
      (seed, k, merging, spread) => {
        const rng = createRng(seed);
        // Integers tie and repeat; the other kind grows away, so that the threshold doubles many times.
        const entry = (i: number) => (spread ? rng.normal() * 1.3 ** (i / 6) : rng.integer(9));
        const points = { data: Float32Array.from({ length: 120 }, (_, i) => entry(i)), rows: 60, cols: 2 };
        const centers = new OnlineKCenter({ dim: 2, k, merging });
        const members = new Members();
        for (let i = 0; i < points.rows; i++) {
          members.take(centers.add(points.data, 2 * i));
          checkInvariants(points, centers, members);
        }
      },
    );
    fc.assert(property, { seed: 1, numRuns: 120 });
  });

  it('has a radius within 8 of the best: by brute force, and by farthest-first centers', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 1, max: 4 }),
      async (seed, k) => {
        const rng = createRng(seed);
        const points = { data: Float32Array.from({ length: 24 }, () => rng.integer(40)), rows: 12, cols: 2 };
        const centers = new OnlineKCenter({ dim: 2, k });
        for (let i = 0; i < points.rows; i++) centers.add(points.data, 2 * i);
        const radius = Math.max(...centers.radii.subarray(0, centers.size));
        const best = oracleOptimalRadius(points, k); // with rows as centers: at most twice that with any centers
        assert.ok(radius <= 8 * best * (1 + 1e-12));
        assert.ok(centers.optimumLow <= best * (1 + 1e-12));
        // K + 1 farthest-first centers pairwise ≥ x apart: no K centers do better than x / 2.
        const { indices } = await kCenterGreedy(points, { k: k + 1, first: 0 });
        if (indices.length <= k) return assert.equal(radius, 0);
        let least = Infinity;
        for (const a of indices)
          for (const b of indices) if (a < b) least = Math.min(least, distance(points, a, points.data, b));
        assert.ok(radius <= 8 * (least / 2) * (1 + 1e-12));
      },
    );
    await fc.assert(property, { seed: 2, numRuns: 200 });
  });

  it('finds planted clusters once K exceeds their number, and takes batches as it takes rows', async () => {
    const { keys, groups } = plantedStream({ rows: 1500, clusters: 20, dim: 40, seed: 2 });
    for (const [k, merging] of [
      [12, 'doubling'],
      [12, 'closest'],
      [25, 'doubling'],
      [25, 'closest'],
    ] as const) {
      const single = new OnlineKCenter({ dim: 40, k, merging });
      const batch = new OnlineKCenter({ dim: 40, k, merging });
      const [one, many] = [new Members(), new Members()];
      for (let i = 0; i < keys.rows; i++) one.take(single.add(keys.data, i * 40));
      await batch.addAll(keys, (_, step) => many.take(step));
      assert.deepEqual(many.labels, one.labels);
      assert.deepEqual(batch.state(), single.state());
      if (k < 20) continue;
      const pairs = new Map(one.labels.map((label, i) => [label, groups[i]]));
      assert.ok(one.labels.every((label, i) => pairs.get(label) === groups[i]));
      checkInvariants(keys, single, one);
    }
  });

  it('by closest pairs merges what the book would, and is left with K centers', () => {
    // The two closest of K + 1 by looking at all pairs; integers would tie.
    const rng = createRng(12);
    const points = { data: Float32Array.from({ length: 400 }, () => rng.normal()), rows: 200, cols: 2 };
    const [k, centers, members] = [9, new OnlineKCenter({ dim: 2, k: 9, merging: 'closest' }), new Members()];
    let book: { row: number; radius: number }[] = [];
    let delta = 0;
    for (let i = 0; i < points.rows; i++) {
      members.take(centers.add(points.data, 2 * i));
      const to = (row: number) => distance(points, i, points.data, row);
      const nearest = book.toSorted((a, b) => to(a.row) - to(b.row))[0];
      if (nearest && to(nearest.row) <= delta) nearest.radius = Math.max(nearest.radius, to(nearest.row));
      else book.push({ row: i, radius: 0 });
      if (book.length > k) {
        const pairs = book.flatMap((a) => book.flatMap((b) => (a.row < b.row ? [{ a, b }] : [])));
        const apart = ({ a, b }: (typeof pairs)[0]) => distance(points, a.row, points.data, b.row);
        const { a, b } = pairs.toSorted((x, y) => apart(x) - apart(y))[0];
        delta = apart({ a, b });
        const [kept, gone] = a.radius > b.radius ? [a, b] : b.radius > a.radius ? [b, a] : [a, b];
        kept.radius = Math.max(kept.radius, delta + gone.radius);
        book = book.filter((one) => one !== gone);
      }
      const places = (rows: Float32Array) =>
        Array.from({ length: centers.size }, (_, c) => `${rows[2 * c]} ${rows[2 * c + 1]}`).sort();
      const expected = book.map(({ row }) => `${points.data[2 * row]} ${points.data[2 * row + 1]}`).sort();
      assert.deepEqual(places(centers.representatives), expected);
      assert.ok(Math.abs(centers.delta - delta) <= 1e-12);
    }
    assert.equal(centers.size, k);
  });

  it('goes on from centers chosen all at once', async () => {
    const { keys } = plantedStream({ rows: 400, clusters: 30, dim: 6, seed: 7 });
    const k = 8;
    const found = await kCenterGreedy(keys, { k, first: 0 });
    const { indices, labels, distances, radius } = found;
    const radii = new Float64Array(k);
    const counts = new Float64Array(k);
    labels.forEach((label, i) => {
      radii[label] = Math.max(radii[label], Math.sqrt(distances[i]));
      counts[label]++;
    });
    const given = { representatives: takeRows(keys, indices).data, radii, counts };
    const centers = OnlineKCenter.from({ dim: 6, k }, given, { delta: radius, optimumLow: radius / 2 });
    const known = { ...given, gaps: found.gaps.map(Math.sqrt), gapCenters: found.gapCenters };
    const same = OnlineKCenter.from({ dim: 6, k }, known, { delta: radius, optimumLow: radius / 2 });
    assert.deepEqual(same.state(), centers.state());
    const members = new Members();
    members.labels = [...labels];
    const later = plantedStream({ rows: 400, clusters: 30, dim: 6, seed: 8 }).keys;
    const all = { data: Float32Array.of(...keys.data, ...later.data), rows: 800, cols: 6 };
    for (let i = 0; i < later.rows; i++) members.take(centers.add(later.data, 6 * i));
    members.labels.forEach((label, i) => {
      const away = distance(all, i, centers.representatives, label);
      assert.ok(away <= centers.radii[label] * (1 + 1e-12));
    });
    assert.equal(
      centers.counts.subarray(0, centers.size).reduce((a, b) => a + b),
      800,
    );
    const best = (await kCenterGreedy(all, { k, first: 0 })).radius; // ≥ the best, ≤ twice it
    assert.ok(centers.optimumLow <= best * (1 + 1e-12));
    assert.ok(Math.max(...centers.radii.subarray(0, centers.size)) <= 8 * best * (1 + 1e-12));
  });

  it('goes on from a copy or a saved state as if it were one run', () => {
    const rng = createRng(9);
    const data = Float32Array.from({ length: 600 }, () => rng.normal());
    const make = () => new OnlineKCenter({ dim: 2, k: 5, merging: 'closest' });
    const whole = make();
    const first = make();
    for (let i = 0; i < 300; i++) whole.add(data, 2 * i);
    assert.deepEqual(OnlineKCenter.restore(first.state()).state(), first.state());
    for (let i = 0; i < 150; i++) first.add(data, 2 * i);
    const before = first.state();
    const copy = first.copy();
    for (let i = 150; i < 300; i++) copy.add(data, 2 * i);
    assert.deepEqual(copy.state(), whole.state());
    assert.deepEqual(first.state(), before);
    // 5 rows of 2 columns twice in float32, 3 + 3 scalars each in float64 and an index.
    assert.equal(first.bytes, 5 * (2 * 2 * 4 + 6 * 8 + 4));
  });

  it('refuses bad options and arrays', async () => {
    assert.throws(() => new OnlineKCenter({ dim: 2, k: 0 }), { message: /k is 0/ });
    assert.throws(() => new OnlineKCenter({ dim: 0, k: 1 }), { message: /dim is 0/ });
    assert.throws(() => new OnlineKCenter({ dim: 2, k: 1, merging: 'all' as never }), {
      message: /merging is "all"/,
    });
    const centers = new OnlineKCenter({ dim: 2, k: 1 });
    const short = { data: new Float32Array(3), rows: 2, cols: 2 };
    await assert.rejects(
      centers.addAll(short, () => {}),
      { code: 'SHAPE' },
    );
    assert.throws(() => OnlineKCenter.restore({ ...centers.state(), radii: new Float64Array(1) }), {
      code: 'SHAPE',
    });
  });
});
