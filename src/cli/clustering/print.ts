// A clustering as text for the terminal.

import type { Clustering, ClusteringEvent } from '../../clustering/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import { type CliContext, colorsFor } from '../context.ts';
import type { InputTable } from '../input.ts';
import { printFields } from '../output.ts';
import type { ClusterFlags } from './flags.ts';

export function printClustering(
  { counts, inertia, iterations, converged, events, backend }: Clustering,
  { rows }: InputTable,
  { out, centers }: ClusterFlags,
  seconds: number,
  context: CliContext,
): void {
  const { bold, yellow } = colorsFor(context.stdout, context.env);
  const sizes = Float64Array.from(counts).sort();
  const median = sizes[sizes.length >> 1];
  context.stdout.write(`${bold(`${counts.length} clusters`)} of ${rows} rows\n\n`);
  printFields(context, [
    ['inertia', inertia],
    ['iterations', `${iterations}, ${converged ? 'converged' : 'stopped at the limit'}`],
    [
      'sizes',
      `${shortNumber(sizes[0])} … ${shortNumber(sizes[sizes.length - 1])}, median ${shortNumber(median)}`,
    ],
    ['kernels', backend],
    ['time', `${seconds.toFixed(2)} s`],
    ...(out ? ([['labels', out]] as const) : []),
    ...(centers ? ([['centers', centers]] as const) : []),
  ]);
  for (const event of events) context.stdout.write(`${yellow('note')} ${describeEvent(event)}\n`);
}

function describeEvent(event: ClusteringEvent): string {
  switch (event.type) {
    case 'k-reduced':
      return `${event.actual} clusters instead of ${event.requested}: there are no more distinct rows.`;
    case 'empty-cluster':
      return `cluster ${event.cluster} ran empty in iteration ${event.iteration} and was moved to row ${event.row}.`;
    case 'algorithm-switch':
      return `from iteration ${event.iteration} on ${event.to} instead of ${event.from}: it is faster here.`;
    case 'trained-on-sample':
      return `the centers were learned from ${event.rows} of ${event.of} rows; every row was then assigned exactly.`;
  }
}
