// Connections that break: what is tried again, how often, and after which pause.

import { setTimeout as pause } from 'node:timers/promises';
import { DataError } from '../core/errors.ts';
import { printable } from './printable.ts';

export interface RetryOptions {
  /** Failures in a row that are borne. Default 5. */
  retries?: number | undefined;
  /** Milliseconds before the second try; twice as many before each further one. Default 500. */
  retryDelay?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Longest pause, in milliseconds, also where a server asks for more. */
const MAX_PAUSE = 30_000;

/** Something between here and the server failed: the same may succeed later. */
export class ConnectionError extends Error {
  /** Milliseconds that the server asks to wait. */
  readonly wait: number;

  constructor(cause: unknown, wait = 0) {
    const { message, cause: inner } = cause as Error;
    // fetch says "fetch failed" or "terminated" and puts the reason beneath.
    super(
      inner instanceof Error
        ? `${message}: ${inner.message || (inner as NodeJS.ErrnoException).code}`
        : message,
      { cause },
    );
    this.wait = wait;
  }
}

/**
 * Runs `body` until it does not end in a ConnectionError.
 *
 * @param body - `true` makes the count of failures in a row start again: it got further before it failed
 * @throws {DataError} too many failures; and what else `body` throws
 */
export async function withRetries<T>(
  { retries = 5, retryDelay = 500, signal }: RetryOptions,
  body: () => Promise<T>,
  gotFurther: () => boolean = () => false,
): Promise<T> {
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      failures = gotFurther() ? 1 : failures + 1;
      if (failures > retries) {
        throw new DataError(
          `pull: the connection failed ${failures} times: ${printable(error.message, 200)}. Check the network and --endpoint (HF_ENDPOINT), and run the command again.`,
          { cause: error },
        );
      }
      const wait = Math.min(MAX_PAUSE, Math.max(error.wait, retryDelay * 2 ** (failures - 1)));
      await pause(wait, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/**
 * @param passing - statuses that are the caller's to read. Default: those of success
 * @throws {ConnectionError} the server is busy or broken; {DataError} it refuses
 */
export async function requireOk(
  response: Response,
  { passing = (status) => status >= 200 && status < 300 }: { passing?: (status: number) => boolean } = {},
): Promise<void> {
  const { status, headers } = response;
  if (passing(status)) return;
  await response.body?.cancel();
  if (status >= 500 || status === 429 || status === 408) {
    const seconds = Number(headers.get('retry-after') ?? 0); // a date is NaN, and counts as none
    throw new ConnectionError(new Error(`the server answers ${status}`), 1000 * (seconds || 0));
  }
  throw new DataError(
    `pull: the server answers ${status}; expected the file. Check the name, the revision and HF_TOKEN.`,
  );
}
