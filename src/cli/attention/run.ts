// What `provably attention` does: read, run both, compare, write, tell.

import {
  type AttentionDifference,
  type AttentionInput,
  type AttentionResult,
  advisePatching,
  auditAttention,
  compareAttention,
  exactAttention,
  type HeadReport,
  type HyperOptions,
  type HyperResult,
  headReport,
  hyperAttention,
  type MeasuredError,
  measureError,
  type PatchAdvice,
  type TuneResult,
  tuneAttention,
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

/** Rows a head that the promise is held against, drawn anew. */
const auditedRows = 256;

/** Rows a head that the certificate rests on: more than the library's default, as a person waits for one call and wants a bound that says something. */
const certifiedRows = 1024;

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
  /** On some rows, where it was not. */
  measured: MeasuredError | undefined;
  tuned: TuneResult | undefined;
  heads: { report: HeadReport; advice: PatchAdvice }[] | undefined;
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
): Promise<Omit<AttentionOutcome, 'description' | 'input' | 'flags'>> {
  const { signal, stderr } = context;
  using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
  const run = { signal, onProgress: progress.report };
  const tuned =
    flags.tune === undefined
      ? undefined
      : await tuneAttention(input, { target: flags.tune, seed: flags.seed, ...run });
  const options: HyperOptions = { ...hyperOptions(flags), ...(tuned && bestOf(tuned)), ...run };
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
    hyper: await auditAttention(input, hyper, { rows: auditedRows, ...run }),
    tuned,
    heads: flags.reportHeads ? await reportHeads(input, options, flags.tune) : undefined,
    measured: exact ? undefined : await measureError(input, hyper.value, auditedRows),
    seconds: {
      hyper: hyperSeconds,
      certificate: Math.max(0, certified - hyperSeconds),
      exact: exactSeconds,
    },
    comparison: exact && compareAttention(hyper.value, exact),
  };
}

/** The cheapest trial that met the target; the most accurate one when none did. */
function bestOf({ best, trials }: TuneResult): HyperOptions | undefined {
  return (best ?? trials.toSorted((a, b) => a.relativeError - b.relativeError).at(0))?.options;
}

async function reportHeads(
  input: AttentionInput,
  options: HyperOptions,
  tolerance: number | undefined,
): Promise<AttentionOutcome['heads']> {
  const reports = await headReport(input, options);
  const advice = advisePatching({ 'this layer': reports }, given({ tolerance }));
  return reports.map((report) => ({
    report,
    // Every head is advised on.
    advice: advice.find(({ batch, head }) => batch === report.batch && head === report.head)!,
  }));
}

function hyperOptions(flags: AttentionFlags): HyperOptions {
  const { block, samples, hashBits, minSequence, blocks, bucketOrder, sampling, sinks, window, seed } = flags;
  return given({
    ...{ blockSize: block, sampleSize: samples, hashBits, minSequence, blocks, bucketOrder, sampling },
    ...{ sinks, window, seed, certifyRows: flags.rows ?? certifiedRows, failureProbability: flags.delta },
  });
}

function recordOf(
  { description, input, hyper, seconds, comparison, measured, tuned, heads, flags }: AttentionOutcome,
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
    value: given({ pairs: trace.pairs, exactPairs: trace.exactPairs, out: flags.out, tuned, heads }),
    certificate: hyper.certificate,
    seconds: total,
    figures: given({
      ...{ hyperSeconds: seconds.hyper, certificateSeconds: seconds.certificate },
      ...{ exactSeconds: seconds.exact, speedUp: seconds.exact && seconds.exact / seconds.hyper },
      pairsShare: trace.pairs / trace.exactPairs,
      ...comparison,
      ...(measured && { relativeErrorSampled: measured.relative, lseErrorSampled: measured.lse }),
    }),
    recipe: { seed: flags.seed, backend },
  };
}
