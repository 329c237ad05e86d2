import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../core/rng.ts';
import { clusterInterval, type GroupView } from './cluster-interval.ts';

interface Group {
  logits: number[];
  values: number[][];
  /** Factor between the mass the cache gives the group and count · e^(mean logit). */
  tilt: number;
}

const mean = (x: number[]) => x.reduce((sum, y) => sum + y, 0) / x.length;
const meanRow = (rows: number[][]) => rows[0].map((_, p) => mean(rows.map((row) => row[p])));
const distance = (x: number[], y: number[]) => Math.hypot(...x.map((a, p) => a - y[p]));

function exact(groups: Group[]): { lse: number; output: number[] } {
  const logits = groups.flatMap((g) => g.logits);
  const values = groups.flatMap((g) => g.values);
  const most = Math.max(...logits);
  const weights = logits.map((s) => Math.exp(s - most));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const output = values[0].map((_, p) => weights.reduce((sum, w, i) => sum + w * values[i][p], 0) / total);
  return { lse: most + Math.log(total), output };
}

/** The views of groups whose means are stored exactly, and the cache's output. */
function view(groups: Group[]): { views: GroupView[]; output: number[] } {
  const masses = groups.map((g) => Math.log(g.logits.length) + mean(g.logits) + g.tilt);
  const most = Math.max(...masses);
  const means = groups.map((g) => meanRow(g.values));
  const weights = masses.map((m) => Math.exp(m - most));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const output = means[0].map((_, p) => weights.reduce((sum, w, c) => sum + w * means[c][p], 0) / total);
  const views = groups.map(({ logits, values }, c) => {
    const logit = mean(logits);
    const away = values.map((v) => distance(v, means[c]));
    return {
      count: logits.length,
      logit,
      logitError: 0,
      above: Math.max(...logits) - logit,
      below: logit - Math.min(...logits),
      variance: mean(logits.map((s) => (s - logit) ** 2)),
      logMass: masses[c],
      distance: distance(means[c], output),
      valueError: 0,
      valueVariance: mean(away.map((a) => a * a)),
      valueRadius: Math.max(...away),
    };
  });
  return { views, output };
}

function randomGroups(rng: Rng): Group[] {
  const spread = 4 * rng.next() ** 2;
  const valueSpread = 2 * rng.next();
  return Array.from({ length: 1 + rng.integer(6) }, () => {
    const count = 1 + rng.integer(rng.integer(2) ? 3 : 30);
    const [logit, place] = [3 * rng.normal(), [rng.normal(), rng.normal()]];
    // Values follow logits in some groups: what shifts the softmax mean most.
    const tie = rng.integer(2) * rng.normal();
    const noises = Array.from({ length: count }, () => (rng.integer(4) ? rng.normal() : 3 * rng.next() ** 4));
    return {
      logits: noises.map((x) => logit + spread * x),
      values: noises.map((x) => place.map((p) => p + valueSpread * rng.normal() + tie * x)),
      tilt: rng.integer(2) * 0.3 * rng.normal(),
    };
  });
}

describe('clusterInterval', () => {
  it('holds for every one of thousands of random groupings', () => {
    const rng = createRng(1);
    let slack = 0;
    const runs = 5000;
    for (let run = 0; run < runs; run++) {
      const groups = randomGroups(rng);
      const { views, output } = view(groups);
      const { lse, output: truth } = exact(groups);
      const { lseLow, lseHigh, outputError } = clusterInterval(views);
      assert.ok(lseLow <= lse && lse <= lseHigh, `lse ${lse} in [${lseLow}, ${lseHigh}]`);
      const error = distance(output, truth);
      assert.ok(error <= outputError * (1 + 1e-12) + 1e-12, `error ${error} ≤ ${outputError}`);
      slack += Math.log(Math.max(outputError, 1e-9) / Math.max(error, 1e-9)) / runs;
    }
    // A bound that promises nothing would hold too: the geometric mean of bound ÷ error stays within tenfold.
    assert.ok(slack < Math.log(10), `bound / error = ${Math.exp(slack)}`);
  });

  it('is tight where Bennett, Jensen and Kantorovich are', () => {
    // All logits equal: both sides of the mass meet, and values do not move.
    const same = view([{ logits: [1, 1, 1], values: [[1], [2], [6]], tilt: 0 }]);
    const flat = clusterInterval(same.views);
    assert.ok(flat.lseHigh - flat.lseLow < 1e-8 && flat.outputError < 1e-8);
    // Two equal halves ±x with values ±1: mean e^X = cosh x, and the softmax moves the mean by tanh x. Bennett is exact.
    const x = 0.7;
    const logits = [x, -x];
    const two = clusterInterval(view([{ logits, values: [[1], [-1]], tilt: 0 }]).views);
    assert.ok(Math.abs(two.lseHigh - Math.log(2 * Math.cosh(x))) < 1e-8);
    assert.ok(two.outputError >= Math.tanh(x) && two.outputError <= Math.sinh(x) + 1e-8);
  });

  it('is exact for tokens kept as they are, and grows with what is not known', () => {
    const tokens = [0.5, -1, 2].map((s, i) => ({ logits: [s], values: [[i, -i]], tilt: 0 }));
    const { views } = view(tokens);
    const { lse } = exact(tokens);
    const exactInterval = clusterInterval(views);
    assert.ok(Math.abs(exactInterval.lseHigh - lse) < 1e-8 && Math.abs(exactInterval.lseLow - lse) < 1e-8);
    assert.ok(exactInterval.outputError < 1e-8);
    const unsure = clusterInterval(views.map((v) => ({ ...v, logitError: 0.1 })));
    assert.ok(unsure.lseHigh - lse > 0.09 && lse - unsure.lseLow > 0.09 && unsure.outputError > 0.01);
  });

  it('stays finite, or says that it knows nothing, at extreme logits', () => {
    const wide = { logits: [-900, 0, 900], values: [[0], [1], [2]], tilt: 0 };
    const { lseLow, lseHigh, outputError } = clusterInterval(view([wide]).views);
    assert.ok(lseLow <= 900 && lseHigh >= 900 && outputError <= 1.001 && outputError >= 1);
    assert.deepEqual(clusterInterval([]), { lseLow: -Infinity, lseHigh: -Infinity, outputError: 0 });
  });
});
