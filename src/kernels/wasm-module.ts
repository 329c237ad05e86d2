// One instance of native/build/provably.wasm and its memory.

import { NumericalError, UnsupportedError } from '../core/errors.ts';

/** The module's exports; sizes in entries, arrays by address. native/bindings/wasm.cc has the same order. */
export interface WasmExports {
  memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  mark(): number;
  release(mark: number): void;
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    c: number,
    strideA: number,
    strideB: number,
    strideC: number,
    transposeA: number,
    transposeB: number,
    accumulate: number,
  ): void;
  nearest(
    points: number,
    rows: number,
    dim: number,
    centers: number,
    centerCount: number,
    origin: number,
    labels: number,
    distances: number,
    secondLabels: number,
    secondDistances: number,
    rescanned: number,
  ): void;
  labelSums(
    points: number,
    rows: number,
    dim: number,
    labels: number,
    weights: number,
    sums: number,
    counts: number,
  ): void;
  rowNorms(points: number, rows: number, dim: number, origin: number, norms: number): void;
  xxh64(count: number, values: number, seeds: number, seed: bigint, hashes: number): void;
  uniform(count: number, key0: number, key1: number, start: number, out: number): void;
  exp(count: number, x: number, out: number): void;
  attention(task: number): void;
  attentionBackward(task: number): void;
  decode(
    queries: number,
    keys: number,
    values: number,
    storage: number,
    heads: number,
    keyHeads: number,
    capacity: number,
    dim: number,
    valueDim: number,
    lengths: number,
    scale: number,
    logWeights: number,
    out: number,
    lse: number,
    probabilities: number,
  ): void;
  linear(
    x: number,
    rows: number,
    cols: number,
    format: number,
    data: number,
    outputs: number,
    bias: number,
    y: number,
    accumulate: number,
    exact: number,
  ): void;
  dequantiseRows(format: number, data: number, cols: number, rows: number, count: number, out: number): void;
  rmsNorm(x: number, rows: number, cols: number, weight: number, epsilon: number, out: number): void;
  rotary(
    x: number,
    rows: number,
    heads: number,
    dim: number,
    pairs: number,
    interleaved: number,
    cos: number,
    sin: number,
  ): void;
  siluProduct(gate: number, up: number, out: number, count: number): void;
  add(x: number, out: number, count: number): void;
  rowProducts(
    features: number,
    count: number,
    cols: number,
    center: number,
    coefficients: number,
    bias: number,
    out: number,
  ): void;
  rowMoments(
    features: number,
    count: number,
    cols: number,
    center: number,
    weights: number,
    sums: number,
    gram: number,
  ): void;
  runAuctions(words: number, reserve: number): void;
  bidThresholds(words: number, reserve: number): void;
  argsort(values: number, count: number, order: number, sorted: number): void;
  sliceRows(
    values: number,
    count: number,
    weights: number,
    noise: number,
    minSize: number,
    maxSize: number,
    penalty: number,
    monotone: number,
    first: number,
    end: number,
    costs: number,
    sizes: number,
  ): void;
}

type TypedArray = Uint8Array | Float32Array | Float64Array | Uint16Array | Uint32Array | BigUint64Array;

/** Copies arrays in and out of an instance. Addresses hold until the end of the scope they were made in. */
export class WasmModule {
  readonly call: WasmExports;

  constructor(exports: WasmExports) {
    this.call = exports;
  }

  /** Runs `body` and frees all it allocated. @throws {NumericalError} the memory of WASM does not suffice */
  scope<T>(body: () => T): T {
    const mark = this.call.mark();
    try {
      return body();
    } catch (cause) {
      if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
      throw new NumericalError(
        'WASM kernels: a kernel trapped, most likely for lack of memory (4 GiB at most). Pass fewer rows or columns at once.',
        { cause },
      );
    } finally {
      this.call.release(mark);
    }
  }

  /** Address of a copy of `array`; 0 when there is none. */
  put(array: TypedArray | undefined): number {
    if (!array) return 0;
    const address = this.call.allocate(array.byteLength);
    this.write(address, array);
    return address;
  }

  /** Makes memory ready for that many bytes more than are allocated, if it can. */
  growBy(bytes: number): void {
    const mark = this.call.mark();
    try {
      this.call.allocate(bytes);
    } catch (cause) {
      if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
    }
    this.call.release(mark);
  }

  /** As `put`, outside of any scope, so that the copy stays; undefined when memory cannot grow by as much. */
  putIfRoom(array: TypedArray): number | undefined {
    try {
      return this.put(array);
    } catch (cause) {
      if (cause instanceof WebAssembly.RuntimeError) return undefined;
      throw cause;
    }
  }

  /** Copies `array` to `address`. */
  write(address: number, array: TypedArray): void {
    bytesOf(this.call.memory.buffer, address, array.byteLength).set(
      bytesOf(array.buffer, array.byteOffset, array.byteLength),
    );
  }

  /** Fills `array` from `address` and returns it. */
  get<T extends TypedArray>(address: number, array: T): T {
    bytesOf(array.buffer, array.byteOffset, array.byteLength).set(
      bytesOf(this.call.memory.buffer, address, array.byteLength),
    );
    return array;
  }
}

// Memory that grows takes a new buffer, so views are made at each use. Addresses beyond 2 GiB come as negative numbers.
function bytesOf(buffer: ArrayBufferLike, start: number, length: number): Uint8Array {
  return new Uint8Array(buffer, start >>> 0, length);
}

let compiling: Promise<WebAssembly.Module> | undefined;
let loading: Promise<WasmModule> | undefined;

/** This thread's instance. @throws {UnsupportedError} the module is not there, or this platform has no WASM SIMD */
export function wasmModule(): Promise<WasmModule> {
  loading ??= freshWasmModule();
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

/** An instance of its own, with a memory that goes when it is no longer used. @throws {UnsupportedError} as `wasmModule` */
export async function freshWasmModule(): Promise<WasmModule> {
  try {
    compiling ??= compile();
    const instance = await WebAssembly.instantiate(await compiling);
    return new WasmModule(instance.exports as unknown as WasmExports);
  } catch (cause) {
    compiling = undefined;
    throw new UnsupportedError(
      `loadKernels: no WASM kernels: ${(cause as Error).message}. \`npm run setup\` builds them.`,
      { cause },
    );
  }
}

async function compile(): Promise<WebAssembly.Module> {
  // The same path from src/kernels and from dist/kernels.
  const url = new URL('../../native/build/provably.wasm', import.meta.url);
  return WebAssembly.compile(await readBytes(url));
}

async function readBytes(url: URL): Promise<BufferSource> {
  const builtin = globalThis.process?.getBuiltinModule;
  if (builtin && url.protocol === 'file:') return builtin('node:fs').readFileSync(url);
  const response = await fetch(url);
  if (!response.ok) throw new UnsupportedError(`${url} answered ${response.status}`);
  return response.arrayBuffer();
}
