// Names that come from a server, on their way into a file system.

import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { printable } from './printable.ts';

/** No name of a model comes near these. */
const MAX_BYTES = 255;
const MAX_DEPTH = 16;

/** What Windows takes for devices, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\.|$)/i;

/** Characters that some file system cannot hold, or reads as syntax: separators, drives, streams, patterns, controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f<>:"|?*\\/\u202a-\u202e\u2066-\u2069]/;

/**
 * The parts of a relative path that is the same file on every system, below whatever folder it is joined to.
 *
 * @throws {DataError} it is absolute, climbs out (".."), or has a part that a file system would read as something else
 */
export function safeParts(where: string, path: string): string[] {
  const parts = path.split('/');
  if (parts.length > MAX_DEPTH || !parts.every(isSafePart)) {
    throw new DataError(
      `${where}: the server names a file ${printable(path)}; expected a plain relative path. Nothing is written there.`,
    );
  }
  return parts;
}

/** Whether a name is one file or folder of that name everywhere. */
export function isSafePart(part: string): boolean {
  return (
    part !== '' &&
    !/^\.+$/.test(part) &&
    !/[. ]$/.test(part) && // Windows drops these, so that two names would be one file
    !UNSAFE.test(part) &&
    part.isWellFormed() &&
    !DEVICE.test(part) &&
    Buffer.byteLength(part) <= MAX_BYTES - '.part'.length
  );
}

/**
 * Makes the folders of `parts` below `root`, of which none may be a link: a link could lead anywhere.
 *
 * @returns the innermost
 * @throws {DataError} something else has the name of a folder
 */
export async function makeFolders(root: string, parts: readonly string[]): Promise<string> {
  let folder = root;
  for (const part of parts) {
    folder = join(folder, part);
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (!(await lstat(folder)).isDirectory()) {
      throw new DataError(
        `pull: ${folder} is a link or a file; expected a folder. Move it away, or name another folder with --to.`,
      );
    }
  }
  return folder;
}
