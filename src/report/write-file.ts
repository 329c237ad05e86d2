// Files appear whole or not at all: written beside their place, then moved into it.

import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError } from '../core/errors.ts';

export interface WriteFileOptions {
  /** Cancels; the file is then left as it was before. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes `content` to `path`, making the folders above it. A reader sees the old file or the whole new one, also
 * when the process is killed in between (a `.partial` file may then be left beside it).
 *
 * @throws {DataError} the place cannot be written
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  { signal }: WriteFileOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const partial = `${path}.${process.pid}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(partial, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {}); // the first error is the one to tell
    if (signal?.aborted) throw signal.reason;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`writing ${path}: ${reason}. Choose a place that can be written.`, { cause: error });
  }
}
