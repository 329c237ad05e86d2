// The reference of argsort and sliceRows. Every other backend does the same operations on the same numbers, so all give the same bits.

import { yieldToEventLoop } from '../core/progress.ts';
import { argsortPasses } from './argsort.ts';
import type { ArgsortTask, SliceProgramme, SliceRowsTask } from './slice-types.ts';

/** Steps between two looks at the event loop: about 30 ms. */
const STEPS_PER_SLICE = 1 << 24;

/** Values from which sorting is worth a look at the event loop between passes. */
const MANY_VALUES = 1 << 18;

export async function argsortReference({ values, order, sorted, spare }: ArgsortTask): Promise<void> {
  for (const _ of argsortPasses(values, order, sorted, spare))
    if (values.length >= MANY_VALUES) await yieldToEventLoop();
}

export async function sliceRowsReference(task: SliceRowsTask): Promise<void> {
  const { minSize, maxSize, monotone, first, end } = task;
  const stepsPerBlock = minSize + maxSize + (monotone ? 8 * minSize : minSize * (maxSize - minSize + 1));
  const blocks = Math.max(1, Math.ceil(STEPS_PER_SLICE / stepsPerBlock));
  for (const programme of task.programmes) {
    const walk = new BlockWalk(task, programme);
    const last = Math.min(end, programme.rows);
    for (let boundary = first, done = 0; boundary < last; boundary += minSize, done++) {
      if (done > 0 && done % blocks === 0) await yieldToEventLoop();
      walk.block(boundary, Math.min(minSize, last - boundary));
    }
  }
}

/** One programme, block by block. Columns c = 0, 1, … are starts of bags, j = firstColumn + c; rows r = 1, 2, … their ends, i = boundary + r. */
class BlockWalk {
  private readonly task: SliceRowsTask;
  private readonly programme: SliceProgramme;
  private readonly inverse: Float64Array; // 1 / m
  // Sums over j … boundary − 1 by column, and over boundary … i − 1 by row.
  private readonly heads: Float64Array; // costs[j] + Σ w d²
  private readonly left: Float64Array; // Σ w d
  private readonly leftWeight: Float64Array;
  private readonly leftNoise: Float64Array;
  private readonly right: Float64Array;
  private readonly rightSquares: Float64Array;
  private readonly rightWeight: Float64Array;
  private readonly rightNoise: Float64Array;
  // Columns between which the best one of rows above and below must lie.
  private readonly lowest: Uint32Array;
  private readonly highest: Uint32Array;
  private boundary = 0;
  private firstColumn = 0;
  private bestValue = 0;

  constructor(task: SliceRowsTask, programme: SliceProgramme) {
    const { minSize, maxSize } = task;
    this.task = task;
    this.programme = programme;
    this.inverse = Float64Array.from({ length: maxSize + 1 }, (_, m) => 1 / m);
    const columns = () => new Float64Array(maxSize + 1);
    const rows = () => new Float64Array(minSize + 1);
    [this.heads, this.left] = [columns(), columns()];
    [this.right, this.rightSquares] = [rows(), rows()];
    const none = new Float64Array(0);
    [this.leftWeight, this.rightWeight] = task.weights ? [columns(), rows()] : [none, none];
    [this.leftNoise, this.rightNoise] = task.noise ? [columns(), rows()] : [none, none];
    this.lowest = new Uint32Array(minSize + 1);
    this.highest = new Uint32Array(minSize + 1);
  }

  block(boundary: number, rows: number): void {
    const { maxSize, monotone } = this.task;
    const { costs, sizes } = this.programme;
    const windowStart = Math.max(0, boundary + 1 - maxSize);
    rebase(costs, windowStart, boundary);
    this.boundary = boundary;
    // The best start of a row is at or after that of the row before.
    this.firstColumn =
      monotone && sizes[boundary] > 0 ? Math.max(windowStart, boundary - sizes[boundary]) : windowStart;
    this.sumLeft();
    this.sumRight(rows);
    const lastColumn = boundary - this.firstColumn;
    if (monotone) this.searchByHalves(rows, lastColumn);
    else for (let r = 1; r <= rows; r++) this.row(r, 0, lastColumn);
  }

