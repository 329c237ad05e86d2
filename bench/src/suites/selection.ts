// Sampling by given scores, and the memory that selection and clustering of a large table take. Error of sampling: the largest
// deviation of how often a stratum of rows is drawn from what its scores say, in standard errors; of memory: none is measured.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { createRng } from '../../../src/core/rng.ts';
import { drawSample, type SamplingScheme, type WeightedSample } from '../../../src/selection/index.ts';
import { type Case, type Contest, type Once, timed } from '../measure.ts';
import { PythonPeer } from '../peer.ts';

const ROWS = 1_000_000;
const DRAWS = 10_000;
const DIM = 768;

export function* cases(): Generator<Case | Once> {
  for (const scheme of ['hansen-hurwitz', 'fixed-size', 'poisson'] as const) {
    // NumPy knows draws with replacement, and a fixed size without; it has no Poisson sample.
    const replace = scheme === 'hansen-hurwitz';
    yield {
      name: `sample ${scheme} s=${DRAWS} n=${ROWS} vs NumPy choice(replace=${replace ? 'True' : 'False'})`,
      unit: 's',
      work: 1,
      setUp: () => againstNumPy(scheme, replace),
    };
  }
  yield* memoryCases();
}

async function againstNumPy(scheme: SamplingScheme, replace: boolean): Promise<Contest> {
  const rng = createRng(1);
  const scores = Float64Array.from({ length: ROWS }, () => 1 + rng.next() ** 4);
  const peer = new PythonPeer('selection', 1);
  await peer.call('load', { scores: peer.share('scores', scores) });
  let seed = 0;
  return {
    check: async () => deviation(drawSample(scores, { size: DRAWS, scheme, seed: 1 }), scores),
    ours: () => timed(async () => drawSample(scores, { size: DRAWS, scheme, seed: seed++ })),
    peer: () => peer.call<number>('choice', { size: DRAWS, replace, seed: seed++ }),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

/** Draws per tenth of the rows against what their scores say, the largest difference in binomial standard errors. @throws {Error} above 6 */
function deviation({ ids, counts }: WeightedSample, scores: Float64Array): number {
  const total = scores.reduce((sum, score) => sum + score, 0);
  const share = new Float64Array(10);
  const drawn = new Float64Array(10);
  scores.forEach((score, i) => {
    share[Math.floor((10 * i) / ROWS)] += score / total;
  });
  ids.forEach((id, j) => {
    drawn[Math.floor((10 * id) / ROWS)] += counts?.[j] ?? 1;
  });
  const worst = Math.max(
    ...share.map((p, part) => Math.abs(drawn[part] - DRAWS * p) / Math.sqrt(DRAWS * p * (1 - p))),
  );
  // Ten normal deviations above 6: chance 2e-8. (Without repeats the variance is smaller.)
  if (worst > 6)
    throw new Error(`the sample does not follow its scores: ${worst.toFixed(1)} standard errors`);
  return worst;
}

/** Peak resident memory of the command line on a table of 10⁶ rows × 768, beside the size of its embeddings as float32. */
function* memoryCases(): Generator<Once> {
  if (process.platform !== 'linux') return; // /proc tells the peak
  const whole = (4 * ROWS * DIM) / 1e6;
  for (const [what, args] of [
    ['cluster --k 1000', ['cluster', '--k', '1000', '--max-iterations', '2']],
    ['select --size 10000', ['select', '--losses', 'loss', '--size', '10000', '--k', '1000']],
  ] as const) {
    yield {
      name: `peak memory ${what} n=${ROWS} d=${DIM} Parquet vs embeddings in memory`,
      async run() {
        using table = await largeTable();
        const out = join(table.folder, 'out.parquet');
        const peak = await peakMemory([
          args[0],
          table.path,
          '--column',
          'embedding',
          ...args.slice(1),
          '--out',
          out,
        ]);
        return { ours: peak / 1e6, peer: whole, unit: 'MB', ratio: whole / (peak / 1e6), error: 0 };
      },
    };
  }
}

/** Highest resident set of a run of the command line, in bytes. @throws {Error} it fails */
async function peakMemory(args: readonly string[]): Promise<number> {
  const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, ...args, '--json'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let peak = 0;
  const look = setInterval(() => {
    try {
      // The kernel keeps the high-water mark, so looking now and then misses only the last moments.
      const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      peak = Math.max(peak, 1024 * Number(kilobytes ?? 0));
    } catch {
      // the process has just ended
    }
  }, 100);
  const [code] = await once(child, 'exit');
  clearInterval(look);
  if (code !== 0) throw new Error(`provably ${args.join(' ')} ended with ${code}`);
  return peak;
}

/** A Parquet file of 10⁶ embeddings, deleted when disposed of. Two minutes, 3 GB of disk. */
async function largeTable(): Promise<{ path: string; folder: string } & Disposable> {
  const folder = mkdtempSync(join(tmpdir(), 'provably-large-'));
  const path = join(folder, 'table.parquet');
  const database = await DuckDBInstance.create(':memory:', { memory_limit: '4GB', temp_directory: folder });
  const connection = await database.connect();
  await connection.run(
    `COPY (SELECT list_transform(range(${DIM}), lambda j: ((hash(i * ${DIM} + j) % 100000)::FLOAT / 50000 - 1)::FLOAT) AS embedding,
       (hash(i) % 1000) / 1000.0 AS loss FROM range(${ROWS}) t(i)) TO '${path}' (FORMAT parquet)`,
  );
  connection.closeSync();
  database.closeSync();
  return { path, folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
