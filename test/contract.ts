// What every system promises, whatever it computes. Each system says in test/contracts/<system>.ts how to call it.

import type { Certified } from '../src/core/certificate.ts';
import type { RunOptions } from '../src/core/progress.ts';

export interface CallOptions extends RunOptions {
  seed: number;
}

/** How the contract suite makes inputs for a system and calls it. */
export interface SystemContract<Input> {
  /** Folder of the system in src/. */
  name: string;
  /** A small regular input, the same at every call. */
  regular(): Input;
  /** The smallest legal input: one row, one bidder, one token. */
  smallest(): Input;
  /** The regular input with nothing in it, which must be refused; left out where an empty input has an empty answer. */
  empty?(): Input;
  /** The regular input with one NaN; must be refused with a message that matches `where`. */
  withNaN(): { input: Input; where: RegExp };
  /** An input that takes long enough (≥ 100 ms) to be cancelled on the way. */
  long(): Input;
  run(input: Input, options: CallOptions): Promise<Certified<unknown>>;
}
