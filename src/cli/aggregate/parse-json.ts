// JSON of files that this command line wrote.

import { DataError } from '../../core/errors.ts';

/** @throws {DataError} the text is no JSON; the message names its file */
export function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path} is no JSON; expected what was written there. Is it cut off?`, { cause });
  }
}
