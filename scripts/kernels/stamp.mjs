// "Was this built from exactly these inputs?": one small JSON file beside each product.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Names, relative to `folder`, of the C++ sources and headers below it, sorted. */
export function sourcesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.(cc|h)$/.test(name))
    .sort();
}

/** Hash of all sources below `folder` and of whatever else decides the product. */
export function hashOf(folder, ...others) {
  const hash = createHash('sha256');
  for (const name of sourcesIn(folder)) hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  return hash.update(JSON.stringify(others)).digest('hex');
}

/** The stamp last written: `{ hash, failure? }`, or an empty one. */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {}; // never built, or cut off while being written: build again
  }
}

/** Notes what the product was built from, or why it could not be. */
export function writeStamp(file, stamp) {
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, `${JSON.stringify(stamp)}\n`);
}

/** Writes under another name first, so that nobody ever reads half a file. */
export function replaceFile(file, content) {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}
