// Training that is counted in steps, not in passes over data: each step's batch is made from its number alone, so a run can stop and go on.

import { requireInteger } from '../core/check.ts';
import { NumericalError } from '../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../core/progress.ts';
import type { Schedule } from './schedules.ts';
import type { Tensors } from './tensors.ts';
import type { Trainer } from './trainer.ts';

export interface RunStepsOptions extends RunOptions {
  /** The run ends when the trainer has made so many steps, those before a resumption counted. */
  steps: number;
  /** Batch of a step, counted from 0; a pure function of it. */
  batch(step: number): Tensors;
  learningRate: Schedule;
  /** Called after every step. @param step - counted from 0 */
  onStep?: ((step: number, loss: number) => void) | undefined;
  /** Called after every `every` steps and after the last: save the trainer's state. */
  save?: { every: number; write(): Promise<void> } | undefined;
}

/**
 * Makes the steps that are left.
 *
 * Stopped, saved and resumed at any step, a run gives the same parameters as without the stop.
 *
 * @throws {NumericalError} a loss is NaN or infinite: training has diverged
 * @throws {InvalidArgumentError} steps or save.every out of range
 */
export async function runSteps(trainer: Trainer, options: RunStepsOptions): Promise<void> {
  const { steps, batch, learningRate, onStep, save, signal, onProgress } = options;
  requireInteger('runSteps: steps', steps, 0);
  if (save) requireInteger('runSteps: save.every', save.every, 1);
  while (trainer.steps < steps) {
    signal?.throwIfAborted();
    const step = trainer.steps;
    const loss = await trainer.step(batch(step), learningRate(step));
    if (!Number.isFinite(loss)) {
      throw new NumericalError(
        `runSteps: the loss of step ${step} is ${loss}; expected a finite number. Lower the learning rate, or resume from before.`,
      );
    }
    onStep?.(step, loss);
    onProgress?.({ phase: 'training', done: step + 1, total: steps });
    if (save && ((step + 1) % save.every === 0 || step + 1 === steps)) await save.write();
    await yieldToEventLoop();
  }
}
