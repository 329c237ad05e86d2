// Exact attention and HyperAttention, d = 64, on planted data (attention-input.ts). Error: ‖Õ − O‖_F / ‖O‖_F over sampled rows
// computed in float64; of the slope, its standard error.

import { availableParallelism } from 'node:os';
import {
  type AttentionInput,
  exactAttention,
  type HyperOptions,
  hyperAttention,
} from '../../../src/attention/index.ts';
import { createRng, sampleIndices } from '../../../src/core/rng.ts';
import { type AttentionTiles, loadKernels } from '../../../src/kernels/index.ts';
import { errorAgainstOracle, type InputShape, plantedInput, requireExact } from '../attention-input.ts';
import {
  EXACT_PEERS,
  type ExactPeerName,
  openExactPeer,
  openTorchProcess,
  torchOutput,
} from '../exact-peers.ts';
import { type Case, type Contest, median, type Once, timed } from '../measure.ts';
import { openJax, openTfjs, type WasmSoftmax } from '../peers/wasm-softmax.ts';
import { threadsText, useThreads } from '../threads.ts';

/** b = m = 256 as in the paper's experiments, on both sides; bits of the hash by the number of keys: ours as 'auto' has it, theirs 2^r ≈ 2 n/b. */
const SIZES = { blockSize: 256, sampleSize: 256 };
const LONG = 131_072;

export function* cases(): Generator<Case | Once> {
  const cores = availableParallelism();
  for (const causal of [false, true])
    for (const threads of cores > 1 ? [1, 2] : [1])
      for (const peer of EXACT_PEERS)
        yield {
          name: `exact${causal ? ' causal' : ''} n=8192 d=64 h=8 ${threadsText(threads)} vs ${peer}`,
          ...{ unit: 'GFLOP/s', work: exactWork(8192, causal) * 8, rounds: 5 },
          setUp: () => exactContest({ heads: 8, rows: 8192, causal }, threads, peer),
        };
  for (const [peer, open] of [
    ['jax-js', openJax],
    ['tfjs', openTfjs],
  ] as const)
    yield {
      name: `wasm exact n=2048 d=64 1 thread vs ${peer}`,
      ...{ unit: 'GFLOP/s', work: exactWork(2048, false) },
      setUp: () => wasmContest(2048, open),
    };
  yield {
    name: 'wasm exact n=2048 d=64 1 thread vs wasm gemm',
    ...{ unit: 'GFLOP/s', work: exactWork(2048, false) },
    setUp: () => wasmAgainstGemm(),
  };
  yield {
    name: 'wasm tiles n=32768 b=m=256 d=64 1 thread vs wasm gemm',
    ...{ unit: 'GFLOP/s', work: (4 * 32_768 * 512 * 64) / 1e9 },
    setUp: () => wasmTilesAgainstGemm(32_768),
  };
  yield* hyperCases();
}

function* hyperCases(): Generator<Case | Once> {
  const threads = availableParallelism();
  const many = threadsText(threads);
  // E1 and E2 of the protocol have 8 and 64 heavy keys a query.
  for (const heavyKeys of [64, 8])
    yield {
      name: `hyper n=${LONG} b=m=256 ${heavyKeys} heavy keys ${many} vs fastest exact peer, timed once`,
      run: () => againstExactOnce({ rows: LONG, heavyKeys }, {}, threads),
    };
  for (const minSequence of [4096, 1024])
    yield {
      name: `hyper causal n=${LONG} n0=${minSequence} ${many} vs fastest exact peer, timed once`,
      run: () => againstExactOnce({ rows: LONG, causal: true }, { minSequence }, threads),
    };
  for (const minSequence of [4096, 1024])
    yield {
      name: `hyper causal n=32768 n0=${minSequence} ${many} vs PyTorch exact`,
      ...{ unit: 's', work: 1, rounds: 3 },
      setUp: () => hyperAgainstExact({ rows: 32_768, causal: true }, { minSequence }, threads),
    };
  for (const causal of [false, true]) {
    const shape: InputShape = { rows: LONG, causal };
    const name = `hyper${causal ? ' causal' : ''} n=${LONG} b=m=256${causal ? ' n0=4096' : ''}`;
    yield {
      name: `${name} ${many} vs HyperAttention in PyTorch`,
      ...{ unit: 's', work: 1, rounds: 5 },
      setUp: () => hyperAgainstTorch(shape, threads),
    };
    yield {
      name: `${name} error vs HyperAttention in PyTorch`,
      run: () => errorsOfBoth(shape, threads),
    };
  }
  yield { name: `hyper n=4096…65536 ${many}, log-log slope of time vs 1`, run: () => slopeOfTime(threads) };
}

/** GFLOP of one head: two products of n × n × 64. */
function exactWork(n: number, causal: boolean): number {
  return (4 * n * n * 64 * (causal ? 0.5 : 1)) / 1e9;
}

