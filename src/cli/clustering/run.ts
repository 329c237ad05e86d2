// What `provably cluster` does: read, cluster, write, tell.

import { type Clustering, kMeans, miniBatchKMeans } from '../../clustering/index.ts';
import { DataError } from '../../core/errors.ts';
import type { Matrix32 } from '../../core/matrix.ts';
import { writeTable } from '../../data/index.ts';
import type { CliContext } from '../context.ts';
import { given } from '../given.ts';
import { type InputTable, openInput } from '../input.ts';
import { printJson } from '../output.ts';
import { idColumn, writeMatrix } from '../output-file.ts';
import { showProgress } from '../progress.ts';
import type { ClusterFlags } from './flags.ts';
import { printClustering } from './print.ts';

export async function runCluster(path: string, flags: ClusterFlags, context: CliContext): Promise<void> {
  const { out, centers, json, id, seed } = flags;
  const { signal } = context;
  const start = performance.now();
  await using table = await openInput(path, { ...flags, signal });
  const clustering = await computeClustering(table, flags, context);
  const { labels, distances } = clustering;
  if (out !== undefined) {
    const names = id === undefined ? undefined : await table.texts(id);
    const rows = idColumn(
      id,
      names,
      Uint32Array.from(labels, (_, row) => row),
    );
    await writeTable(out, { ...rows, cluster: labels, distance: distances }, { signal });
  }
  if (centers !== undefined) await writeMatrix(centers, clustering.centers, 'center', { signal });
  const seconds = (performance.now() - start) / 1000;
  if (json) {
    const { counts, inertia, iterations, converged, events, backend } = clustering;
    printJson(context, {
      system: 'clustering',
      input: { table: path, rows: table.rows },
      value: {
        ...{ clusters: counts.length, counts, iterations, converged, events },
        ...(out === undefined ? { labels } : { out }),
        ...(centers === undefined ? { centers: clustering.centers } : { centersOut: centers }),
      },
      seconds,
      figures: { inertia },
      recipe: { seed, backend },
    });
  } else {
    printClustering(clustering, table, flags, seconds, context);
  }
}

async function computeClustering(
  table: InputTable,
  flags: ClusterFlags,
  context: CliContext,
): Promise<Clustering> {
  const {
    k,
    algorithm,
    init,
    initCenters,
    maxIterations,
    tolerance,
    restarts,
    trainRows,
    boundMemory,
    seed,
  } = flags;
  const points = await table.embeddings();
  const weights = flags.weights === undefined ? undefined : await table.numbers(flags.weights);
  const start = initCenters === undefined ? init : await readCenters(initCenters, context.signal);
  using progress = showProgress(context, { quiet: flags.json && context.stderr.isTTY !== true });
  const common = given({
    ...{ k, seed, weights, init: start, spherical: flags.spherical, trainRowsPerCenter: trainRows },
    signal: context.signal,
    onProgress: progress.report,
  });
  // Awaited here, so that the display lasts as long as the work.
  if (algorithm === 'mini-batch') return await miniBatchKMeans(points, common);
  return await kMeans(points, {
    ...common,
    ...given({
      algorithm,
      maxIterations,
      tolerance,
      restarts,
      power: flags.power === '1' ? (1 as const) : (2 as const),
    }),
    ...given({ boundMemory: boundMemory === undefined ? undefined : boundMemory * 2 ** 20 }),
  });
}

async function readCenters(path: string, signal: AbortSignal): Promise<Matrix32> {
  await using table = await openInput(path, { signal });
  const centers = await table.embeddings();
  if ('data' in centers) return centers;
  throw new DataError(`${path}: ${centers.rows} centers do not fit into memory; expected as many as --k.`);
}
