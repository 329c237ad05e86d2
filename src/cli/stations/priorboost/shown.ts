// What the PriorBoost experiments show alike: errors with their spread beside the figures of an independent implementation.

import { shortNumber } from '../../../core/certificate.ts';
import type { LineSeries } from '../../../report/index.ts';
import type { Measured } from '../../../reproduce/protocol.ts';

/** Said of every reference column. */
export const REFERENCE_NOTE =
  'Reference: means that an independent implementation measured for the same protocol, with other draws; the paper’s own figures are not quoted.';

/** When bags should not be sorted at all: measured in P1 and P5, said in every report. */
export const HONEST_FINDING: string =
  'For linear models with many more bags than features, the plain bag-level loss (ρ = 0) on random bags is unbiased and beats PriorBoost at ρ = 1. ' +
  'Sorted bags win where a learner takes soft labels only, where bags are few beside the features, with a good prior from elsewhere, or together with a small ρ.';

/** "0.0152 ± 0.0021". */
export function errorWithSpread({ mean, standardError }: Measured): string {
  return `${shortNumber(mean)} ± ${shortNumber(standardError)}`;
}

/** A reference figure, or a dash. */
export function referenceText(value: number | undefined): string {
  return value === undefined ? '–' : shortNumber(value);
}

/** A line with bands of two standard errors, which a log axis can hold. */
export function errorSeries(name: string, x: readonly number[], errors: readonly Measured[]): LineSeries {
  return {
    name,
    points: errors.map(({ mean, standardError }, i) => ({
      ...{ x: x[i], y: mean },
      ...{ low: Math.max(mean / 10, mean - 2 * standardError), high: mean + 2 * standardError },
    })),
  };
}

/** A level that needs no bags, dotted. */
export function levelSeries(name: string, x: readonly number[], { mean }: Measured): LineSeries {
  return { name, role: 'reference', points: x.map((at) => ({ x: at, y: mean })) };
}
