// Exact slicing against the best of microagg1d's methods, which solve the same problem; and in plain TypeScript against a sort and against
// the plain programme. Error: difference of the costs, relative to the peer's.

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { optimalCuts } from '../../../../src/aggregate/bags/cuts.ts';
import { dequeCuts } from '../../../../src/aggregate/bags/deque.ts';
import { sliceBags, withinBagSquares } from '../../../../src/aggregate/index.ts';
import { createRng } from '../../../../src/core/rng.ts';
import { loadKernels } from '../../../../src/kernels/index.ts';
import { type Case, type Contest, type Once, timed } from '../../measure.ts';
import { PythonPeer } from '../../peer.ts';
import { threadsText, useThreads } from '../../threads.ts';

/** Costs may differ by the rounding of two programmes. */
const MOST_ERROR = 1e-12;

export function* slicingCases(): Generator<Case | Once> {
  for (const n of [1_000_000, 10_000_000])
    for (const k of [5, 100, 1000])
      for (const threads of availableParallelism() > 1 ? [1, 2] : [1])
        yield {
          name: `slice n=${n} k=${k} ${threadsText(threads)} vs microagg1d's best method`,
          ...{ unit: 's', work: 1, rounds: n > 1e6 ? 3 : 5 },
          setUp: () => againstMicroagg(n, k, threads),
        };
  yield memoryCase(10_000_000, 100);
  yield* sortCases(1_000_000);
}

function normals(n: number): Float64Array {
  const rng = createRng(1);
  return Float64Array.from({ length: n }, () => rng.normal());
}

async function againstMicroagg(n: number, k: number, threads: number): Promise<Contest> {
  const values = normals(n);
  const peer = new PythonPeer('slicing', 1);
  await peer.call('load', { values: peer.share('values', values) });
  const restore = useThreads(threads);
  let method = '';
  return {
    async check() {
      const best = await bestMethod(peer, values, k);
      method = best.method;
      const { value } = await sliceBags(values, { minSize: k, seed: 1 });
      const error = Math.abs(value.cost - best.cost) / best.cost;
      if (error > MOST_ERROR) throw new Error(`cost ${value.cost}, microagg1d's ${best.cost}`);
      return error;
    },
    ours: () => timed(() => sliceBags(values, { minSize: k, seed: 1 })),
    peer: () => peer.call<number>('slice', { k, method }),
    async [Symbol.asyncDispose]() {
      restore();
      await peer[Symbol.asyncDispose]();
    },
  };
}

/** The fastest of the methods whose cost is the least: "simple", which is its default up to k = 21, misses it (by 7e-4 at n = 10⁶, k = 5). */
async function bestMethod(
  peer: PythonPeer,
  values: Float64Array,
  k: number,
): Promise<{ method: string; cost: number }> {
  const found: { method: string; cost: number; seconds: number }[] = [];
  for (const method of await peer.call<string[]>('methods')) {
    const seconds = await peer.call<number>('slice', { k, method });
    await peer.call('write_labels', { path: peer.pathOf('labels') });
    found.push({ method, seconds, cost: costOfLabels(values, new Uint32Array(peer.read('labels'))) });
  }
  const least = Math.min(...found.map(({ cost }) => cost));
  const exact = found.filter(({ cost }) => cost <= least * (1 + MOST_ERROR));
  return exact.reduce((best, other) => (other.seconds < best.seconds ? other : best));
}

function costOfLabels(values: Float64Array, labels: Uint32Array): number {
  const offsets = new Uint32Array(labels.reduce((most, label) => Math.max(most, label), 0) + 2);
  for (const label of labels) offsets[label + 1]++;
  for (let a = 1; a < offsets.length; a++) offsets[a] += offsets[a - 1];
  const next = offsets.slice();
  const members = new Uint32Array(labels.length);
  labels.forEach((label, i) => {
    members[next[label]++] = i;
  });
  return withinBagSquares(values, { samples: values.length, members, offsets });
}

/** Peak resident memory of a process that makes the values and slices them, against microagg1d's. */
function memoryCase(n: number, k: number): Once {
  return {
    name: `peak memory slice n=${n} k=${k} vs microagg1d wilber`,
    async run() {
      const script = fileURLToPath(new URL('./slice-once.ts', import.meta.url));
      const { stdout, status } = spawnSync(process.execPath, [script, String(n), String(k)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (status !== 0) throw new Error(`slice-once.ts ended with ${status}`);
      const ours = Number(stdout) / 1e6;
      await using python = new PythonPeer('slicing', 1);
      await python.call('load', { values: python.share('values', normals(n)) });
      await python.call('slice', { k, method: 'wilber' });
      const peer = (await python.call<number>('peak_bytes')) / 1e6;
      return { ours, peer, unit: 'MB', ratio: peer / ours, error: 0 };
    },
  };
}

/** What TypeScript alone takes beside sorting the same numbers: the programme adds little to a sort, and the queue little to k. */
function* sortCases(n: number): Generator<Case> {
  const rules = { penalty: 0, weights: undefined, noise: undefined };
  for (const k of [5, 16, 100, 1000])
    yield sortCase(`slice TypeScript n=${n} k=${k} vs Float64Array sort`, n, async (values) => {
      await sliceBags(values, { minSize: k, seed: 1 });
    });
  yield sortCase(
    `queue of starts TypeScript n=${n} k=1000 of sorted vs Float64Array sort`,
    n,
    async (_, sorted) => {
      await dequeCuts(sorted, { ...rules, minSize: 1000 });
    },
  );
  for (const [name, cut] of [
    ['search by halves', optimalCuts],
    [
      'queue of starts',
      (sorted: Float64Array, sizes: { minSize: number }) => dequeCuts(sorted, { ...rules, ...sizes }),
    ],
  ] as const) {
    const sizes = { ...rules, minSize: 1000, maxSize: 1999 };
    yield {
      name: `${name} TypeScript n=${n} k=1000 vs plain programme`,
      ...{ unit: 's', work: 1, rounds: 3 },
      async setUp() {
        const kernels = await loadKernels({ backend: 'ts' });
        const sorted = normals(n).sort();
        const cost = (offsets: Uint32Array) => costOfRuns(sorted, offsets);
        const plain = () => optimalCuts(sorted, { ...sizes, plain: true }, kernels);
        return {
          async check() {
            const least = cost(await plain());
            return Math.abs(cost(await cut(sorted, sizes, kernels)) - least) / least;
          },
          ours: () => timed(async () => cut(sorted, sizes, kernels)),
          peer: () => timed(plain),
          async [Symbol.asyncDispose]() {},
        };
      },
    };
  }
}

function costOfRuns(sorted: Float64Array, offsets: Uint32Array): number {
  const members = Uint32Array.from(sorted, (_, i) => i);
  return withinBagSquares(sorted, { samples: sorted.length, members, offsets });
}

function sortCase(
  name: string,
  n: number,
  body: (values: Float64Array, sorted: Float64Array) => Promise<void>,
): Case {
  return {
    name,
    ...{ unit: 's', work: 1, rounds: 7 },
    async setUp() {
      const before = process.env.PROVABLY_KERNELS;
      process.env.PROVABLY_KERNELS = 'ts';
      const values = normals(n);
      const sorted = values.toSorted();
      return {
        check: async () => 0,
        ours: () => timed(() => body(values, sorted)),
        peer: () => timed(async () => values.toSorted()),
        async [Symbol.asyncDispose]() {
          if (before === undefined) delete process.env.PROVABLY_KERNELS;
          else process.env.PROVABLY_KERNELS = before;
        },
      };
    },
  };
}
