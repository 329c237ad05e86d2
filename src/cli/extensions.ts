// Which files commands can write, by extension.

import { UsageError } from './failure.ts';

/** Extensions that tables can be written to. */
export const tableExtensions = ['.parquet', '.csv', '.tsv', '.jsonl', '.json', '.arrow'] as const;

/** @throws {UsageError} `path` ends in none of `extensions`. Said before the work, not after it */
export function requireExtension(
  option: string,
  path: string,
  extensions: readonly string[] = tableExtensions,
): void {
  if (!extensions.some((extension) => path.toLowerCase().endsWith(extension))) {
    throw new UsageError(`${option} ${path}; expected a name that ends in ${extensions.join(', ')}.`);
  }
}

/** One text a line; everything else is a table. */
export function isTextFile(path: string): boolean {
  return /\.txt$/i.test(path);
}
