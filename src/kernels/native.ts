// The native backend: the addon that scripts/build-kernels.mjs compiles where there is a C++ compiler.

import { UnsupportedError } from '../core/errors.ts';
import type { AttentionBackwardTask, AttentionLogits, AttentionTask, DecodeTask } from './attention-types.ts';
import type { AuctionsTask, ThresholdsTask } from './auction-types.ts';
import type { CheckedKernels } from './door.ts';
import type { KernelStep, StepTasks } from './llm-types.ts';
import { STORAGES } from './row-format.ts';
import type { SliceRowsTask } from './slice-types.ts';
import { formatNumber } from './weight-formats.ts';

type Pending = Promise<void> | undefined;
type Optional<T> = T | undefined;

/** An attention task with what the addon cannot work out itself. */
type Complete<Task> = Omit<Task, 'storage'> & { storage: number; biasHeads: number };

/** Auctions as the addon reads them. */
type CompleteAuctions = Omit<AuctionsTask, 'format'> & { format: number; slots: number };

/** A step as the addon reads it: numbers for names, sizes that are lengths of arrays. */
interface CompleteStep {
  kernel: keyof StepTasks;
  task: object;
}

/** The addon's exports; the order of arguments is that of native/bindings/node.cc. */
export interface Addon {
  /** What this processor can run, fastest first. */
  levels: string[];
  Engine: new (simd: string, threads: number) => Engine;
  /** All bytes of a file as pages of memory. */
  mapFile(path: string): ArrayBuffer;
}

interface Engine {
  gemm(
    m: number,
    n: number,
    k: number,
    a: Float32Array,
    b: Float32Array,
    c: Float32Array,
    strideA: number,
    strideB: number,
    strideC: number,
    transposeA: boolean,
    transposeB: boolean,
    accumulate: boolean,
  ): Pending;
  nearest(
    points: Float32Array,
    rows: number,
    dim: number,
    centers: Float32Array,
    centerCount: number,
    origin: Optional<Float32Array>,
    labels: Uint32Array,
    distances: Float64Array,
    secondLabels: Optional<Uint32Array>,
    secondDistances: Optional<Float64Array>,
    rescanned: Optional<BigUint64Array>,
  ): Pending;
  labelSums(
    points: Float32Array,
    rows: number,
    dim: number,
    labels: Uint32Array,
    weights: Optional<Float64Array>,
    sums: Float64Array,
    counts: Float64Array,
  ): Pending;
  rowNorms(
    points: Float32Array,
    rows: number,
    dim: number,
    origin: Optional<Float32Array>,
    norms: Float64Array,
  ): Pending;
  xxh64(
    count: number,
    values: BigUint64Array,
    seeds: Optional<BigUint64Array>,
    seed: bigint,
    hashes: BigUint64Array,
  ): Pending;
  uniform(count: number, key0: number, key1: number, start: number, out: Float64Array): Pending;
  exp(count: number, x: Float32Array, out: Float32Array): Pending;
  attention(task: Complete<AttentionTask>): Pending;
  attentionBackward(task: Complete<AttentionBackwardTask>): Pending;
  decode(task: Omit<DecodeTask, 'storage'> & { storage: number }): Pending;
  argsort(
    values: Float64Array,
    count: number,
    order: Uint32Array,
    sorted: Float64Array,
    spareKeys: Optional<Float64Array>,
    spareOrder: Optional<Uint32Array>,
  ): Pending;
  sliceRows(task: SliceRowsTask): Pending;
  rowProducts(
    features: Float64Array,
    rows: Optional<Uint32Array>,
    count: number,
    cols: number,
    center: Optional<Float64Array>,
    coefficients: Float64Array,
    bias: number,
    out: Float64Array,
  ): Pending;
  rowMoments(
    features: Float64Array,
    rows: Optional<Uint32Array>,
    count: number,
    cols: number,
    center: Optional<Float64Array>,
    weights: Float64Array,
    sums: Float64Array,
    gram: Optional<Float64Array>,
  ): Pending;
  runAuctions(task: CompleteAuctions): Pending;
  bidThresholds(task: ThresholdsTask): Pending;
  /** What `run` needs; it holds no arrays. */
  prepare(steps: readonly CompleteStep[]): unknown;
  run(prepared: unknown, steps: readonly CompleteStep[]): Pending;
}

/** The SIMD levels of the addon, fastest first. @throws {UnsupportedError} there is no addon, and why */
export function nativeLevels(): readonly string[] {
  return loadAddon().levels;
}

/**
 * @param simd - one of `nativeLevels()`
 * @param threads - threads of the engine, ≥ 1
 * @throws {UnsupportedError} there is no addon, or it has no such level here
 */
