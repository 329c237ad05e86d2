// Long appends let timers, input and cancellation in.

import { yieldToEventLoop } from '../core/progress.ts';

/** Tokens between two pauses. */
export const PAUSE_TOKENS = 256;

/** Whether a loop over tokens should pause before token `t`. */
export function isPause(t: number): boolean {
  return t % PAUSE_TOKENS === PAUSE_TOKENS - 1;
}

/** @throws `signal.reason` once it is aborted */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await yieldToEventLoop();
  signal?.throwIfAborted();
}
