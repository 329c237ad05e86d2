// Square float32 products. Error: the largest |C − exact| / Σ|aᵢbᵢ| over sampled entries; the bound is (n + n / 256 + 2) · 2⁻²⁴.

import { availableParallelism } from 'node:os';
import { createRng } from '../../../src/core/rng.ts';
import { type Kernels, loadKernels } from '../../../src/kernels/index.ts';
import { loadJax } from '../../../src/training/jax.ts';
import { type Case, type Contest, timed } from '../measure.ts';
import { PythonPeer } from '../peer.ts';
import { threadsText } from '../threads.ts';

interface Product {
  n: number;
  a: Float32Array;
  b: Float32Array;
  c: Float32Array;
}

export function* cases(): Generator<Case> {
  const cores = availableParallelism();
  for (const threads of cores > 1 ? [1, 2] : [1])
    for (const n of [1024, 2048, 4096])
      yield {
        ...figures(n),
        name: `n=${n} ${threadsText(threads)} vs NumPy`,
        setUp: () => againstNumpy(n, threads),
      };
  yield { ...figures(1024), name: 'wasm n=1024 1 thread vs jax-js', setUp: () => againstJax(1024) };
  yield {
    ...figures(1024),
    name: 'wasm n=1024 1 thread vs native',
    setUp: () => amongUs(1024, { backend: 'wasm', threads: 1 }, { threads: 1 }),
  };
  if (cores > 1)
    yield {
      ...figures(2048),
      name: 'wasm n=2048 2 workers vs 1',
      setUp: () => amongUs(2048, { backend: 'wasm', threads: 2 }, { backend: 'wasm', threads: 1 }),
    };
}

function figures(n: number) {
  return { unit: 'GFLOP/s', work: 2e-9 * n ** 3, rounds: n > 2048 ? 5 : 9 };
}

async function againstNumpy(n: number, threads: number): Promise<Contest> {
  const product = randomProduct(n);
  const kernels = await loadKernels({ threads });
  const peer = new PythonPeer('gemm', threads);
  await peer.call('load', { a: peer.share('a', product.a), b: peer.share('b', product.b), n });
  return {
    ...ourSide(kernels, product),
    peer: () => peer.call<number>('gemm'),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function againstJax(n: number): Promise<Contest> {
  const product = randomProduct(n);
  const kernels = await loadKernels({ backend: 'wasm', threads: 1 });
  const { numpy } = await loadJax();
  const [left, right] = [product.a, product.b].map((values) =>
    numpy.array(new Float32Array(values)).reshape([n, n]),
  );
  return {
    ...ourSide(kernels, product),
    peer: () => timed(async () => (await numpy.matmul(left.ref, right.ref).blockUntilReady()).dispose()),
    async [Symbol.asyncDispose]() {
      left.dispose();
      right.dispose();
    },
  };
}

type Choice = Parameters<typeof loadKernels>[0];

async function amongUs(n: number, ours: Choice, other: Choice): Promise<Contest> {
  const product = randomProduct(n);
  const { ours: peer } = ourSide(await loadKernels(other), product);
  return { ...ourSide(await loadKernels(ours), product), peer, async [Symbol.asyncDispose]() {} };
}

function ourSide(kernels: Kernels, { n, a, b, c }: Product) {
  const multiply = () => kernels.gemm({ m: n, n, k: n, a, b, c });
  return {
    async check() {
      await multiply();
      return sampledError({ n, a, b, c });
    },
    ours: () => timed(multiply),
  };
}

function randomProduct(n: number): Product {
  const rng = createRng(n);
  const random = () => Float32Array.from({ length: n * n }, () => 2 * rng.next() - 1);
  return { n, a: random(), b: random(), c: new Float32Array(n * n) };
}

/** @throws {Error} an entry breaks the bound */
function sampledError({ n, a, b, c }: Product): number {
  let worst = 0;
  const rng = createRng(1);
  for (let sample = 0; sample < 1000; sample++) {
    const [i, j] = [rng.integer(n), rng.integer(n)];
    let sum = 0;
    let size = 0;
    for (let p = 0; p < n; p++) {
      const term = a[i * n + p] * b[p * n + j];
      sum += term;
      size += Math.abs(term);
    }
    worst = Math.max(worst, Math.abs(c[i * n + j] - sum) / size);
  }
  const bound = (n + n / 256 + 2) * 2 ** -24;
  if (!(worst <= bound)) throw new Error(`gemm n=${n}: error ${worst} is above the bound ${bound}.`);
  return worst;
}
