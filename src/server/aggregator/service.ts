// What the routes of the aggregator work with: the one place that sees labels, and the limits around it.

import type { Aggregator } from '../../aggregate/aggregator/index.ts';
import { type AggregatorAnswer, type AggregatorQuery, RefusedError } from '../../aggregate/index.ts';
import { requireInteger, requireNumber } from '../../core/check.ts';
import { ApiError } from '../api-error.ts';
import { type ApiKeyHash, ROLES, type Role, requireRoles } from '../api-keys.ts';
import { type RequestLife, RequestRegistry } from '../request-life.ts';
import { writeReport } from '../server-log.ts';
import type { WebService } from '../web-app.ts';
import { AggregatorMetrics } from './metrics.ts';
import { explainRefusal, reasonOf } from './refusal.ts';

export interface AggregatorServiceOptions {
  /** Who may call, and as what: each key is an analyst's or an auditor's. None: everybody as both, on loopback only. Default none. */
  apiKeys?: readonly ApiKeyHash[] | undefined;
  /** Origins whose pages may call, as https://example.org, or * for all. Default none. */
  corsOrigins?: readonly string[] | undefined;
  /** Bytes of a request. Default 1 MiB. */
  maxBody?: number | undefined;
  /** Seconds in which the body of a request must be whole. Default 60. */
  bodyTimeout?: number | undefined;
  /** Seconds that an answer may take, waiting included. Default 60. */
  requestTimeout?: number | undefined;
  /** Queries under way, at most; more are told to come again. Default 1024. */
  maxWaiting?: number | undefined;
  /** Takes lines of JSON, one a request. Default: no log. */
  log?: ((line: string) => void) | undefined;
  /** Told once when the ledger cannot be written any more: nothing is answered until it is opened anew. */
  onFailure?: ((error: unknown) => void) | undefined;
}

/** Who asks when nobody needs a key. */
const ANONYMOUS = 'anonymous';
/** Refusals of callers without a key that go into the audit log in a burst. */
const STRANGERS_AT_ONCE = 20;

export class AggregatorService implements WebService {
  readonly aggregator: Aggregator;
  readonly metrics: AggregatorMetrics;
  readonly requests: RequestRegistry;
  readonly apiKeys: readonly ApiKeyHash[];
  readonly corsOrigins: readonly string[];
  readonly maxBody: number;
  readonly bodyTimeout: number;
  readonly requestTimeout: number;
  /** Queries whose charge may not be on disk yet, whether anybody waits for them or not. */
  private readonly open = new Set<Promise<unknown>>();
  private readonly strangers = new Allowance();
  private readonly maxWaiting: number;
  private readonly onFailure: ((error: unknown) => void) | undefined;
  private failed = false;

  /** @throws {InvalidArgumentError} an option is out of range, or a key has no role */
  constructor(aggregator: Aggregator, options: AggregatorServiceOptions) {
    const { apiKeys = [], corsOrigins = [], maxBody = 2 ** 20, log } = options;
    const { bodyTimeout = 60, requestTimeout = 60, maxWaiting = 1024 } = options;
    requireInteger('aggregator server: maxBody', maxBody, 1);
    requireNumber('aggregator server: bodyTimeout', bodyTimeout, 0.001, 86400);
    requireNumber('aggregator server: requestTimeout', requestTimeout, 0.001, 2 ** 20);
    requireInteger('aggregator server: maxWaiting', maxWaiting, 1);
    requireRoles('aggregator server', apiKeys, ROLES);
    this.aggregator = aggregator;
    this.metrics = new AggregatorMetrics(() => aggregator.head.entry + 1);
    this.requests = new RequestRegistry((life) => {
      this.metrics.count(life.report);
      if (log) writeReport(log, life);
    });
    this.apiKeys = apiKeys;
    this.corsOrigins = corsOrigins;
    this.maxBody = maxBody;
    this.bodyTimeout = bodyTimeout;
    this.requestTimeout = requestTimeout;
    this.maxWaiting = maxWaiting;
    this.onFailure = options.onFailure;
  }

  health(): { status: string } {
    return { status: this.failed ? 'the ledger cannot be written' : 'ok' };
  }

  /** Refusals that the aggregator has not seen get their entry in its audit log here, before anybody is told. */
  async explain(cause: unknown, { report, caller }: RequestLife): Promise<ApiError> {
    const error = explainRefusal(cause);
    const { code = 'failed' } = error.details;
    if (report.method === 'POST') this.metrics.queries.inc({ outcome: code });
    const refusal = cause instanceof RefusedError ? undefined : reasonOf(error);
    // When there is too much to do, writing it down would be more of it.
    if (refusal === undefined || refusal === 'busy') return error;
    if (caller !== undefined || this.strangers.take()) {
      await this.settling(this.aggregator.recordRefusal(caller?.name ?? ANONYMOUS, refusal)).catch(() => {});
    }
    return error;
  }

  /** @throws {ApiError} 403: the key is for something else */
  requireRole({ caller }: RequestLife, role: Role): void {
    if (this.apiKeys.length === 0 || caller?.role === role) return;
    throw new ApiError(403, `This is for the role ${role}; the key has the role ${caller?.role}.`);
  }

  /**
   * Asks the aggregator, and answers when the charge is on disk.
   *
   * A client that leaves, or time that is over, does not call back what was begun: the answer is kept, and who asks the
   * same again gets it without a charge.
   */
  async query(life: RequestLife, query: AggregatorQuery): Promise<AggregatorAnswer> {
    if (this.open.size >= this.maxWaiting) {
      throw new ApiError(429, `${this.open.size} queries wait already. Try again later.`, { retryAfter: 1 });
    }
    const asked = this.aggregator.query(life.caller?.name ?? ANONYMOUS, query);
    const answer = await untilAborted(this.settling(asked), life.signal);
    this.metrics.queries.inc({ outcome: 'answered' });
    const { bags } = answer;
    const released = bags.reduce((sum, { charged }) => sum + Number(charged > 0), 0);
    this.metrics.bags.inc({ kind: 'released' }, released);
    this.metrics.bags.inc({ kind: 'repeated' }, bags.length - released);
    return answer;
  }

  /** Follows what is on its way to the disk. */
  private settling<T>(promise: Promise<T>): Promise<T> {
    this.open.add(promise);
    promise.then(
      () => this.open.delete(promise),
      (error) => {
        this.open.delete(promise);
        // Whatever is no refusal is a ledger that could not be written: nothing is answered from here on.
        if (error instanceof RefusedError || this.failed) return;
        this.failed = true;
        this.onFailure?.(error);
      },
    );
    return promise;
  }

  /** Waits for what is on its way to the disk. */
  async settle(): Promise<void> {
    while (this.open.size > 0) await Promise.allSettled(this.open);
  }
}

/** A few at once, then one a second: what strangers may add to a log that is kept for ever. */
class Allowance {
  private left = STRANGERS_AT_ONCE;
  private last = performance.now();

  /** @returns whether one more may be added */
  take(): boolean {
    const now = performance.now();
    this.left = Math.min(STRANGERS_AT_ONCE, this.left + (now - this.last) / 1000);
    this.last = now;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}

/** What `promise` gives, unless `signal` is aborted first: then its reason. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
