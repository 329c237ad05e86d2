// The one door to the optional packages that draw: loaded on first use, named clearly when missing.

import { MissingDependencyError } from '../core/errors.ts';

/** Observable Plot, typed as its own module. */
export type Plot = typeof import('@observablehq/plot');

/** What it takes to draw outside a browser. */
export interface Drawing {
  plot: Plot;
  /** A document to create SVG elements in. */
  document: Document;
}

let drawing: Promise<Drawing> | undefined;

/**
 * Plot and a document for it, loaded once.
 *
 * @throws {MissingDependencyError} `@observablehq/plot` or `linkedom` is not installed
 */
export function loadDrawing(): Promise<Drawing> {
  drawing ??= (async () => {
    const plot = await importOptional(() => import('@observablehq/plot'), '@observablehq/plot', 'charts');
    const { parseHTML } = await importOptional(() => import('linkedom'), 'linkedom', 'charts');
    const { document } = parseHTML('<!doctype html><html><head></head><body></body></html>');
    return { plot, document };
  })();
  return drawing;
}

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
