// The door's checks of the attention tasks; see door.ts.

import { requireInteger, requireNumber, requireOneOf } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import type {
  AttentionBackwardTask,
  AttentionKernels,
  AttentionLogits,
  AttentionTask,
  AttentionTiles,
  DecodeTask,
  ExpTask,
} from './attention-types.ts';
import { requireArray } from './require-array.ts';
import { FLOAT_STORAGES, rowFormat, STORAGES } from './row-format.ts';

/** The kernels behind their checks. */
export function checkedAttention(kernels: AttentionKernels): AttentionKernels {
  return {
    attention: async (task) => {
      checkAttention(task);
      await kernels.attention(task);
    },
    attentionBackward: async (task) => {
      checkBackward(task);
      await kernels.attentionBackward(task);
    },
    decode: async (task) => {
      checkDecode(task);
      await kernels.decode(task);
    },
    exp: async (task) => {
      checkExp(task);
      await kernels.exp(task);
    },
  };
}

function checkAttention(task: AttentionTask): void {
  checkLogits('attention', task);
  const { heads, queryRows, valueDim, out, lse } = task;
  requireArray('attention: out', out, Float32Array, heads * queryRows * valueDim);
  requireArray('attention: lse', lse, Float64Array, heads * queryRows);
}

function checkBackward(task: AttentionBackwardTask): void {
  checkLogits('attentionBackward', task);
  const { heads, keyHeads, queryRows, keyRows, dim, valueDim, lseGradient, storage = 'float32' } = task;
  if (storage !== 'float32') {
    throw new InvalidArgumentError(`attentionBackward: storage is "${storage}"; expected "float32".`);
  }
  const rows = heads * queryRows;
  requireArray('attentionBackward: out', task.out, Float32Array, rows * valueDim);
  requireArray('attentionBackward: lse', task.lse, Float64Array, rows);
  requireArray('attentionBackward: outGradient', task.outGradient, Float32Array, rows * valueDim);
  if (lseGradient) requireArray('attentionBackward: lseGradient', lseGradient, Float64Array, rows);
  requireArray('attentionBackward: queryGradient', task.queryGradient, Float32Array, rows * dim);
  requireArray('attentionBackward: keyGradient', task.keyGradient, Float32Array, keyHeads * keyRows * dim);
  requireArray(
    'attentionBackward: valueGradient',
    task.valueGradient,
    Float32Array,
    keyHeads * keyRows * valueDim,
  );
}

function checkLogits(name: string, task: AttentionLogits): void {
  const { keyHeads, queryRows, keyRows, dim, valueDim, storage = 'float32' } = task;
  requireHeads(name, task);
  requireInteger(`${name}: queryRows`, queryRows, 0, 0xffffffff);
  requireInteger(`${name}: keyRows`, keyRows, 0, 0xffffffff);
  requireInteger(`${name}: dim`, dim, 1);
  requireInteger(`${name}: valueDim`, valueDim, 1);
  requireNumber(`${name}: scale`, task.scale);
  requireOneOf(`${name}: storage`, storage, FLOAT_STORAGES);
  const stored = storage === 'float32' ? Float32Array : Uint16Array;
  requireArray(`${name}: queries`, task.queries, Float32Array, task.heads * queryRows * dim);
  requireArray(`${name}: keys`, task.keys, stored, keyHeads * keyRows * dim);
  requireArray(`${name}: values`, task.values, stored, keyHeads * keyRows * valueDim);
  const { keyLogWeights, causalOffset, bias, slopes, tiles } = task;
  if (keyLogWeights) requireArray(`${name}: keyLogWeights`, keyLogWeights, Float32Array, keyHeads * keyRows);
  if (causalOffset !== undefined) requireInteger(`${name}: causalOffset`, causalOffset);
  if (slopes) requireArray(`${name}: slopes`, slopes, Float32Array, task.heads);
  if (bias) {
    requireArray(`${name}: bias`, bias, Float32Array, queryRows * keyRows);
    if (bias.length !== queryRows * keyRows && bias.length !== task.heads * queryRows * keyRows) {
      throw new ShapeError(
        `${name}: bias has length ${bias.length}; expected (1 or ${task.heads}) × ${queryRows} × ${keyRows}.`,
      );
    }
  }
  if (tiles) checkTiles(name, task, tiles);
}

