// The attention kernels as obvious loops in float64, for every backend to be tested against.

import { yieldToEventLoop } from '../core/progress.ts';
import type {
  AttentionBackwardTask,
  AttentionKernels,
  AttentionLogits,
  AttentionTask,
  AttentionTiles,
  DecodeTask,
  ExpTask,
} from './attention-types.ts';
import { halfToNumber } from './half.ts';
import { type FloatStorage, rowFormat } from './row-format.ts';

/** Multiply-adds between two looks at the event loop: about 20 ms. */
const WORK_PER_SLICE = 1 << 24;

export const attentionReference: AttentionKernels = { attention, attentionBackward, decode, exp };

/** Calls `visit` for each query row of each tile with its keys and their log-weights, in order. */
async function forEachRow(
  task: AttentionLogits,
  visit: (head: number, row: number, keys: ArrayLike<number>, weights: ArrayLike<number>) => void,
): Promise<void> {
  const { heads, queryRows, keyRows, dim, valueDim, tiles } = task;
  let work = 0;
  const pause = async (pairs: number) => {
    work += pairs * (dim + valueDim);
    if (work < WORK_PER_SLICE) return;
    work = 0;
    await yieldToEventLoop();
  };
  if (!tiles) {
    const keys = Uint32Array.from({ length: keyRows }, (_, j) => j);
    const weights = new Float32Array(keyRows);
    for (let head = 0; head < heads; head++)
      for (let row = 0; row < queryRows; row++) {
        visit(head, row, keys, weights);
        await pause(keyRows);
      }
    return;
  }
  for (let tile = 0; tile < tiles.heads.length; tile++) {
    const { keys, weights } = keysOfTile(tiles, tile);
    for (let r = tiles.rowStart[tile]; r < tiles.rowStart[tile + 1]; r++) {
      visit(tiles.heads[tile], tiles.rows[r], keys, weights);
      await pause(keys.length);
    }
  }
}

function keysOfTile(tiles: AttentionTiles, tile: number): { keys: number[]; weights: number[] } {
  const keys: number[] = [];
  const weights: number[] = [];
  for (let s = tiles.segmentStart[tile]; s < tiles.segmentStart[tile + 1]; s++)
    for (let at = tiles.keyStart[s]; at < tiles.keyEnd[s]; at++) {
      keys.push(tiles.keys[at]);
      weights.push(tiles.logWeights[s]);
    }
  return { keys, weights };
}

/** Entry `at` of stored keys or values. */
function entry(array: Float32Array | Uint16Array, at: number, storage: FloatStorage | undefined): number {
  return storage === undefined || storage === 'float32' ? array[at] : halfToNumber(array[at], storage);
}

function keyHeadOf({ heads, keyHeads }: { heads: number; keyHeads: number }, head: number): number {
  return Math.floor(head / (heads / keyHeads));
}

/** s_ij, or −∞ where query `row` does not see key `key`. */
function logit(task: AttentionLogits, head: number, row: number, key: number, weight: number): number {
  const { queryRows, keyRows, dim, scale, causalOffset, keyLogWeights, bias, slopes } = task;
  if (causalOffset !== undefined && key > row + causalOffset) return -Infinity;
  const keyHead = keyHeadOf(task, head);
  const ownWeight = weight + (keyLogWeights ? keyLogWeights[keyHead * keyRows + key] : 0);
  // Hidden, whatever the key is.
  if (ownWeight === -Infinity) return -Infinity;
  let sum = 0;
  for (let p = 0; p < dim; p++)
    sum +=
      task.queries[(head * queryRows + row) * dim + p] *
      entry(task.keys, (keyHead * keyRows + key) * dim + p, task.storage);
  let value = scale * sum + ownWeight;
  if (bias) {
    const biasHead = bias.length > queryRows * keyRows ? head : 0;
    value += bias[(biasHead * queryRows + row) * keyRows + key];
  }
  if (slopes) value += slopes[head] * (key - row - (causalOffset ?? 0));
  return value;
}

