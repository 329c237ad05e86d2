// What a pool and its workers say to each other, and how errors and arrays cross between them.

import {
  AuditError,
  BusyError,
  DataError,
  type ErrorCode,
  InvalidArgumentError,
  MissingDependencyError,
  NumericalError,
  type ProvablyError,
  ShapeError,
  UnsupportedError,
  WorkerError,
} from './errors.ts';

/** Pool to worker: call one exported function. */
export interface JobMessage {
  id: number;
  /** Module to import the function from; undefined when the worker serves functions it was built with. */
  module: string | undefined;
  exportName: string;
  args: readonly unknown[];
}

/** Worker to pool: how job `id` ended. */
export type ResultMessage = { id: number; value: unknown } | { id: number; error: ErrorMessage };

/** An error as data: what survives the way between threads. */
export interface ErrorMessage {
  name: string;
  message: string;
  code: string | undefined;
  stack: string | undefined;
}

/** All but refusals, which carry a reason and never come from a worker: labels stay in one thread. */
type PlainCode = Exclude<ErrorCode, 'REFUSED'>;

const ERROR_CLASSES: Record<PlainCode, new (message: string) => ProvablyError> = {
  INVALID_ARGUMENT: InvalidArgumentError,
  SHAPE: ShapeError,
  NUMERICAL: NumericalError,
  AUDIT: AuditError,
  UNSUPPORTED: UnsupportedError,
  DATA: DataError,
  MISSING_DEPENDENCY: MissingDependencyError,
  WORKER: WorkerError,
  BUSY: BusyError,
};

export function encodeError(error: unknown): ErrorMessage {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), code: undefined, stack: undefined };
  }
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    code: typeof code === 'string' ? code : undefined,
    stack: error.stack,
  };
}

/** The error again: of the class its code stands for, else an `Error` with name and code of the original. */
export function decodeError({ name, message, code, stack }: ErrorMessage): Error {
  const known = code !== undefined && Object.hasOwn(ERROR_CLASSES, code);
  const error = known ? new ERROR_CLASSES[code as PlainCode](message) : new Error(message);
  if (!known) {
    error.name = name;
    if (code !== undefined) Object.assign(error, { code });
  }
  if (stack !== undefined) error.stack = stack; // where it happened, not where it was unpacked
  return error;
}

/**
 * Buffers of the typed arrays in a result, to be moved instead of copied.
 *
 * Looks through arrays and plain objects. A view of a part of its buffer is left to be copied: moving it would
 * take the rest of the buffer along.
 */
export function transferableBuffers(value: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const seen = new Set<object>();
  const visit = (item: unknown): void => {
    if (typeof item !== 'object' || item === null || seen.has(item)) return;
    seen.add(item);
    if (item instanceof ArrayBuffer) buffers.add(item);
    else if (ArrayBuffer.isView(item)) {
      if (item.buffer instanceof ArrayBuffer && item.byteLength === item.buffer.byteLength) {
        buffers.add(item.buffer);
      }
    } else if (Array.isArray(item)) {
      // A list whose first entry is a number or a string holds no arrays worth a search.
      if (typeof item[0] === 'object') for (const entry of item) visit(entry);
    } else if (Object.getPrototypeOf(item) === Object.prototype) {
      for (const entry of Object.values(item)) visit(entry);
    }
  };
  visit(value);
  return [...buffers];
}
