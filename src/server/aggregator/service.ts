// What the routes of the aggregator work with: the one place that sees labels, and the limits around it.

import type { AggregatorAnswer, AggregatorQuery } from '../../aggregate/index.ts';
import { requireInteger, requireNumber } from '../../core/check.ts';
import { ApiError } from '../api-error.ts';
import { type ApiKeyHash, ROLES, type Role, requireRoles } from '../api-keys.ts';
import { type RequestLife, RequestRegistry } from '../request-life.ts';
import { writeReport } from '../server-log.ts';
import type { WebService } from '../web-app.ts';
import { AggregatorMetrics } from './metrics.ts';
import { explainRefusal } from './refusal.ts';
import type { ServedAggregator } from './served-aggregator.ts';

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
  /** Takes lines of JSON, one a request. Default: no log. */
  log?: ((line: string) => void) | undefined;
}

/** Who asks when nobody needs a key. */
const ANONYMOUS = 'anonymous';

export class AggregatorService implements WebService {
  readonly aggregator: ServedAggregator;
  readonly metrics: AggregatorMetrics;
  readonly requests: RequestRegistry;
  readonly apiKeys: readonly ApiKeyHash[];
  readonly corsOrigins: readonly string[];
  readonly maxBody: number;
  readonly bodyTimeout: number;
  readonly requestTimeout: number;
  /** Queries whose charge may not be on disk yet, whether anybody waits for them or not. */
  private readonly open = new Set<Promise<unknown>>();

  /** @throws {InvalidArgumentError} an option is out of range, or a key has no role */
  constructor(aggregator: ServedAggregator, options: AggregatorServiceOptions) {
    const { apiKeys = [], corsOrigins = [], maxBody = 2 ** 20, log } = options;
    const { bodyTimeout = 60, requestTimeout = 60 } = options;
    requireInteger('aggregator server: maxBody', maxBody, 1);
    requireNumber('aggregator server: bodyTimeout', bodyTimeout, 0.001, 86400);
    requireNumber('aggregator server: requestTimeout', requestTimeout, 0.001, 2 ** 20);
    requireRoles('aggregator server', apiKeys, ROLES);
    this.aggregator = aggregator;
    this.metrics = new AggregatorMetrics(() => aggregator.head.entry);
    this.requests = new RequestRegistry((life) => {
      this.metrics.count(life.report);
      if (log) writeReport(log, life);
    });
    this.apiKeys = apiKeys;
    this.corsOrigins = corsOrigins;
    this.maxBody = maxBody;
    this.bodyTimeout = bodyTimeout;
    this.requestTimeout = requestTimeout;
  }

  health(): object {
    return { samples: this.aggregator.info().samples };
  }

  explain(cause: unknown, { report }: RequestLife): ApiError {
    const error = explainRefusal(cause);
    if (report.method === 'POST') this.metrics.queries.inc({ outcome: error.details.code ?? 'failed' });
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
    const answer = this.aggregator.query(life.caller?.name ?? ANONYMOUS, query);
    this.open.add(answer);
    const done = () => this.open.delete(answer);
    answer.then(done, done);
    const { bags, ...rest } = await untilAborted(answer, life.signal);
    this.metrics.queries.inc({ outcome: 'answered' });
    const released = bags.reduce((sum, { charged }) => sum + Number(charged > 0), 0);
    this.metrics.bags.inc({ kind: 'released' }, released);
    this.metrics.bags.inc({ kind: 'repeated' }, bags.length - released);
    return { bags, ...rest };
  }

  /** Waits for charges that are on their way to the disk. */
  async settle(): Promise<void> {
    while (this.open.size > 0) await Promise.allSettled(this.open);
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
