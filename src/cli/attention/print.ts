// Attention as text for the terminal.

import type { AttentionInput, TuneResult } from '../../attention/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { printCertificate, printFields, printTable } from '../output.ts';
import type { AttentionOutcome } from './run.ts';

export function printAttention(outcome: AttentionOutcome, context: CliContext): void {
  const { description, input, hyper, seconds, comparison, measured, tuned, heads, flags } = outcome;
  const { trace, backend } = hyper.value;
  const { bold, dim } = colorsFor(context.stdout, context.env);
  context.stdout.write(`${bold(describeInput(input))}  ${dim(description)}\n\n`);
  const share = `${shortNumber((100 * trace.pairs) / trace.exactPairs)} %`;
  if (tuned) printTuning(tuned, flags.tune, context);
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
    ...(measured
      ? ([
          ['error', `${shortNumber(measured.relative)} relative, on ${measured.rows} rows of the worst head`],
        ] as const)
      : []),
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
  if (heads) printHeads(heads, context);
  context.stdout.write('\n');
  printCertificate(context, hyper.certificate);
}

function printTuning(
  { best, freshError, trials }: TuneResult,
  target: number | undefined,
  context: CliContext,
): void {
  const { bold } = colorsFor(context.stdout, context.env);
  printTable(
    context,
    ['b', 'm', 'n₀', 'hash bits', 'error', 'pairs (%)', ''].map((title) => ({ title, align: 'right' })),
    trials.map((trial) => {
      const { blockSize, sampleSize, minSequence, hashBits } = trial.options;
      const cost = 100 * trial.cost;
      return [
        blockSize,
        sampleSize,
        minSequence,
        hashBits,
        trial.relativeError,
        cost,
        trial === best ? '← best' : '',
      ];
    }),
  );
  if (freshError !== undefined) {
    context.stdout.write(`On rows that had no say in the choice its error is ${shortNumber(freshError)}.\n`);
  }
  if (!best) {
    context.stdout.write(
      `${bold(`No setting reaches an error of ${target} with fewer pairs than exact attention`)}; below is the most accurate one.\n`,
    );
  }
  context.stdout.write('\n');
}

function printHeads(heads: NonNullable<AttentionOutcome['heads']>, context: CliContext): void {
  context.stdout.write('\n');
  printTable(
    context,
    ['batch', 'head', 'α', 'κ', 'recall (%)', 'entropy (nats)', 'error', 'patch'].map((title, i) => ({
      title,
      align: i < 7 ? 'right' : 'left',
    })),
    heads.map(({ report: { batch, head, alpha, kappa, recall, entropy, relativeError }, advice }) => [
      ...[batch, head, alpha, kappa, 100 * recall, entropy, relativeError],
      `${advice.patch ? 'yes' : 'no'}: ${advice.reason.replace(/^.*nats: /, '')}`,
    ]),
  );
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
