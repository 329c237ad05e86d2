import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRng } from '../core/rng.ts';
import { RunningMeans } from './running-means.ts';

it('RunningMeans merges groups as if their rows had come to one', () => {
  const rng = createRng(3);
  const rows = Float32Array.from({ length: 300 }, () => 5 + rng.normal());
  const groups = new RunningMeans(3, 3, { diagonal: true });
  // Rows go to three groups; then the last two are merged into the first, by way of another place.
  for (let i = 0; i < 100; i++) {
    if (i < 3) groups.open(i, rows, 3 * i);
    else groups.add(i % 3, Math.floor(i / 3), rows, 3 * i);
  }
  groups.merge(1, 33, 2, 33);
  groups.move(1, 2);
  groups.merge(0, 34, 2, 66);
  const { error, scatter, radius } = groups.bounds(0);
  assert.ok(groups.squares);
  let [exact, most] = [0, 0];
  const far = new Float64Array(100);
  for (let p = 0; p < 3; p++) {
    const column = Float64Array.from({ length: 100 }, (_, i) => rows[3 * i + p]);
    const mean = column.reduce((a, b) => a + b) / 100;
    assert.ok(Math.abs(groups.means[p] - mean) <= error);
    const squares = column.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    exact += squares;
    for (const [i, x] of column.entries()) far[i] += (x - groups.means[p]) ** 2;
    // 100 float32 additions of non-negative terms from means rounded each time: 100 · 2⁻²³ of the whole, doubled.
    assert.ok(Math.abs(groups.squares[p] - squares) <= 2 * 100 * 2 ** -23 * squares);
  }
  for (let i = 0; i < 100; i++) most = Math.max(most, Math.sqrt(far[i]));
  assert.ok(error < 1e-4 && exact <= scatter && scatter <= 1.001 * exact);
  assert.ok(most <= radius);
});