async function exactContest(shape: InputShape, threads: number, name: ExactPeerName): Promise<Contest> {
  const input = plantedInput(shape);
  const restore = useThreads(threads);
  const peer = await openExactPeer(name, input, threads);
  return {
    async check() {
      const errorOf = errorAgainstOracle(input);
      await peer.run();
      requireExact(name, errorOf(await peer.output()));
      return requireExact('exactAttention', errorOf((await exactAttention(input)).output.data));
    },
    ours: () => timed(() => exactAttention(input)),
    peer: () => peer.run(),
    async [Symbol.asyncDispose]() {
      restore();
      await peer[Symbol.asyncDispose]();
    },
  };
}

async function wasmContest(
  rows: number,
  open: (input: AttentionInput) => Promise<WasmSoftmax>,
): Promise<Contest> {
  const input = plantedInput({ rows });
  const ours = await wasmSide(input);
  const peer = await open(input);
  return {
    async check() {
      requireExact('the peer', errorAgainstOracle(input)(await peer.run()));
      return ours.check();
    },
    ours: () => timed(ours.run),
    peer: () => timed(() => peer.run()),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

/** As many operations in one product of matrices: 4 n² d = 2 m n k for n = 2048 and m = 512. */
async function wasmAgainstGemm(): Promise<Contest> {
  const ours = await wasmSide(plantedInput({ rows: 2048 }));
  return againstGemm(ours.check, ours.run, 512);
}

/** A plan as hyperAttention makes it: every tile meets its block of keys and a sample of all, which lie anywhere. */
async function wasmTilesAgainstGemm(rows: number): Promise<Contest> {
  const input = plantedInput({ rows });
  const tiles = randomTiles(rows);
  const ours = await kernelSide(input, 'wasm', tiles);
  const reference = await kernelSide(input, 'ts', tiles);
  const check = async () => {
    await ours.run();
    await reference.run();
    return requireExact('the WASM kernels', differenceOf(ours.out, reference.out));
  };
  return againstGemm(check, ours.run, rows / 16);
}

async function againstGemm(
  check: () => Promise<number>,
  run: () => Promise<void>,
  m: number,
): Promise<Contest> {
  const kernels = await loadKernels({ backend: 'wasm', threads: 1 });
  const [n, k] = [1024, 1024];
  const [a, b, c] = [m * k, k * n, m * n].map((length) => new Float32Array(length).fill(1));
  return {
    check,
    ours: () => timed(run),
    peer: () => timed(() => kernels.gemm({ m, n, k, a, b, c })),
    async [Symbol.asyncDispose]() {},
  };
}

function randomTiles(rows: number): AttentionTiles {
  const { blockSize, sampleSize } = SIZES;
  const rng = createRng(0);
  const [queries, keys] = [
    sampleIndices(rows, rows, rng.fork('queries')),
    sampleIndices(rows, rows, rng.fork('keys')),
  ];
  const count = rows / blockSize;
  const starts = Uint32Array.from({ length: count + 1 }, (_, t) => t * blockSize);
  // Segments: its block, then the first keys, which are a sample of all.
  return {
    heads: new Uint32Array(count),
    ...{ rowStart: starts, rows: queries },
    segmentStart: Uint32Array.from({ length: count + 1 }, (_, t) => 2 * t),
    keyStart: Uint32Array.from({ length: 2 * count }, (_, s) => (s % 2 ? rows : starts[s / 2])),
    keyEnd: Uint32Array.from({ length: 2 * count }, (_, s) =>
      s % 2 ? rows + sampleSize : starts[s / 2] + blockSize,
    ),
    logWeights: new Float32Array(2 * count),
    keys: Uint32Array.from([...keys, ...sampleIndices(rows, sampleSize, rng.fork('sample'))]),
  };
}

async function wasmSide(input: AttentionInput) {
  const { out, run } = await kernelSide(input, 'wasm');
  const check = async () => {
    await run();
    return requireExact('the WASM kernels', errorAgainstOracle(input)(out));
  };
  return { run, check };
}

async function kernelSide(input: AttentionInput, backend: 'wasm' | 'ts', tiles?: AttentionTiles) {
  const kernels = await loadKernels({ backend, threads: 1 });
  const { rows, cols } = input.queries;
  const out = new Float32Array(rows * cols);
  const run = () =>
    kernels.attention({
      ...{ queries: input.queries.data, keys: input.keys.data, values: input.values.data },
      ...{ heads: 1, keyHeads: 1, queryRows: rows, keyRows: rows, dim: cols, valueDim: cols },
      ...{ scale: 1 / Math.sqrt(cols), tiles, out, lse: new Float64Array(rows) },
    });
  return { out, run };
}

/** ‖a − b‖_F / ‖b‖_F. */
function differenceOf(a: Float32Array, b: Float32Array): number {
  const square = (of: (i: number) => number) => b.reduce((sum, _, i) => sum + of(i) ** 2, 0);
  return Math.sqrt(square((i) => a[i] - b[i]) / square((i) => b[i]));
}

function hyperSide(input: AttentionInput, options: HyperOptions) {
  const run = () => hyperAttention(input, { ...SIZES, hashBits: 'auto', certifyRows: 0, ...options });
  const check = async () => requireUseful(errorAgainstOracle(input)((await run()).value.output.data));
  return { run, check };
}

/** @throws {Error} zeros would have been nearer: something is broken */
function requireUseful(error: number): number {
  if (!(error < 1)) throw new Error(`HyperAttention: relative error ${error} is not below 1.`);
  return error;
}

/** Exact attention takes too long here to take turns: once, between two halves of our rounds. */
async function againstExactOnce(shape: InputShape, options: HyperOptions, threads: number) {
  const ours = hyperSide(plantedInput(shape), options);
  const error = await ours.check();
  const seconds: number[] = [];
  const rounds = async () => {
    for (let round = 0; round < 3; round++) seconds.push(await timed(ours.run));
  };
  await rounds();
  const peer = await exactSeconds(shape, threads);
  await rounds();
  const time = median(seconds);
  return { ours: time, peer, unit: 's', ratio: peer / time, error };
}

const exactTimes = new Map<string, Promise<number>>();

/** Seconds of the fastest exact peer; timed once a run of the suite, as the values do not matter to it. */
function exactSeconds({ rows, causal = false }: InputShape, threads: number): Promise<number> {
  const key = `${rows} ${causal}`;
  const known = exactTimes.get(key);
  if (known) return known;
  const timing = (async () => {
    const name = await fastestExactPeer(causal, threads);
    await using peer = await openExactPeer(name, plantedInput({ rows, causal }), threads);
    return await peer.run(); // before it is closed
  })();
  exactTimes.set(key, timing);
  return timing;
}

async function fastestExactPeer(causal: boolean, threads: number): Promise<ExactPeerName> {
  const input = plantedInput({ rows: 16_384, causal });
  const seconds: number[] = [];
  for (const name of EXACT_PEERS) {
    await using peer = await openExactPeer(name, input, threads);
    await peer.run(); // warm
    seconds.push(median([await peer.run(), await peer.run(), await peer.run()]));
  }
  return EXACT_PEERS[seconds.indexOf(Math.min(...seconds))];
}

async function hyperAgainstExact(
  shape: InputShape,
  options: HyperOptions,
  threads: number,
): Promise<Contest> {
  const input = plantedInput(shape);
  const ours = hyperSide(input, options);
  const peer = await openExactPeer('PyTorch', input, threads);
  return {
    check: ours.check,
    ours: () => timed(ours.run),
    peer: () => peer.run(),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

/** The call of peers/attention.py that does what our defaults do. */
function torchHyper(input: AttentionInput, seed: number) {
  const causal = input.causal ?? false;
  return { causal, block: SIZES.blockSize, samples: SIZES.sampleSize, min_rows: 4096, seed };
}

async function hyperAgainstTorch(shape: InputShape, threads: number): Promise<Contest> {
  const input = plantedInput(shape);
  const ours = hyperSide(input, {});
  const peer = await openTorchProcess(input, threads);
  const run = () => peer.call<number>('approximate', torchHyper(input, 0));
  return {
    async check() {
      await run();
      requireUseful(errorAgainstOracle(input)(await torchOutput(peer)));
      return ours.check();
    },
    ours: () => timed(ours.run),
    peer: run,
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

/** Medians over seeds, of both sides' errors on the same rows. */
async function errorsOfBoth(shape: InputShape, threads: number) {
  const input = plantedInput(shape);
  const errorOf = errorAgainstOracle(input, 64);
  await using peer = await openTorchProcess(input, threads);
  const [ours, theirs]: number[][] = [[], []];
  for (const seed of [1, 2, 3]) {
    ours.push(errorOf((await hyperSide(input, { seed }).run()).value.output.data));
    await peer.call('approximate', torchHyper(input, seed));
    theirs.push(errorOf(await torchOutput(peer)));
  }
  const [error, other] = [median(ours), median(theirs)];
  return { ours: error, peer: other, unit: 'relative', ratio: other / error, error };
}

/** Least squares of ln(median time) over ln n. The paper claims n^(1 + o(1)). */
async function slopeOfTime(threads: number) {
  const restore = useThreads(threads);
  const points: { x: number; y: number }[] = [];
  for (let n = 4096; n <= 65_536; n *= 2) {
    const { run } = hyperSide(plantedInput({ rows: n }), {});
    await run();
    const seconds: number[] = [];
    for (let round = 0; round < 7; round++) seconds.push(await timed(run));
    points.push({ x: Math.log(n), y: Math.log(median(seconds)) });
  }
  restore();
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = mean((point) => (point.x - x) ** 2);
  const slope = mean((point) => (point.x - x) * (point.y - y)) / spread;
  const residual = mean((point) => (point.y - y - slope * (point.x - x)) ** 2);
  const error = Math.sqrt(residual / spread / (points.length - 2));
  return { ours: slope, peer: 1, unit: 'slope', ratio: 1 / slope, error };
}
