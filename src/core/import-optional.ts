// Packages that only some uses need: loaded when they do, named clearly when missing.

import { MissingDependencyError } from './errors.ts';

/**
 * Imports an optional dependency.
 *
 * @param load - `() => import(name)`, written out so that bundlers and types see the name
 * @param purpose - what needs it, for the message
 * @throws {MissingDependencyError} the package is not installed
 */
export async function importOptional<T>(load: () => Promise<T>, name: string, purpose: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new MissingDependencyError(
      `${purpose}: the optional package ${name} is not installed. Run "npm install ${name}".`,
      { cause: error },
    );
  }
}
