// The certificate: what an approximate answer promises, whether that holds here, and what was measured.

import { AuditError } from './errors.ts';

export type AssumptionStatus = 'proved' | 'checked' | 'assumed' | 'violated';

/** One condition of a theorem, and what is known of it on this input. */
export interface Assumption {
  /** The condition in words and symbols: "ℓ(e) ≤ σ(e) for every row". */
  statement: string;
  /** proved: holds by construction · checked: measured here · assumed: not looked at · violated: measured and false. */
  status: AssumptionStatus;
  /** The measured number behind `checked` or `violated`, e.g. a share of probes. */
  measured?: number;
  /** What `measured` is, e.g. "share of probes above σ". */
  measure?: string;
}

/** An upper bound on the error of a result. */
export interface Bound {
  /** The bound itself, in `unit`. Infinity when nothing can be promised. */
  value: number;
  /** Unit of the error: "nats", "loss units", "dimensionless". */
  unit: string;
  /** Probability δ that the bound fails, over the draws of the seed; 0 for a deterministic bound. */
  failureProbability: number;
  /** The value whose error is bounded, in the same unit, when known: a bound above it (> 100 %) is vacuous. */
  scale?: number;
}

/** What `audit` found: the error against an exact answer. */
export interface Audit {
  /** Measured error, in the bound's unit. */
  error: number;
  /** What it was measured on: "all 20 000 rows", "1 000 sampled rows". */
  sample: string;
  /** bound ÷ measured error; ≥ 1 when the promise was kept, Infinity when the error is 0 or rounding alone. */
  slack: number;
  /** error ≤ bound, up to what rounding may have added to the error. */
  kept: boolean;
}

export interface Certificate {
  /** What is promised, one sentence. */
  statement: string;
  /** Where it comes from: arXiv id and theorem, or "derived: …". */
  source: string;
  assumptions: Assumption[];
  bound: Bound;
  /** Seed that repeats the result. */
  seed: number;
  /** Kernel backend that computed it, e.g. "native avx512", or "none". */
  backend: string;
  /** What a user should know before relying on the result; empty when nothing. */
  warnings: string[];
  audit?: Audit;
}

/** An approximate answer and its certificate. */
export interface Certified<T> {
  value: T;
  certificate: Certificate;
}

/** True when the bound promises nothing: infinite, NaN, or above 100 % of the quantity it bounds. */
export function isVacuous({ value, scale }: Bound): boolean {
  return !(value < Infinity) || (scale !== undefined && value > Math.abs(scale));
}

/**
 * Adds the error measured against the exact answer to a result's certificate.
 *
 * @param result - left as it is; the returned copy carries the audit
 * @param error - measured |estimate − exact|, in the unit of the bound, ≥ 0
 * @param sample - what it was measured on
 * @param rounding - what float32 may have added to `error`, ≥ 0: no bound is broken by it. Default 0
 * @throws {AuditError} `error` or `rounding` is negative or NaN
 */
export function audit<T>(
  result: Certified<T>,
  error: number,
  sample: string,
  rounding: number = 0,
): Certified<T> {
  if (!(error >= 0)) throw new AuditError(`audit: error is ${error}; expected a number ≥ 0.`);
  if (!(rounding >= 0)) throw new AuditError(`audit: rounding is ${rounding}; expected a number ≥ 0.`);
  const { value } = result.certificate.bound;
  const slack = error <= rounding ? Infinity : value / error;
  return {
    value: result.value,
    certificate: {
      ...result.certificate,
      audit: { error, sample, slack, kept: error <= value + rounding },
    },
  };
}

/** The certificate as two lines of text: the promise, then assumptions and measurement. */
export function formatCertificate(certificate: Certificate): string {
  const { statement, source, bound, assumptions, audit: measured, seed, backend } = certificate;
  const chance =
    bound.failureProbability > 0 ? ` with probability ≥ ${shortNumber(1 - bound.failureProbability)}` : '';
  const relative =
    bound.scale !== undefined && bound.scale !== 0 && Number.isFinite(bound.value)
      ? ` (${shortNumber((100 * bound.value) / Math.abs(bound.scale))} %)`
      : '';
  const vacuous = isVacuous(bound) ? ' VACUOUS' : '';
  const violated = assumptions.some((a) => a.status === 'violated')
    ? ' NOT PROMISED: an assumption is violated'
    : '';
  const promise = `${statement}: ≤ ${shortNumber(bound.value)} ${bound.unit}${relative}${chance}${vacuous}${violated} [${source}]`;
  const counts = (['violated', 'assumed', 'checked', 'proved'] as const)
    .map((status) => ({ status, count: assumptions.filter((a) => a.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`)
    .join(', ');
  const audited = measured
    ? `measured ${shortNumber(measured.error)} ${bound.unit} on ${measured.sample}, slack ${shortNumber(measured.slack)}×${measured.kept ? '' : ' BOUND BROKEN'}`
    : 'not audited';
  return `${promise}\n  assumptions: ${counts || 'none'} · ${audited} · seed ${seed} · ${backend}`;
}

/** Four significant digits, without a needless exponent; whole numbers below 10⁷ in full. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', '∞');
  if (value !== 0 && (Math.abs(value) >= 1e7 || Math.abs(value) < 1e-4)) return value.toExponential(2);
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}
