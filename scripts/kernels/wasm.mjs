// The WASM module, compiled by a clang that itself runs in WASM: no system toolchain needed.

import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { hashOf, readStamp, replaceFile, sourcesIn, writeStamp } from './stamp.mjs';

const FLAGS = [
  '--target=wasm32',
  '-std=c++17',
  // The kernels are vectorized and unrolled by hand: the compiler's own attempts only make the module bigger.
  ...['-O2', '-fno-vectorize', '-fno-slp-vectorize', '-fno-unroll-loops'],
  ...['-msimd128', '-mbulk-memory', '-ffp-contract=off', '-DPROVABLY_TARGET=wasm'],
  ...['-ffreestanding', '-nostdlib', '-nostdlibinc', '-nostdinc++', '-fno-exceptions', '-fno-rtti'],
  ...['-Wl,--no-entry', '-Wl,--stack-first', '-Wl,-z,stack-size=262144'],
];

/** Builds build/provably.wasm below `native`. @throws {Error} in one line, when there will be no WASM module */
export async function buildWasm(native) {
  const product = join(native, 'build/provably.wasm');
  const stampFile = join(native, 'build/wasm.json');
  const hash = hashOf(native, FLAGS);
  if (readStamp(stampFile).hash === hash && existsSync(product)) return;
  if (!isInstalled('@yowasp/clang')) {
    if (existsSync(product)) return; // ready-made, in the published package
    throw new Error('no WASM module (@yowasp/clang is not installed); TypeScript kernels are the fallback.');
  }
  console.error('kernels: compiling the WASM module …');
  const files = Object.fromEntries(
    sourcesIn(native)
      .filter((name) => !name.includes('/'))
      .map((name) => [name, readFileSync(join(native, name), 'utf8')]),
  );
  files['wasm.cc'] = readFileSync(join(native, 'bindings/wasm.cc'), 'utf8');
  const { module, failure } = await compile(files);
  if (failure) throw new Error(`no WASM module (${failure}); TypeScript kernels are the fallback.`);
  replaceFile(product, module);
  writeStamp(stampFile, { hash });
}

function isInstalled(name) {
  try {
    return Boolean(import.meta.resolve(name));
  } catch {
    return false;
  }
}

async function compile(files) {
  const args = ['clang++', ...FLAGS, 'wasm.cc', '-o', 'provably.wasm'];
  const worker = new Worker(new URL('./wasm-compile.mjs', import.meta.url), {
    workerData: { args, files, product: 'provably.wasm' },
  });
  try {
    const [result] = await once(worker, 'message');
    return result;
  } catch (error) {
    return { failure: error.message };
  } finally {
    await worker.terminate();
  }
}
