// A file that is shorter than its header says is refused before anything is allocated.

import { DataError } from '../core/errors.ts';

/** @throws {DataError} the file is shorter than its header says */
export function requireSize(where: string, path: string, fileSize: number, needed: number): void {
  if (fileSize >= needed) return;
  throw new DataError(
    `${where}: ${path} has ${fileSize} bytes; its header announces ${needed}. It is cut off: fetch or write it anew.`,
  );
}
