// What `provably attention` does: read, run both, compare, write, tell.

import {
  type AttentionDifference,
  type AttentionInput,
  type AttentionResult,
  compareAttention,
  exactAttention,
  type HyperOptions,
  type HyperResult,
  hyperAttention,
} from '../../attention/index.ts';
import type { Certified } from '../../core/certificate.ts';
import { writeNpy } from '../../data/index.ts';
import { raceSeconds } from '../../reproduce/timing.ts';
import type { CliContext } from '../context.ts';
import { given } from '../given.ts';
import { shapeWithAxes } from '../head-tensors.ts';
import { printJson } from '../output.ts';
import { showProgress } from '../progress.ts';
import type { AttentionFlags } from './flags.ts';
import { openAttention } from './input.ts';
import { printAttention } from './print.ts';

/** Floating-point operations that exact attention may take without being asked for: ten seconds or so. */
const affordable = 1e12;

/** Below this, times are the median of three rounds. */
const quickly = 1e11;

export interface AttentionOutcome {
  /** Where the input comes from. */
  description: string;
  input: AttentionInput;
  hyper: Certified<HyperResult>;
  /** Seconds without certificate, and what the certificate takes more. */
  seconds: { hyper: number; certificate: number; exact: number | undefined };
  /** Against exact attention, where it was run. */
  comparison: AttentionDifference | undefined;
  flags: AttentionFlags;
}

export async function runAttention(
  files: readonly string[],
  flags: AttentionFlags,
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  const { description, input, axes } = await openAttention(files, flags);
  const outcome = { description, input, flags, ...(await compute(input, flags, context)) };
  const { output } = outcome.hyper.value;
  if (flags.out !== undefined) {
    const array = { data: output.data, shape: shapeWithAxes(output, axes) };
    await writeNpy(flags.out, array, { signal: context.signal });
  }
  if (flags.json) printJson(context, recordOf(outcome, (performance.now() - start) / 1000));
  else printAttention(outcome, context);
}

async function compute(
  input: AttentionInput,
  flags: AttentionFlags,
  context: CliContext,
): Promise<Pick<AttentionOutcome, 'hyper' | 'seconds' | 'comparison'>> {
  const { signal, stderr } = context;
  using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
  const run = { signal, onProgress: progress.report };
  const options: HyperOptions = { ...hyperOptions(flags), ...run };
  const start = performance.now();
  const hyper = await hyperAttention(input, options);
  const certified = (performance.now() - start) / 1000;
  const work = 2 * hyper.value.trace.exactPairs * (input.queries.cols + input.values.cols);
  let exact: AttentionResult | undefined;
  const competitors = [() => hyperAttention(input, { ...options, certifyRows: 0 })];
  if (flags.exact ?? work <= affordable) {
    competitors.push(async () => {
      exact = await exactAttention(input, run);
      return hyper;
    });
  }
  const [hyperSeconds, exactSeconds] = await raceSeconds(competitors, work <= quickly ? 3 : 1);
  return {
    hyper,
    seconds: {
      hyper: hyperSeconds,
      certificate: Math.max(0, certified - hyperSeconds),
      exact: exactSeconds,
    },
    comparison: exact && compareAttention(hyper.value, exact),
  };
}

function hyperOptions(flags: AttentionFlags): HyperOptions {
  const { block, samples, hashBits, minSequence, blocks, bucketOrder, sampling, sinks, window, seed } = flags;
  return given({
    ...{ blockSize: block, sampleSize: samples, hashBits, minSequence, blocks, bucketOrder, sampling },
    ...{ sinks, window, seed, certifyRows: flags.rows, failureProbability: flags.delta },
  });
}

function recordOf(
  { description, input, hyper, seconds, comparison, flags }: AttentionOutcome,
  total: number,
): Readonly<Record<string, unknown>> {
  const { queries, keys, values, causal } = input;
  const { trace, backend } = hyper.value;
  return {
    system: 'attention',
    input: {
      source: description,
      ...{ batch: queries.batch, heads: queries.heads, keyHeads: keys.heads },
      ...{ queries: queries.rows, keys: keys.rows, dim: queries.cols, valueDim: values.cols, causal },
    },
    value: { pairs: trace.pairs, exactPairs: trace.exactPairs, ...(flags.out ? { out: flags.out } : {}) },
    certificate: hyper.certificate,
    seconds: total,
    figures: given({
      ...{ hyperSeconds: seconds.hyper, certificateSeconds: seconds.certificate },
      ...{ exactSeconds: seconds.exact, speedUp: seconds.exact && seconds.exact / seconds.hyper },
      pairsShare: trace.pairs / trace.exactPairs,
      ...comparison,
    }),
    recipe: { seed: flags.seed, backend },
  };
}
