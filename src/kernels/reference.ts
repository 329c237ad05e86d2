// The plain TypeScript backend: the reference every other backend is tested against, and the last resort at run time.
// Obvious loops, float64 accumulation. It runs on the caller's thread and yields to the event loop between row blocks.

import { yieldToEventLoop } from '../core/progress.ts';
import { rngFromKey } from '../core/rng.ts';
import { attentionReference } from './attention-reference.ts';
import { auctionsReference } from './auction-reference.ts';
import { directDistance } from './direct.ts';
import type { CheckedKernels } from './door.ts';
import { llmReference } from './llm-reference.ts';
import { momentsReference } from './moments-reference.ts';
import { argsortReference, sliceRowsReference } from './slice-reference.ts';
import type { GemmTask, HashTask, LabelSumsTask, NearestTask, RowNormsTask, UniformTask } from './types.ts';

/** Multiply-adds between two looks at the event loop: about 20 ms of this code. */
const WORK_PER_SLICE = 1 << 24;

export const referenceKernels: CheckedKernels = {
  backend: 'ts',
  simd: 'scalar',
  threads: 1,
  gemm,
  nearest,
  labelSums,
  rowNorms,
  xxh64,
  uniform,
  argsort: argsortReference,
  sliceRows: sliceRowsReference,
  ...auctionsReference,
  ...momentsReference,
  ...attentionReference,
  ...llmReference,
};

async function gemm(task: GemmTask): Promise<void> {
  const { m, n, k, a, b, c, transposeA = false, transposeB = false, accumulate = false } = task;
  const { strideA = transposeA ? m : k, strideB = transposeB ? k : n, strideC = n } = task;
  await inSlices(m, n * k, (i) => {
    for (let j = 0; j < n; j++) {
      let sum = accumulate ? c[i * strideC + j] : 0;
      for (let p = 0; p < k; p++) {
        const left = transposeA ? a[p * strideA + i] : a[i * strideA + p];
        const right = transposeB ? b[j * strideB + p] : b[p * strideB + j];
        sum += left * right;
      }
      c[i * strideC + j] = sum;
    }
  });
}

async function nearest(task: NearestTask): Promise<void> {
  const { points, rows, dim, centers, centerCount, labels, distances, secondLabels, secondDistances } = task;
  await inSlices(rows, centerCount * dim, (i) => {
    let best = Infinity;
    let second = Infinity;
    let bestLabel = 0;
    let secondLabel = 0;
    for (let j = 0; j < centerCount; j++) {
      const sum = directDistance(points, i * dim, centers, j * dim, dim);
      if (sum < best) {
        second = best;
        secondLabel = bestLabel;
        best = sum;
        bestLabel = j;
      } else if (sum < second) {
        second = sum;
        secondLabel = j;
      }
    }
    labels[i] = bestLabel;
    distances[i] = best;
    if (secondLabels) secondLabels[i] = secondLabel;
    if (secondDistances) secondDistances[i] = second;
  });
}

async function labelSums(task: LabelSumsTask): Promise<void> {
  const { points, rows, dim, labels, weights, sums, counts } = task;
  await inSlices(rows, dim, (i) => {
    const weight = weights ? weights[i] : 1;
    const label = labels[i];
    counts[label] += weight;
    for (let p = 0; p < dim; p++) sums[label * dim + p] += weight * points[i * dim + p];
  });
}

async function rowNorms({ points, rows, dim, origin, norms }: RowNormsTask): Promise<void> {
  const start = origin ?? new Float32Array(dim);
  await inSlices(rows, dim, (i) => {
    norms[i] = directDistance(points, i * dim, start, 0, dim);
  });
}

const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;

async function xxh64({ values, seeds, hashes }: HashTask): Promise<void> {
  await inSlices(values.length, 100, (i) => {
    hashes[i] = xxh64OfWord(values[i], typeof seeds === 'bigint' ? seeds : seeds[i]);
  });
}

/** XXH64 (xxHash specification 0.1.1) of the 8 bytes of one little-endian word. */
export function xxh64OfWord(value: bigint, seed: bigint): bigint {
  const word = (x: bigint) => BigInt.asUintN(64, x);
  const rotate = (x: bigint, bits: bigint) => word(x << bits) | (x >> (64n - bits));
  let hash = word(seed + PRIME5 + 8n);
  hash ^= word(rotate(word(value * PRIME2), 31n) * PRIME1);
  hash = word(rotate(hash, 27n) * PRIME1 + PRIME4);
  hash = word((hash ^ (hash >> 33n)) * PRIME2);
  hash = word((hash ^ (hash >> 29n)) * PRIME3);
  return hash ^ (hash >> 32n);
}

async function uniform({ key, start, out }: UniformTask): Promise<void> {
  const rng = rngFromKey(key);
  await inSlices(out.length, 30, (i) => {
    out[i] = rng.at(start + i);
  });
}

/** Runs `body(i)` for i < count, giving way to the event loop every WORK_PER_SLICE units of `workPerItem`. */
async function inSlices(count: number, workPerItem: number, body: (i: number) => void): Promise<void> {
  const slice = Math.max(1, Math.floor(WORK_PER_SLICE / Math.max(1, workPerItem)));
  for (let start = 0; start < count; start += slice) {
    if (start > 0) await yieldToEventLoop();
    const end = Math.min(count, start + slice);
    for (let i = start; i < end; i++) body(i);
  }
}
