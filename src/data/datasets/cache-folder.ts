// Where converted data sets are kept, and how a folder appears there whole or not at all.

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
 * Lets `fill` write into an empty folder beside `folder`, then moves it there in one step: readers see the old
 * folder or the whole new one, and a failure or Ctrl-C leaves nothing of that name.
 */
export async function replaceFolder(folder: string, fill: (draft: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.`);
  try {
    await fill(draft);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    // Another process may have finished the same folder between the two steps above; its copy is as good.
    if (!['ENOTEMPTY', 'EEXIST'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
  }
}
