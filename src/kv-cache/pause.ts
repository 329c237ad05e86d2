// Long appends let timers, input and cancellation in.

import { type RunOptions, yieldToEventLoop } from '../core/progress.ts';

/** Tokens between two pauses. */
export const PAUSE_TOKENS = 256;

/** Whether a loop over tokens should pause before token `t`. */
export function isPause(t: number): boolean {
  return t % PAUSE_TOKENS === PAUSE_TOKENS - 1;
}

/**
 * Before token `done` of `total`: tells the progress and lets others run.
 *
 * @throws `signal.reason` once it is aborted
 */
export async function pause({ signal, onProgress }: RunOptions, done: number, total: number): Promise<void> {
  onProgress?.({ phase: 'tokens absorbed', done, total });
  await yieldToEventLoop();
  signal?.throwIfAborted();
}