export function nativeKernels(simd: string, threads: number): CheckedKernels {
  const { Engine, levels } = loadAddon();
  if (!levels.includes(simd)) {
    throw new UnsupportedError(
      `loadKernels: SIMD level "${simd}" is not available here; expected one of ${levels.join(', ')}.`,
    );
  }
  const engine = new Engine(simd, threads);
  const prepare = (steps: readonly KernelStep[]) => {
    const complete = steps.map(completeStep);
    const prepared = engine.prepare(complete);
    return async () => {
      await engine.run(prepared, complete);
    };
  };
  const asStep =
    <Name extends keyof StepTasks>(kernel: Name) =>
    (task: StepTasks[Name]) =>
      prepare([{ kernel, task } as KernelStep])();
  return {
    backend: 'native',
    simd,
    threads,
    prepare,
    linear: asStep('linear'),
    dequantiseRows: asStep('dequantiseRows'),
    rmsNorm: asStep('rmsNorm'),
    rotary: asStep('rotary'),
    siluProduct: asStep('siluProduct'),
    add: asStep('add'),
    async attentionBackward(task) {
      await engine.attentionBackward(complete(task));
    },
    async decode(task) {
      await engine.decode(completeDecode(task));
    },
    async exp({ x, out }) {
      await engine.exp(x.length, x, out);
    },
    async attention(task) {
      await engine.attention(complete(task));
    },
    async gemm(t) {
      await engine.gemm(
        t.m,
        t.n,
        t.k,
        t.a,
        t.b,
        t.c,
        t.strideA,
        t.strideB,
        t.strideC,
        t.transposeA,
        t.transposeB,
        t.accumulate,
      );
    },
    async nearest(t) {
      await engine.nearest(
        t.points,
        t.rows,
        t.dim,
        t.centers,
        t.centerCount,
        t.origin,
        t.labels,
        t.distances,
        t.secondLabels,
        t.secondDistances,
        t.rescanned,
      );
    },
    async labelSums(t) {
      await engine.labelSums(t.points, t.rows, t.dim, t.labels, t.weights, t.sums, t.counts);
    },
    async rowNorms(t) {
      await engine.rowNorms(t.points, t.rows, t.dim, t.origin, t.norms);
    },
    async xxh64({ values, seeds, hashes }) {
      const [array, seed] = typeof seeds === 'bigint' ? [undefined, BigInt.asUintN(64, seeds)] : [seeds, 0n];
      await engine.xxh64(values.length, values, array, seed, hashes);
    },
    async argsort({ values, order, sorted, spare }) {
      await engine.argsort(values, values.length, order, sorted, spare?.keys, spare?.order);
    },
    async sliceRows(task) {
      await engine.sliceRows(task);
    },
    async rowProducts({ features, rows, count, cols, center, coefficients, bias, out }) {
      await engine.rowProducts(features, rows, count, cols, center, coefficients, bias, out);
    },
    async rowMoments({ features, rows, count, cols, center, weights, sums, gram }) {
      await engine.rowMoments(features, rows, count, cols, center, weights, sums, gram);
    },
    async runAuctions(task) {
      const format = ['fpa', 'gsp', 'vcg'].indexOf(task.format);
      await engine.runAuctions({ ...task, format, slots: task.discounts.length });
    },
    async bidThresholds(task) {
      await engine.bidThresholds(task);
    },
    async uniform({ key, start, out }) {
      await engine.uniform(out.length, key[0], key[1], start, out);
    },
  };
}

function complete<Task extends AttentionLogits>(task: Task): Complete<Task> {
  const { storage = 'float32', bias, queryRows, keyRows, heads } = task;
  const biasHeads = bias && bias.length > queryRows * keyRows ? heads : 1;
  return { ...task, storage: STORAGES.indexOf(storage), biasHeads };
}

function completeDecode(task: DecodeTask): Omit<DecodeTask, 'storage'> & { storage: number } {
  return { ...task, storage: STORAGES.indexOf(task.storage ?? 'float32') };
}

function completeStep({ kernel, task }: KernelStep): CompleteStep {
  switch (kernel) {
    case 'linear': {
      const weights = task.weights.map((weight) => ({ ...weight, format: formatNumber(weight.format) }));
      return { kernel, task: { ...task, weights, exact: task.activations === 'float32' } };
    }
    case 'dequantiseRows':
      return { kernel, task: { ...task, format: formatNumber(task.format), count: task.rows.length } };
    case 'rotary':
      return { kernel, task: { ...task, interleaved: task.pairing === 'interleaved' } };
    case 'siluProduct':
      return { kernel, task: { ...task, count: task.gate.length } };
    case 'add':
      return { kernel, task: { ...task, count: task.x.length } };
    case 'decode':
      return { kernel, task: completeDecode(task) };
    case 'rmsNorm':
      return { kernel, task };
  }
}

let addon: Addon | undefined;

/** @param where - who asks, for messages @throws {UnsupportedError} there is no addon, and why */
export function loadAddon(where = 'loadKernels'): Addon {
  if (addon) return addon;
  const builtin = globalThis.process?.getBuiltinModule;
  if (!builtin) throw new UnsupportedError(`${where}: native kernels need Node; expected backend "wasm".`);
  // The same path from src/kernels and from dist/kernels.
  const url = new URL('../../native/build/provably.node', import.meta.url);
  const { existsSync, readFileSync } = builtin('node:fs');
  if (!existsSync(url)) {
    let why = 'it was not built; `npm run setup` builds it';
    const stamp = new URL('addon.json', url);
    if (existsSync(stamp)) why = JSON.parse(readFileSync(stamp, 'utf8')).failure ?? why;
    throw new UnsupportedError(`${where}: no native addon: ${why}.`);
  }
  try {
    addon = builtin('node:module').createRequire(import.meta.url)(builtin('node:url').fileURLToPath(url));
  } catch (cause) {
    // Built for another machine or Node: say so, and let the caller fall back.
    throw new UnsupportedError(
      `${where}: the native addon does not load here (${(cause as Error).message}). Delete native/build and build it again.`,
      { cause },
    );
  }
  return addon as Addon;
}
