// Files of Node as byte sources: mapped into memory where the addon is there, else read part by part.

import { open, stat } from 'node:fs/promises';
import { requireOneOf } from '../../core/check.ts';
import { ProvablyError } from '../../core/errors.ts';
import { readFully } from '../../data/file-matrix.ts';
import { requireFile } from '../../data/format.ts';
import { mapFile } from '../../kernels/index.ts';
import { type ByteSource, bytesSource, requireWithin } from './byte-source.ts';

const ACCESSES = ['auto', 'map', 'read'] as const;

export interface FileSourceOptions {
  /**
   * 'map': the file's pages are the memory, brought in when first touched, shared by all processes that map it and dropped when memory is
   * short. 'read': parts are copied into memory of this process. 'auto': 'map' where that is possible. Default 'auto'.
   *
   * A mapped file must not be cut shorter while it is in use: touching what is gone ends the process, as with every mapping.
   */
  access?: (typeof ACCESSES)[number] | undefined;
}

/** Between two pieces of this size a read can be cancelled. */
const PIECE = 2 ** 24;

/**
 * @throws {DataError} there is no such file, or it is empty
 * @throws {UnsupportedError} `access` is 'map' and there is no addon, or this runtime allows no mapped memory
 */
export async function fileSource(
  path: string,
  { access = 'auto' }: FileSourceOptions = {},
): Promise<ByteSource> {
  requireOneOf('fileSource: access', access, ACCESSES);
  const size = await requireFile('fileSource', path);
  if (access !== 'read') {
    try {
      return bytesSource(mapFile(path), path);
    } catch (error) {
      if (access === 'map' || !(error instanceof ProvablyError)) throw error;
    }
  }
  return readingSource(path, size);
}

/** Like `fileSource`; undefined when there is no such file. */
export async function fileSourceIfThere(
  path: string,
  options: FileSourceOptions = {},
): Promise<ByteSource | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? fileSource(path, options) : undefined;
}

function readingSource(path: string, size: number): ByteSource {
  return {
    name: path,
    size,
    async read(offset, length, { signal } = {}) {
      requireWithin(this, offset, length);
      const bytes = new Uint8Array(length);
      await using file = await open(path);
      for (let done = 0; done < length; done += PIECE) {
        signal?.throwIfAborted();
        await readFully('fileSource', path, file, bytes.subarray(done, done + PIECE), offset + done);
      }
      return bytes;
    },
  };
}