async function attention(task: AttentionTask): Promise<void> {
  const { queryRows, keyRows, valueDim, values, storage, out, lse, merge = false } = task;
  if (!merge) {
    out.fill(0, 0, task.heads * queryRows * valueDim);
    lse.fill(-Infinity, 0, task.heads * queryRows);
  }
  await forEachRow(task, (head, row, keys, weights) => {
    const logits = Float64Array.from(keys, (key, at) => logit(task, head, row, key, weights[at]));
    const at = head * queryRows + row;
    // What is there already counts as one more key, with its lse as logit and its output as value.
    const before = lse[at];
    const total = logSumExp([...logits, before]);
    lse[at] = total;
    const first = keyHeadOf(task, head) * keyRows * valueDim;
    for (let c = 0; c < valueDim; c++) {
      let sum = before === -Infinity ? 0 : Math.exp(before - total) * out[at * valueDim + c];
      for (let j = 0; j < keys.length; j++)
        if (logits[j] !== -Infinity)
          sum += Math.exp(logits[j] - total) * entry(values, first + keys[j] * valueDim + c, storage);
      out[at * valueDim + c] = sum;
    }
  });
}

async function attentionBackward(task: AttentionBackwardTask): Promise<void> {
  const { heads, keyHeads, queryRows, keyRows, dim, valueDim, scale, queries, keys, values } = task;
  const { out, lse, outGradient, lseGradient, queryGradient, keyGradient, valueGradient } = task;
  const dQ = new Float64Array(heads * queryRows * dim);
  const dK = new Float64Array(keyHeads * keyRows * dim);
  const dV = new Float64Array(keyHeads * keyRows * valueDim);
  await forEachRow(task, (head, row, list, weights) => {
    const at = head * queryRows + row;
    let delta = lseGradient ? -lseGradient[at] : 0;
    for (let c = 0; c < valueDim; c++) delta += outGradient[at * valueDim + c] * out[at * valueDim + c];
    for (let j = 0; j < list.length; j++) {
      const value = logit(task, head, row, list[j], weights[j]);
      if (value === -Infinity) continue;
      const probability = Math.exp(value - lse[at]);
      const key = keyHeadOf(task, head) * keyRows + list[j];
      let product = 0;
      for (let c = 0; c < valueDim; c++) {
        product += outGradient[at * valueDim + c] * values[key * valueDim + c];
        dV[key * valueDim + c] += probability * outGradient[at * valueDim + c];
      }
      const slope = scale * probability * (product - delta);
      for (let p = 0; p < dim; p++) {
        dQ[at * dim + p] += slope * keys[key * dim + p];
        dK[key * dim + p] += slope * queries[at * dim + p];
      }
    }
  });
  for (const [to, sums] of [
    [queryGradient, dQ],
    [keyGradient, dK],
    [valueGradient, dV],
  ] as const)
    for (let i = 0; i < sums.length; i++) to[i] = task.accumulate ? to[i] + sums[i] : sums[i];
}

async function decode(task: DecodeTask): Promise<void> {
  const { heads, capacity, lengths, dim, valueDim, scale, storage = 'float32', logWeights } = task;
  const [keyRows, valueRows] = [rowFormat(storage, 'keys', dim), rowFormat(storage, 'values', valueDim)];
  for (let head = 0; head < heads; head++) {
    const group = keyHeadOf(task, head);
    const first = group * capacity;
    const logits = new Float64Array(lengths[group]);
    for (let j = 0; j < logits.length; j++) {
      let sum = 0;
      const key = keyRows.get(task.keys, first + j);
      for (let p = 0; p < dim; p++) sum += task.queries[head * dim + p] * key[p];
      logits[j] = scale * sum + (logWeights ? logWeights[first + j] : 0);
    }
    const total = logSumExp(logits);
    task.lse[head] = total;
    const sums = new Float64Array(valueDim);
    for (let j = 0; j < logits.length; j++) {
      const probability = logits[j] === -Infinity ? 0 : Math.exp(logits[j] - total);
      if (task.probabilities) task.probabilities[head * capacity + j] = probability;
      if (probability === 0) continue;
      const value = valueRows.get(task.values, first + j);
      for (let c = 0; c < valueDim; c++) sums[c] += probability * value[c];
    }
    task.out.set(sums, head * valueDim);
  }
}

async function exp({ x, out }: ExpTask): Promise<void> {
  for (let i = 0; i < x.length; i++) {
    const y = Math.fround(Math.exp(x[i]));
    out[i] = y < 2 ** -126 ? 0 : y;
  }
}

/** ln Σ eˣ; −∞ of none. */
function logSumExp(x: ArrayLike<number>): number {
  let most = -Infinity;
  for (let i = 0; i < x.length; i++) most = Math.max(most, x[i]);
  if (most === -Infinity || Number.isNaN(most)) return most;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i] - most);
  return most + Math.log(sum);
}