  private at(t: number): number {
    return this.programme.reversed ? this.task.count - 1 - t : t;
  }

  private sumLeft(): void {
    const { boundary, firstColumn, heads, left, leftWeight, leftNoise } = this;
    const { values, weights, noise } = this.task;
    const { costs } = this.programme;
    const anchor = values[this.at(boundary)];
    let [sum, squares, weight, noises] = [0, 0, 0, 0];
    for (let c = boundary - firstColumn; c >= 0; c--) {
      if (firstColumn + c < boundary) {
        const from = this.at(firstColumn + c);
        const d = values[from] - anchor;
        const wd = weights ? weights[from] * d : d;
        sum += wd;
        squares += wd * d;
        if (weights) weight += weights[from];
        if (noise) noises += noise[from];
      }
      heads[c] = costs[firstColumn + c] + squares;
      left[c] = sum;
      if (weights) leftWeight[c] = weight;
      if (noise) leftNoise[c] = noises;
    }
  }

  private sumRight(rows: number): void {
    const { boundary, right, rightSquares, rightWeight, rightNoise } = this;
    const { values, weights, noise } = this.task;
    const anchor = values[this.at(boundary)];
    let [sum, squares, weight, noises] = [0, 0, 0, 0];
    for (let r = 1; r <= rows; r++) {
      const from = this.at(boundary + r - 1);
      const d = values[from] - anchor;
      const wd = weights ? weights[from] * d : d;
      sum += wd;
      squares += wd * d;
      right[r] = sum;
      rightSquares[r] = squares;
      if (weights) rightWeight[r] = weight += weights[from];
      if (noise) rightNoise[r] = noises += noise[from];
    }
  }

  /** The middle row first, then the middles of both halves, and so on: each between what its neighbours found. */
  private searchByHalves(rows: number, lastColumn: number): void {
    const { lowest, highest } = this;
    lowest[0] = 0;
    for (let step = 2 ** Math.floor(Math.log2(rows)); step >= 1; step /= 2) {
      for (let r = step; r <= rows; r += 2 * step) {
        const from = lowest[r - step];
        const to = r + step <= rows ? highest[r + step] : lastColumn;
        const best = this.row(r, from, to);
        // A row that cannot be cut says nothing about its neighbours.
        lowest[r] = best < 0 ? from : best;
        highest[r] = best < 0 ? to : best;
      }
    }
  }

  /** Finds the best of columns from … to of row r and notes it. @returns that column, the first of equals; −1: there is none */
  private row(r: number, from: number, to: number): number {
    const { minSize, maxSize, penalty } = this.task;
    const { costs, sizes } = this.programme;
    const i = this.boundary + r;
    // The row's end as if it were a column: sizes are differences.
    const end = i - this.firstColumn;
    const best = this.scan(r, end, Math.max(from, end - maxSize), Math.min(to, end - minSize));
    costs[i] = best < 0 ? Infinity : this.bestValue + this.rightSquares[r] + penalty;
    sizes[i] = best < 0 ? 0 : end - best;
    return best;
  }

  private scan(r: number, end: number, from: number, to: number): number {
    const { inverse, heads, left, leftWeight, leftNoise } = this;
    const { weights, noise } = this.task;
    const right = this.right[r];
    const [rightWeight, rightNoise] = [this.rightWeight[r], this.rightNoise[r]];
    let best = -1;
    let least = Infinity;
    for (let c = from; c <= to; c++) {
      const sum = left[c] + right;
      let value = heads[c];
      if (weights) value -= (sum * sum) / (leftWeight[c] + rightWeight);
      else value -= sum * sum * inverse[end - c];
      if (noise) value += (leftNoise[c] + rightNoise) * inverse[end - c];
      if (value < least) {
        least = value;
        best = c;
      }
    }
    this.bestValue = least;
    return best;
  }
}

/** Takes the least of costs[from … to] from all of them: what is compared stays as small as the costs of a few bags. */
function rebase(costs: Float64Array, from: number, to: number): void {
  let least = Infinity;
  for (let j = from; j <= to; j++) least = Math.min(least, costs[j]);
  if (least === Infinity) return;
  for (let j = from; j <= to; j++) costs[j] -= least;
}
