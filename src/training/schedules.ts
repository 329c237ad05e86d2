// Learning rates over time. A schedule is a pure function, so that a run can be resumed at any step.

import { requireInteger, requireNumber } from '../core/check.ts';

/** Learning rate of step `step`, counted from 0. */
export type Schedule = (step: number) => number;

/** The same rate at every step. @throws {InvalidArgumentError} rate < 0 */
export function constantSchedule(rate: number): Schedule {
  requireNumber('constantSchedule: rate', rate, 0);
  return () => rate;
}

export interface CosineOptions {
  /** Rate at the start, ≥ 0. */
  peak: number;
  /** Steps until `floor` is reached, ≥ 1; it stays there. */
  steps: number;
  /** Rate at the end. Default 0. */
  floor?: number;
}

/** Falls from `peak` to `floor` along half a cosine wave. @throws {InvalidArgumentError} an option leaves its range */
export function cosineSchedule({ peak, steps, floor = 0 }: CosineOptions): Schedule {
  requireNumber('cosineSchedule: peak', peak, 0);
  requireNumber('cosineSchedule: floor', floor, 0);
  requireInteger('cosineSchedule: steps', steps, 1);
  return (step) => floor + ((peak - floor) * (1 + Math.cos(Math.PI * Math.min(1, step / steps)))) / 2;
}

/**
 * Rises linearly over the first `steps` steps (step 0 has 1/steps of the first rate), then follows `schedule` from its start.
 *
 * @throws {InvalidArgumentError} steps is not an integer ≥ 0
 */
export function warmUp(schedule: Schedule, steps: number): Schedule {
  requireInteger('warmUp: steps', steps, 0);
  return (step) => (step < steps ? (schedule(0) * (step + 1)) / steps : schedule(step - steps));
}
