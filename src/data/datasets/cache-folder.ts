// Where converted data sets are kept, and how a folder appears there whole or not at all.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Default folder of converted data: `.cache/` of a checkout of this project, else the user's cache folder, since an
 * installed package must not write into `node_modules`.
 */
export function defaultCacheFolder(): string {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  if (!root.includes('node_modules') && basename(root) !== 'dist') return join(root, '.cache');
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (process.platform === 'win32') {
    return join(LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'provably');
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'provably');
  return join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'provably');
}

/**
 * Lets `fill` write into an empty folder beside `folder`, then moves it there: a failure or Ctrl-C leaves nothing of that
 * name, and readers see the old folder or the whole new one.
 *
 * When several processes make the same folder at once, the first to finish wins and the others throw theirs away.
 */
export async function replaceFolder(folder: string, fill: (draft: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const replaces = existsSync(folder);
  const draft = await mkdtemp(`${folder}.`);
  try {
    await fill(draft);
    // Two renames rather than a slow removal first: the name is missing for microseconds only.
    if (replaces) await rename(folder, `${draft}.old`).catch(ignoreCode('ENOENT'));
    await rename(draft, folder).catch(ignoreCode('ENOTEMPTY', 'EEXIST', 'EPERM'));
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(`${draft}.old`, { recursive: true, force: true });
  }
}

/** Handler that swallows file system errors of these codes: another process was quicker. */
function ignoreCode(...codes: string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}
