// What an analyst is told when the answer is no: a status and the reason. Never a label, nor a number that comes from one.

import { type RefusalReason, RefusedError } from '../../aggregate/index.ts';
import { ApiError, asApiError, type ErrorStatus } from '../api-error.ts';

const statusOf: Record<RefusalReason, ErrorStatus> = {
  malformed: 400,
  unauthorized: 401,
  forbidden: 403,
  // What was released before stands in the way: asking again does not help, asking otherwise may.
  overlap: 409,
  'budget-exceeded': 409,
  'too-many-bags': 413,
  'unknown-sample': 422,
  'repeated-sample': 422,
  'bag-too-small': 422,
  'epsilon-too-large': 422,
  busy: 429,
};

/** Reasons of what the shell refuses itself, by status. */
const reasons: Partial<Record<ErrorStatus, RefusalReason>> = {
  400: 'malformed',
  401: 'unauthorized',
  403: 'forbidden',
  413: 'too-many-bags',
  415: 'malformed',
  429: 'busy',
};

/** @returns the error as it is sent, its code a reason of the protocol where it is a refusal */
export function explainRefusal(cause: unknown): ApiError {
  if (cause instanceof RefusedError) {
    const { reason, message } = cause;
    return new ApiError(statusOf[reason], message, {
      code: reason,
      ...(reason === 'busy' ? { retryAfter: 1 } : {}),
    });
  }
  // A message of the library may quote what it computes with: from here only the shell's own are passed on.
  const error = cause instanceof ApiError ? cause : asApiError(undefined);
  const reason = reasonOf(error);
  return reason === undefined
    ? error
    : new ApiError(error.status, error.message, { ...error.details, code: reason });
}

/** @returns the word of the protocol for an error of the shell; undefined when it is no refusal */
export function reasonOf({ status }: ApiError): RefusalReason | undefined {
  return reasons[status];
}
