// Requests to an aggregator: what is tried again, and what a failure becomes.

import { requireInteger, requireNumber, requirePositive } from '../../core/check.ts';
import { BusyError, DataError, InvalidArgumentError } from '../../core/errors.ts';
import type { RefusalReason } from '../protocol.ts';
import { RefusedError } from '../refused-error.ts';

export interface ConnectionOptions {
  /** As http://127.0.0.1:8080. */
  url: string;
  apiKey?: string | undefined;
  /** Sends the key, ids and answers unencrypted to another machine, where the network between is trusted. Default false. */
  insecure?: boolean | undefined;
  /** Seconds that one try may take. Default 60. */
  timeout?: number | undefined;
  /** Failures in a row that are borne. Default 5. */
  retries?: number | undefined;
  /** Seconds before the second try; twice as many before each further one, 30 at most. Default 0.2. */
  retryDelay?: number | undefined;
  /** Cancels every call. */
  signal?: AbortSignal | undefined;
}

/** Longest pause, in seconds, also where the server asks for more. */
const MAX_PAUSE = 30;

/** Nothing is wrong with the request: the same may succeed later. */
const transient: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const reasons: ReadonlySet<string> = new Set<RefusalReason>([
  ...(['malformed', 'unknown-sample', 'repeated-sample', 'overlap', 'bag-too-small'] as const),
  ...(['epsilon-too-large', 'budget-exceeded', 'too-many-bags'] as const),
  ...(['unauthorized', 'forbidden', 'busy'] as const),
]);

/** How one try ended without an answer that counts. */
interface Failure {
  error: Error;
  /** Seconds that the server asks to wait. */
  wait: number;
}

export class AggregatorConnection {
  private readonly base: string;
  private readonly apiKey: string | undefined;
  private readonly timeout: number;
  private readonly retries: number;
  private readonly retryDelay: number;
  private readonly signal: AbortSignal | undefined;

  /** @throws {InvalidArgumentError} the address is none, or would send in the clear what should not be */
  constructor({ timeout = 60, retries = 5, retryDelay = 0.2, ...options }: ConnectionOptions) {
    this.base = requireAddress(options);
    requirePositive('createAggregatorClient: timeout', timeout);
    requireInteger('createAggregatorClient: retries', retries, 0);
    requireNumber('createAggregatorClient: retryDelay', retryDelay, 0);
    this.apiKey = options.apiKey;
    this.timeout = timeout;
    this.retries = retries;
    this.retryDelay = retryDelay;
    this.signal = options.signal;
  }

  /**
   * One request, tried again when the connection breaks, time is over or the server is busy.
   *
   * Every request here may be repeated: reading changes nothing, and an aggregator answers a bag that it has answered
   * before with the same numbers and charges nothing. So a lost answer costs no ε.
   *
   * @throws {RefusedError} the aggregator refuses; after the last try also as busy
   * @throws {BusyError} it could not be reached, or has failed for now; every try
   * @throws {DataError} what answers is no aggregator
   */
  async request(path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    const { retries, retryDelay } = this;
    const cancel = AbortSignal.any([signal, this.signal].filter((one) => one !== undefined));
    for (let failures = 0; ; failures++) {
      cancel.throwIfAborted();
      const outcome = await this.try(path, body, cancel);
      if (!('error' in outcome)) return outcome.value;
      if (failures === retries) throw outcome.error;
      await pause(Math.min(MAX_PAUSE, Math.max(outcome.wait, retryDelay * 2 ** failures)), cancel);
    }
  }

  private async try(
    path: string,
    body: object | undefined,
    cancel: AbortSignal,
  ): Promise<{ value: unknown } | Failure> {
    const { apiKey, timeout } = this;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (apiKey !== undefined) headers.authorization = `Bearer ${apiKey}`;
    if (body) headers['content-type'] = 'application/json';
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.base}${path}`, {
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
        ...{ headers, signal: AbortSignal.any([cancel, AbortSignal.timeout(timeout * 1000)]) },
        // Another address must not get the key, nor answer in the aggregator's name.
        redirect: 'error',
      });
      text = await response.text();
    } catch (cause) {
      cancel.throwIfAborted();
      return { error: unreachable(this.base, cause as Error), wait: 0 };
    }
    if (response.ok) return { value: this.parse(text, response.status) };
    const error = this.errorOf(response.status, text);
    if (!transient.has(response.status)) throw error;
    return { error, wait: Number(response.headers.get('retry-after')) || 0 };
  }

  private parse(text: string, status: number): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new DataError(
        `aggregator client: ${this.base} answers ${status} with what is no JSON; expected an aggregator. Check the address.`,
        { cause },
      );
    }
  }

  private errorOf(status: number, text: string): Error {
    const { code, message } = refusalIn(text);
    if (code !== undefined && reasons.has(code)) {
      return new RefusedError(code as RefusalReason, `aggregator client: ${message}`);
    }
    const said = `aggregator client: ${this.base} answers ${status}${message ? `: ${message}` : ''}`;
    if (transient.has(status)) return new BusyError(`${said} Try again later.`);
    return new DataError(`${said} Expected an aggregator. Check the address.`);
  }
}

/** @returns the address without its last slash */
function requireAddress({ url, apiKey, insecure = false }: ConnectionOptions): string {
  const address = URL.parse(url);
  if (address === null || !/^https?:$/.test(address.protocol) || address.search || address.hash) {
    throw new InvalidArgumentError(
      `createAggregatorClient: url is "${url}"; expected an address as https://labels.example.org.`,
    );
  }
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(address.hostname);
  if (address.protocol === 'http:' && !isHere && !insecure) {
    throw new InvalidArgumentError(
      `createAggregatorClient: ${address.origin} is not encrypted and not this machine; expected https, since everybody on the way could read ids, answers and the key. Put a proxy with TLS before the aggregator, or pass insecure: true where the network is yours.`,
    );
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new InvalidArgumentError(
      'createAggregatorClient: apiKey holds spaces or other characters that no key has; expected one as `provably api-key` prints it.',
    );
  }
  return address.href.replace(/\/+$/, '');
}

/** Reason and message of { error: { code, message } }; other bodies have none. */
function refusalIn(text: string): { code?: string; message?: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
    const [code, message] = [textOf(error?.code), textOf(error?.message)];
    return { ...(code === undefined ? {} : { code }), ...(message === undefined ? {} : { message }) };
  } catch {
    return {};
  }
}

function unreachable(base: string, cause: Error): BusyError {
  const why =
    cause.name === 'TimeoutError'
      ? 'it does not answer in time'
      : cause.cause instanceof Error
        ? cause.cause.message || String((cause.cause as { code?: unknown }).code)
        : cause.message;
  return new BusyError(
    `aggregator client: ${base} cannot be reached: ${why}. Check the address, and that \`provably serve --labels\` runs there.`,
    { cause },
  );
}

/** @throws the reason of `signal` as soon as it is aborted */
function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, seconds * 1000);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
