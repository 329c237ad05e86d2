// Data sets come as npm packages that are not dependencies of the library: where an installed one lies.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { MissingDependencyError } from '../../core/errors.ts';

/**
 * Folder and version of an installed package.
 *
 * @param caller - public function that needs it, for the message
 * @throws {MissingDependencyError} it is not installed; the message gives the command that installs it
 */
export function findPackage(name: string, caller: string): { folder: string; version: string } {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    return { folder: dirname(manifest), version };
  } catch (cause) {
    throw new MissingDependencyError(
      `${caller}: the package ${name} is not installed; expected it beside this library. Run: npm install ${name}`,
      { cause },
    );
  }
}
