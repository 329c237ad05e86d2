// Errors as data: every failure a user can cause carries a stable `code` to match on.

export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'SHAPE'
  | 'NUMERICAL'
  | 'AUDIT'
  | 'UNSUPPORTED'
  | 'DATA'
  | 'MISSING_DEPENDENCY'
  | 'WORKER'
  | 'BUSY'
  | 'REFUSED';

/** Base of all errors this library throws on purpose. Message form: *where: what it is; what was expected. How to mend it.* */
export class ProvablyError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An argument is outside its documented domain. */
export class InvalidArgumentError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('INVALID_ARGUMENT', message, options);
  }
}

/** Two arguments' shapes do not fit each other. */
export class ShapeError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('SHAPE', message, options);
  }
}

/** A computation cannot go on: singular matrix, overflow, no convergence where it was promised. */
export class NumericalError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('NUMERICAL', message, options);
  }
}

/** An audit could not be carried out, or contradicts a certificate. */
export class AuditError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('AUDIT', message, options);
  }
}

/** A documented option or format that this build, backend or platform does not offer. */
export class UnsupportedError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('UNSUPPORTED', message, options);
  }
}

/** A file or table does not hold what its format or the caller says. */
export class DataError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATA', message, options);
  }
}

/** An optional dependency is not installed; the message names it and the command that installs it. */
export class MissingDependencyError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('MISSING_DEPENDENCY', message, options);
  }
}

/** A worker of a pool died, or its pool is closed: the job it held has no result. */
export class WorkerError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('WORKER', message, options);
  }
}

/** There is more to do than may wait: the same call may succeed later. */
export class BusyError extends ProvablyError {
  constructor(message: string, options?: ErrorOptions) {
    super('BUSY', message, options);
  }
}
