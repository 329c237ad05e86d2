// The native addon: every kernel compiled once per instruction set, linked with the dispatcher and the binding.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { hashOf, readStamp, writeStamp } from './stamp.mjs';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

const KERNELS = [
  'argsort',
  'attention',
  'attention_backward',
  'attention_block',
  'auctions',
  'bid_thresholds',
  'decode',
  'dequantise',
  'exp',
  'gemm',
  'gemm_skinny',
  'label_sums',
  'layer_steps',
  'linear',
  'linear_few',
  'linear_many_bytes',
  'micro_kernel',
  'nearest',
  'row_moments',
  'row_norms',
  'score_scan',
  'screen',
  'screen_tile',
  'slice_rows',
  'table',
  'uniform',
  'xxh64',
];
// Only here may a product and a sum fuse (native/micro_kernel.cc says why).
const FUSED = new Set([
  'attention_backward',
  'attention_block',
  'decode',
  'exp',
  'gemm_skinny',
  'linear_few',
  'linear_many_bytes',
  'micro_kernel',
  'row_moments',
  'screen_tile',
]);
const COMMON = [
  '-std=c++17',
  '-O3',
  '-fPIC',
  '-fvisibility=hidden',
  '-pthread',
  '-Wall',
  '-Wextra',
  '-Wno-psabi',
];
// IEEE results are kept: these two only give up errno and floating-point exception flags, which nobody reads.
const MATH = ['-fno-math-errno', '-fno-trapping-math'];

const AVX2 = ['-mavx2', '-mfma', '-mf16c'];
const AVX512 = [...AVX2, '-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mprefer-vector-width=512'];
// Masks of comparisons are added up here: kept in vectors, as AVX2 does, they are a sixth faster than in mask registers. The same inline
// functions then exist in both forms, of which either may be linked: every AVX-512 machine runs both.
const COUNTS_MASKS = new Set(['auctions', 'bid_thresholds']);
const MASKS_IN_VECTORS = ['-mno-avx512vl', '-mprefer-vector-width=256'];
const TARGETS = {
  x64: {
    avx512vnni: [...AVX512, '-mavx512vnni'],
    avx512: AVX512,
    avx2: AVX2,
    baseline: [],
  },
  arm64: { neon: [] },
};

/** Builds native/build/provably.node below `root`. @throws {Error} in one line, when there will be no addon */
export async function buildAddon(root) {
  const native = join(root, 'native');
  const product = join(native, 'build/provably.node');
  const stampFile = join(native, 'build/addon.json');
  const { compiler, reason } = await findCompiler();
  const hash = hashOf(
    native,
    compiler ?? reason,
    process.arch,
    TARGETS,
    COMMON,
    MATH,
    KERNELS,
    [...COUNTS_MASKS],
    MASKS_IN_VECTORS,
    headers(),
  );
  const stamp = readStamp(stampFile);
  if (stamp.hash === hash && (stamp.failure || existsSync(product))) return;
  let failure = reason;
  if (compiler) {
    console.error('kernels: compiling the native addon …');
    failure = await compile(compiler.command, native, product);
  }
  // An addon of other sources or another compiler must not outlive them.
  if (failure) rmSync(product, { force: true });
  writeStamp(stampFile, failure ? { hash, failure } : { hash });
  if (failure) throw new Error(`no native addon (${failure}); WASM kernels are used instead.`);
}

/** The compiler and its version, or the reason why there is none. */
async function findCompiler() {
  if (process.platform === 'win32') return { reason: 'it is not built on Windows' };
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  for (const command of candidates) {
    try {
      const { stdout } = await run(command, ['--version']);
      if (stdout) return { compiler: { command, version: stdout.split('\n')[0] } };
    } catch {
      // Not there, or not a compiler: the next one.
    }
  }
  return { reason: `no working C++ compiler: tried ${candidates.join(', ')}` };
}

function headers() {
  return ['node-addon-api', 'node-api-headers'].map((name) => require(`${name}/package.json`).version);
}

/** @returns {Promise<string | undefined>} what went wrong, in one line */
async function compile(compiler, native, product) {
  mkdirSync(dirname(product), { recursive: true });
  const objects = mkdtempSync(join(dirname(product), 'objects-'));
  try {
    const steps = compileSteps(native, objects);
    await inParallel(steps, ({ args }) => run(compiler, args));
    const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
    const linked = join(objects, 'provably.node');
    await run(compiler, [...link, '-pthread', ...steps.map(({ object }) => object), '-o', linked]);
    renameSync(linked, product);
  } catch (error) {
    const lines = String(error.stderr || error.message).split('\n');
    return (lines.find((line) => /error/i.test(line)) ?? lines[0]).trim();
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

function compileSteps(native, objects) {
  const includes = ['node-addon-api', 'node-api-headers'].map((name) =>
    dirname(require.resolve(`${name}/package.json`)),
  );
  const napi = ['-DNAPI_VERSION=8', '-isystem', includes[0], '-isystem', join(includes[1], 'include')];
  const step = (source, name, flags) => {
    const object = join(objects, `${name}.o`);
    return { object, args: [...COMMON, ...flags, '-I', native, '-c', join(native, source), '-o', object] };
  };
  // The slowest first, so that the others fill the time beside it.
  const steps = [step('bindings/node.cc', 'node', ['-O1', ...napi])];
  for (const [target, flags] of Object.entries(TARGETS[process.arch] ?? { baseline: [] }))
    for (const kernel of KERNELS)
      steps.push(
        step(`${kernel}.cc`, `${target}-${kernel}`, [
          ...flags,
          ...(flags.includes('-mavx512vl') && COUNTS_MASKS.has(kernel) ? MASKS_IN_VECTORS : []),
          ...MATH,
          `-ffp-contract=${FUSED.has(kernel) ? 'fast' : 'off'}`,
          `-DPROVABLY_TARGET=${target}`,
        ]),
      );
  return [...steps, step('dispatch.cc', 'dispatch', []), step('thread_pool.cc', 'thread_pool', [])];
}

async function inParallel(items, work) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
