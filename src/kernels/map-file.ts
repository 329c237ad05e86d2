// A file's pages as bytes: what the addon can do and Node cannot.

import { UnsupportedError } from '../core/errors.ts';
import { loadAddon } from './native.ts';

/**
 * Maps a file into memory: its pages are read when first touched, are shared with other processes that map it, and count as the system's
 * cache, not as memory of this process. It is unmapped when the bytes are no longer reachable.
 *
 * Bytes that are written are a copy of their page: neither the file nor other mappings change. The file must not get shorter while it is
 * mapped: touching what is gone ends the process.
 *
 * @throws {UnsupportedError} there is no addon here, or the system or runtime does not map this file, and why
 */
export function mapFile(path: string): Uint8Array {
  const addon = loadAddon('mapFile');
  try {
    return new Uint8Array(addon.mapFile(path));
  } catch (cause) {
    throw new UnsupportedError(
      `mapFile: ${path} cannot be mapped (${(cause as Error).message}); expected a readable file that is not empty. Read it instead.`,
      { cause },
    );
  }
}
