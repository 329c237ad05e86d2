// What went wrong, as the OpenAI API tells it: a status and { error: { message, type, param, code } }.

import { ProvablyError } from '../core/errors.ts';

export interface ErrorDetails {
  /** The field of the request that is at fault. */
  param?: string | undefined;
  /** A word that programs can match on. */
  code?: string | undefined;
  /** Seconds after which the same request may succeed. */
  retryAfter?: number | undefined;
}

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 499 | 500 | 503 | 504;

export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: ErrorStatus;
  readonly details: ErrorDetails;

  constructor(status: ErrorStatus, message: string, details: ErrorDetails = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }

  /** What the client is sent. */
  get body(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    const { param = null, code = null } = this.details;
    return { error: { message: this.message, type: typeOf(this.status), param, code } };
  }
}

function typeOf(status: ErrorStatus): string {
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** A fault of ours becomes a plain 500: its message may hold what nobody outside should read. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ProvablyError) {
    const { code, message } = error;
    if (code === 'BUSY') return new ApiError(429, message, { code: 'rate_limit_exceeded', retryAfter: 1 });
    if (code === 'INVALID_ARGUMENT' || code === 'SHAPE' || code === 'UNSUPPORTED')
      return new ApiError(400, message);
  }
  return new ApiError(
    500,
    'The server failed to answer this request; its log tells more under the request id.',
  );
}
