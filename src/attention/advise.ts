// Which heads of a model can be patched.

import { requirePositive } from '../core/check.ts';
import type { HeadReport } from './head-report.ts';

/** What to do with one head of a model. */
export interface PatchAdvice {
  /** As named by the caller: "layer 12", say. */
  layer: string;
  batch: number;
  head: number;
  patch: boolean;
  relativeError: number;
  /** In words. */
  reason: string;
}

/**
 * Which heads can be patched, the safest first: those whose measured error is within tolerance.
 *
 * @param layers - head reports by layer @param tolerance - largest relative error allowed, > 0. Default 0.1
 * @throws {InvalidArgumentError} the tolerance is not > 0
 */
export function advisePatching(
  layers: Readonly<Record<string, readonly HeadReport[]>>,
  { tolerance = 0.1 }: { tolerance?: number } = {},
): PatchAdvice[] {
  requirePositive('advisePatching: tolerance', tolerance);
  return Object.entries(layers)
    .flatMap(([layer, reports]) => reports.map((report) => ({ layer, report })))
    .sort((a, b) => a.report.relativeError - b.report.relativeError)
    .map(({ layer, report }) => {
      const { batch, head, relativeError, recall, entropy } = report;
      const patch = relativeError <= tolerance;
      const percent = (share: number) => `${(100 * share).toPrecision(2)} %`;
      // e⁴ ≈ 55 keys of equal weight: no few heavy ones.
      const spread = entropy > 4;
      const cause =
        recall > 0.5
          ? 'its blocks hold most of the mass'
          : spread
            ? 'its mass is spread, which samples estimate well'
            : 'its rows are easy';
      const trouble =
        recall > 0.5
          ? 'what its blocks miss is uneven'
          : spread
            ? 'its mass is spread, so that its output is small beside the noise of the samples: take more'
            : 'its heavy keys are missed by the hash';
      return {
        ...{ layer, batch, head, patch, relativeError },
        reason: `error ${percent(relativeError)}, ${percent(recall)} of the mass in blocks, entropy ${entropy.toFixed(1)} nats: ${patch ? cause : trouble}`,
      };
    });
}
