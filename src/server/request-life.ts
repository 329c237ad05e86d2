// One request from its first byte to its last: when it must stop, and what is known of it at the end.

import { ApiError } from './api-error.ts';
import type { ApiKeyHash } from './api-keys.ts';

/** Numbers for the log and the metrics: never what was said. */
export interface RequestReport {
  id: string;
  method: string;
  /** The pattern that matched, as /v1/models/:id. */
  route: string;
  status: number;
  milliseconds: number;
  /** Name of the API key. */
  key?: string | undefined;
  tokens?: { prompt: number; cached: number; output: number } | undefined;
  /** Milliseconds to the first token. */
  firstToken?: number | undefined;
  finish?: string | undefined;
  /** Code or type of the error. */
  error?: string | undefined;
}

export class RequestLife {
  readonly report: RequestReport;
  readonly start: number = performance.now();
  /** Whose key it came with; undefined where none is needed. */
  caller: ApiKeyHash | undefined;
  /** The body is being streamed: the request ends with it, not with its handler. */
  isStreaming = false;
  /** What made it fail that is no fault of the client: for the log. */
  failure: unknown;
  private readonly controller = new AbortController();
  private readonly onEnd: (life: RequestLife) => void;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(report: RequestReport, client: AbortSignal, onEnd: (life: RequestLife) => void) {
    this.report = report;
    this.onEnd = onEnd;
    const leave = () => this.abort(new ApiError(499, 'The client has left.', { code: 'client_left' }));
    if (client.aborted) leave();
    else client.addEventListener('abort', leave, { once: true });
  }

  /** Aborted with an ApiError when the client leaves, time is over or the server stops. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** From now on the answer has this much time. */
  limit(seconds: number): void {
    const late = () =>
      this.abort(
        new ApiError(504, `The answer took longer than ${seconds} s, which is the limit of this server.`, {
          code: 'timeout',
        }),
      );
    this.timer = setTimeout(late, seconds * 1000);
  }

  abort(reason: ApiError): void {
    if (!this.ended) this.controller.abort(reason);
  }

  /** To be called once the answer is out, or cannot be sent any more; more calls do nothing. */
  end(status: number): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    this.report.status = status;
    this.report.milliseconds = performance.now() - this.start;
    this.onEnd(this);
  }
}

/** Requests that are under way. */
export class RequestRegistry {
  readonly running: Set<RequestLife> = new Set();
  isDraining = false;
  private readonly onEnd: (life: RequestLife) => void;
  private idle: (() => void) | undefined;

  /** @param onEnd - told of every request that has ended */
  constructor(onEnd: (life: RequestLife) => void) {
    this.onEnd = onEnd;
  }

  open(report: RequestReport, client: AbortSignal): RequestLife {
    const life = new RequestLife(report, client, (ended) => {
      this.running.delete(ended);
      this.onEnd(ended);
      if (this.running.size === 0) this.idle?.();
    });
    this.running.add(life);
    return life;
  }

  /** Takes no more; waits for those that run, and breaks them off after `seconds`. */
  async drain(seconds: number): Promise<void> {
    this.isDraining = true;
    if (this.running.size === 0) return;
    const done = new Promise<void>((resolve) => {
      this.idle = resolve;
    });
    const stop = () => {
      for (const life of this.running) {
        life.abort(new ApiError(503, 'The server is shutting down.', { code: 'shutting_down' }));
      }
    };
    const timer = setTimeout(stop, seconds * 1000);
    await done;
    clearTimeout(timer);
  }
}