function checkTiles(
  name: string,
  { heads, queryRows, keyRows }: AttentionLogits,
  tiles: AttentionTiles,
): void {
  const count = tiles.heads.length;
  const segments = tiles.logWeights.length;
  requireArray(`${name}: tiles.rowStart`, tiles.rowStart, Uint32Array, count + 1);
  requireArray(`${name}: tiles.segmentStart`, tiles.segmentStart, Uint32Array, count + 1);
  requireArray(`${name}: tiles.keyStart`, tiles.keyStart, Uint32Array, segments);
  requireArray(`${name}: tiles.keyEnd`, tiles.keyEnd, Uint32Array, segments);
  requireArray(`${name}: tiles.logWeights`, tiles.logWeights, Float32Array, segments);
  requireArray(`${name}: tiles.rows`, tiles.rows, Uint32Array, tiles.rowStart[count]);
  requireArray(`${name}: tiles.keys`, tiles.keys, Uint32Array, 0);
  requireBelow(`${name}: tiles.heads`, tiles.heads, count, heads);
  requireRising(`${name}: tiles.rowStart`, tiles.rowStart, count + 1, tiles.rows.length);
  requireRising(`${name}: tiles.segmentStart`, tiles.segmentStart, count + 1, segments);
  requireBelow(`${name}: tiles.rows`, tiles.rows, tiles.rows.length, queryRows);
  requireBelow(`${name}: tiles.keys`, tiles.keys, tiles.keys.length, keyRows);
  for (let s = 0; s < segments; s++)
    if (tiles.keyStart[s] > tiles.keyEnd[s] || tiles.keyEnd[s] > tiles.keys.length) {
      throw new InvalidArgumentError(
        `${name}: segment ${s} of tiles is [${tiles.keyStart[s]}, ${tiles.keyEnd[s]}); expected a range within ${tiles.keys.length} keys.`,
      );
    }
  requireRowsOnce(name, tiles, heads, queryRows);
}

// Two tiles that write one row would race.
function requireRowsOnce(name: string, tiles: AttentionTiles, heads: number, queryRows: number): void {
  const seen = new Uint8Array(heads * queryRows);
  for (let tile = 0; tile < tiles.heads.length; tile++)
    for (let r = tiles.rowStart[tile]; r < tiles.rowStart[tile + 1]; r++) {
      const at = tiles.heads[tile] * queryRows + tiles.rows[r];
      if (seen[at]++) {
        throw new InvalidArgumentError(
          `${name}: query row ${tiles.rows[r]} of head ${tiles.heads[tile]} is in two tiles; expected one. Use a plan each, and merge.`,
        );
      }
    }
}

export function checkDecode(task: DecodeTask): void {
  const { heads, keyHeads, capacity, lengths, dim, valueDim, storage = 'float32' } = task;
  requireHeads('decode', task);
  requireInteger('decode: capacity', capacity, 0, 0xffffffff);
  requireInteger('decode: dim', dim, 1);
  requireInteger('decode: valueDim', valueDim, 1);
  requireNumber('decode: scale', task.scale);
  requireOneOf('decode: storage', storage, STORAGES);
  const keyRows = rowFormat(storage, 'keys', dim);
  const valueRows = rowFormat(storage, 'values', valueDim);
  requireArray('decode: queries', task.queries, Float32Array, heads * dim);
  requireArray('decode: keys', task.keys, keyRows.Stored, keyHeads * capacity * keyRows.width);
  requireArray('decode: values', task.values, valueRows.Stored, keyHeads * capacity * valueRows.width);
  requireArray('decode: lengths', lengths, Uint32Array, keyHeads);
  requireBelow('decode: lengths', lengths, keyHeads, capacity + 1);
  if (task.logWeights) requireArray('decode: logWeights', task.logWeights, Float32Array, keyHeads * capacity);
  requireArray('decode: out', task.out, Float32Array, heads * valueDim);
  requireArray('decode: lse', task.lse, Float64Array, heads);
  if (task.probabilities)
    requireArray('decode: probabilities', task.probabilities, Float32Array, heads * capacity);
}

function checkExp({ x, out }: ExpTask): void {
  requireArray('exp: x', x, Float32Array, 0);
  requireArray('exp: out', out, Float32Array, x.length);
}

function requireHeads(name: string, { heads, keyHeads }: { heads: number; keyHeads: number }): void {
  requireInteger(`${name}: heads`, heads, 1, 0xffffffff);
  requireInteger(`${name}: keyHeads`, keyHeads, 1, heads);
  if (heads % keyHeads !== 0) {
    throw new ShapeError(`${name}: heads is ${heads}; expected a multiple of keyHeads = ${keyHeads}.`);
  }
}

export function requireBelow(name: string, values: Uint32Array, count: number, limit: number): void {
  for (let i = 0; i < count; i++)
    if (values[i] >= limit) {
      throw new InvalidArgumentError(`${name}[${i}] is ${values[i]}; expected less than ${limit}.`);
    }
}

function requireRising(name: string, values: Uint32Array, count: number, last: number): void {
  for (let i = 0; i < count; i++)
    if (values[i] < (i === 0 ? 0 : values[i - 1]) || values[i] > last) {
      throw new InvalidArgumentError(`${name}[${i}] is ${values[i]}; expected rising starts up to ${last}.`);
    }
}
