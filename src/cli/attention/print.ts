// Attention as text for the terminal.

import type { AttentionInput } from '../../attention/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { printCertificate, printFields } from '../output.ts';
import type { AttentionOutcome } from './run.ts';

export function printAttention(outcome: AttentionOutcome, context: CliContext): void {
  const { description, input, hyper, seconds, comparison, flags } = outcome;
  const { trace, backend } = hyper.value;
  const { bold, dim } = colorsFor(context.stdout, context.env);
  context.stdout.write(`${bold(describeInput(input))}  ${dim(description)}\n\n`);
  const share = `${shortNumber((100 * trace.pairs) / trace.exactPairs)} %`;
  printFields(context, [
    [
      'exact',
      seconds.exact === undefined
        ? `not run, ${shortNumber(trace.exactPairs)} pairs; ask for it with --exact`
        : `${shortNumber(seconds.exact)} s, ${shortNumber(trace.exactPairs)} pairs`,
    ],
    ['hyper', `${shortNumber(seconds.hyper)} s, ${shortNumber(trace.pairs)} pairs (${share})`],
    ...(seconds.exact === undefined
      ? []
      : ([['speed-up', `${(seconds.exact / seconds.hyper).toFixed(1)}×`]] as const)),
    ...(comparison === undefined
      ? []
      : ([
          ['error', `${shortNumber(comparison.relativeError)} = ‖Õ − O‖_F / ‖O‖_F, all rows`],
          [
            'row sums',
            `off by ${shortNumber(comparison.lseErrorMean)} nats, at most ${shortNumber(comparison.lseErrorLargest)}`,
          ],
        ] as const)),
    ['certificate', `${shortNumber(seconds.certificate)} s more`],
    ['kernels', backend],
    ...(flags.out ? ([['output', flags.out]] as const) : []),
  ]);
  context.stdout.write('\n');
  printCertificate(context, hyper.certificate);
}

/** "8 heads (2 of keys), 4096 queries and keys, d = 64, causal" */
function describeInput({ queries, keys, values, causal }: AttentionInput): string {
  const heads = queries.batch * queries.heads;
  const rows =
    queries.rows === keys.rows
      ? `${queries.rows} queries and keys`
      : `${queries.rows} queries, ${keys.rows} keys`;
  const dims =
    queries.cols === values.cols ? `d = ${queries.cols}` : `d = ${queries.cols}, d_v = ${values.cols}`;
  const groups = keys.heads === queries.heads ? '' : ` (${queries.batch * keys.heads} of keys)`;
  return `${heads} ${heads === 1 ? 'head' : 'heads'}${groups}, ${rows}, ${dims}${causal ? ', causal' : ''}`;
}
