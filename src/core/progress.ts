// How long computations report where they are and how they are cancelled.

/** One report of a running computation. */
export interface Progress {
  /** What is being done now, a few words: "k-means iteration". */
  phase: string;
  /** Units done in this phase. */
  done: number;
  /** Units in this phase altogether. */
  total: number;
}

/** Options that every function which may run longer than 50 ms takes. */
export interface RunOptions {
  /** Cancels the computation; it then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Called now and then with the state of the computation. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Lets timers, input and `signal` handlers run; call between steps of a long synchronous computation. */
export function yieldToEventLoop(): Promise<void> {
  // A timer waits at least a millisecond, which many short steps would feel; setImmediate (Node) waits only for its turn.
  if (globalThis.setImmediate) return new Promise((resolve) => globalThis.setImmediate(resolve));
  return new Promise((resolve) => setTimeout(resolve, 0));
}
