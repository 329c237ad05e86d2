// The error of a query that is refused: with a reason that programs can match on.

import { ProvablyError } from '../core/errors.ts';
import type { RefusalReason } from './protocol.ts';

/** A query about labels is refused. Nothing was charged, no label was read and no noise was drawn for it. */
export class RefusedError extends ProvablyError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super('REFUSED', message, options);
    this.reason = reason;
  }
}
