// The one door to the optional packages that draw: loaded on first use, named clearly when missing.

import { importOptional } from '../core/import-optional.ts';

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
