// Where pulled models lie unless a folder is named.

import { homedir, platform } from 'node:os';
import { join, resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folder of pulled models: `$PROVABLY_CACHE/models`, else in the user's folder for what can be fetched again: `$XDG_CACHE_HOME/provably` or
 * `~/.cache/provably`, `~/Library/Caches/provably` on macOS, `%LOCALAPPDATA%\provably` on Windows.
 *
 * @param system - `os.platform()` and `os.homedir()`, unless others are asked about
 */
export function modelsFolder(
  env: Environment,
  { system = platform(), home = homedir() }: { system?: NodeJS.Platform; home?: string } = {},
): string {
  return join(resolve(env.PROVABLY_CACHE || cacheFolder(env, system, home)), 'models');
}

function cacheFolder(env: Environment, system: NodeJS.Platform, home: string): string {
  if (system === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'provably');
  if (system === 'darwin') return join(home, 'Library', 'Caches', 'provably');
  // The convention ignores relative paths there.
  const configured = env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : undefined;
  return join(configured ?? join(home, '.cache'), 'provably');
}
