// What every protocol returns: its setting, its figures, and what the figures say about the claims they are to support.

import { shortNumber } from '../core/certificate.ts';
import type { RunOptions } from '../core/progress.ts';
import { summarize } from '../core/statistics/index.ts';

/** Options that all protocols take. */
export interface ProtocolOptions extends RunOptions {
  /** One run each; every random choice of a run comes from its seed. Default: as documented by the protocol. */
  seeds?: readonly number[] | undefined;
}

/** One claim held against its figure. */
export interface Verdict {
  /** "selection beats uniform sampling at budget 500". */
  claim: string;
  measured: number;
  /** Of `measured`: "points", "ratio", "slope". */
  unit: string;
  /** What the figure must be: "≥ 4". */
  required: string;
  passed: boolean;
}

/** The outcome of a protocol. */
export interface ProtocolReport<Figures> {
  /** Name of the experiment: "X1". */
  id: string;
  title: string;
  /** Sizes and choices that the figures depend on. */
  setting: Readonly<Record<string, number | string | readonly number[] | readonly string[]>>;
  figures: Figures;
  verdicts: Verdict[];
}

/** A mean over runs. */
export interface Measured {
  mean: number;
  /** Standard error of the mean; 0 for one run. */
  standardError: number;
  /** The runs, in the order of the seeds. */
  values: number[];
}

/** Mean and standard error. @throws {InvalidArgumentError} a value is not finite */
export function measure(values: ArrayLike<number>): Measured {
  const { mean, variance, count } = summarize(values);
  return { mean, standardError: Math.sqrt(variance / count), values: Array.from(values) };
}

/** Paired differences a − b: runs of equal seed share their pilot, pool and test rows, whose variation cancels. */
export function gainOf(a: Measured, b: Measured): Measured {
  return measure(a.values.map((value, i) => value - b.values[i]));
}

/** Slope of the least-squares line through (ln x, ln y). @param x - distinct and > 0 @param y - > 0 */
export function logLogSlope(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const u = Array.from(x, Math.log);
  const v = Array.from(y, Math.log);
  const meanU = summarize(u).mean;
  const meanV = summarize(v).mean;
  let products = 0;
  let squares = 0;
  u.forEach((value, i) => {
    products += (value - meanU) * (v[i] - meanV);
    squares += (value - meanU) ** 2;
  });
  return products / squares;
}

/** A verdict that `measured` is in [low, high]; one end may be infinite. */
export function judge(
  claim: string,
  measured: number,
  { low = -Infinity, high = Infinity, unit }: { low?: number; high?: number; unit: string },
): Verdict {
  const [least, most] = [shortNumber(low), shortNumber(high)];
  const required = low === -Infinity ? `≤ ${most}` : high === Infinity ? `≥ ${least}` : `${least} … ${most}`;
  return { claim, measured, unit, required, passed: measured >= low && measured <= high };
}

/** The integers 0 … count − 1: default seeds. */
export function firstSeeds(count: number): number[] {
  return Array.from({ length: count }, (_, seed) => seed);
}

/** Progress and cancellation for one of `total` equal parts of a protocol: parts of parts are reported as such. */
export function partOf(
  { signal, onProgress }: RunOptions,
  phase: string,
  done: number,
  total: number,
): RunOptions {
  signal?.throwIfAborted();
  onProgress?.({ phase, done, total });
  return { signal };
}
