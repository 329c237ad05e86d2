// The training loop of any model: epochs of steps, progress, cancellation, early stop.

import { requireInteger, requireNumber } from '../core/check.ts';
import { NumericalError } from '../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../core/progress.ts';

export interface LoopOptions extends RunOptions {
  /** Passes over the data, ≥ 0. */
  epochs: number;
  /** Steps of one pass, ≥ 1. */
  stepsPerEpoch: number;
  /** Makes one step. @returns its loss @param step - counted from 0 over all epochs */
  step(epoch: number, indexInEpoch: number, step: number): Promise<number>;
  /** Loss on held-out data after an epoch; without it nothing stops early. */
  validate?: (() => Promise<number>) | undefined;
  /** Epochs without improvement after which to stop, ≥ 1. Default: never. */
  patience?: number | undefined;
  /** How much lower a validation loss must be to count as improved, ≥ 0. Default 0. */
  minimumGain?: number | undefined;
  /** Called after an epoch whose validation loss is the lowest so far: keep the parameters then. */
  onImproved?: (() => Promise<void>) | undefined;
  /** Phase in progress reports. Default "training". */
  phase?: string | undefined;
}

/** What happened in training. */
export interface TrainingHistory {
  /** Mean loss of the steps of each epoch, measured as training went on. */
  losses: number[];
  /** Validation loss after each epoch; empty without `validate`. */
  validation: number[];
  /** Epoch with the lowest validation loss, or the last epoch without `validate`; −1 when there was none. */
  bestEpoch: number;
  /** True when `patience` ran out before `epochs`. */
  stoppedEarly: boolean;
}

const YIELD_EVERY_MS = 30;

/**
 * Runs epochs of steps. The signal is looked at before every step; the event loop gets its turn about every 30 ms.
 *
 * @throws {NumericalError} a loss is NaN or infinite: training has diverged
 * @throws {InvalidArgumentError} an option leaves its range
 */
export async function runEpochs(options: LoopOptions): Promise<TrainingHistory> {
  const { epochs, stepsPerEpoch, step, validate, onImproved, signal, onProgress } = options;
  const { patience = Infinity, minimumGain = 0, phase = 'training' } = options;
  requireInteger('runEpochs: epochs', epochs, 0);
  requireInteger('runEpochs: stepsPerEpoch', stepsPerEpoch, 1);
  if (patience !== Infinity) requireInteger('runEpochs: patience', patience, 1);
  requireNumber('runEpochs: minimumGain', minimumGain, 0);

  const history: TrainingHistory = { losses: [], validation: [], bestEpoch: -1, stoppedEarly: false };
  const total = epochs * stepsPerEpoch;
  let lowest = Infinity;
  let lastYield = performance.now();
  for (let epoch = 0; epoch < epochs; epoch++) {
    let sum = 0;
    for (let i = 0; i < stepsPerEpoch; i++) {
      signal?.throwIfAborted();
      const done = epoch * stepsPerEpoch + i;
      const loss = await step(epoch, i, done);
      if (!Number.isFinite(loss)) {
        throw new NumericalError(
          `runEpochs: the loss of step ${done} is ${loss}; expected a finite number. Lower the learning rate, or scale the features.`,
        );
      }
      sum += loss;
      if (performance.now() - lastYield > YIELD_EVERY_MS) {
        onProgress?.({ phase, done: done + 1, total });
        await yieldToEventLoop();
        lastYield = performance.now();
      }
    }
    history.losses.push(sum / stepsPerEpoch);
    if (!validate) {
      history.bestEpoch = epoch;
      continue;
    }
    const loss = await validate();
    history.validation.push(loss);
    if (loss < lowest - minimumGain) {
      lowest = loss;
      history.bestEpoch = epoch;
      await onImproved?.();
    } else if (epoch - history.bestEpoch >= patience) {
      history.stoppedEarly = true;
      break;
    }
  }
  onProgress?.({ phase, done: total, total });
  return history;
}
