// Runs of boost in files: the state of PriorBoost, and what the command line needs to go on with it.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type PriorBoostState, readPriorBoostState } from '../../aggregate/index.ts';
import { DataError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../report/index.ts';
import { toJson } from '../output.ts';
import { parseJson } from './parse-json.ts';

export interface KeptRun {
  columns: string[];
  family: 'linear' | 'logistic' | 'poisson';
  ridge: number | null;
  state: PriorBoostState;
}

const runFile = z.strictObject({
  format: z.literal('provably aggregate boost'),
  version: z.literal(1),
  columns: z.array(z.string()).min(1),
  family: z.enum(['linear', 'logistic', 'poisson']),
  ridge: z.number().nonnegative().nullable(),
  state: z.looseObject({}),
});

/** Not abortable: what was answered and charged must not be lost to a Ctrl-C. */
export async function writeRun(path: string | undefined, run: KeptRun): Promise<void> {
  if (path === undefined) return;
  await writeFileAtomically(path, `${toJson({ format: 'provably aggregate boost', version: 1, ...run })}\n`);
}

/** The run of a file; undefined when there is none. @throws {DataError} the file holds something else */
export async function readRun(path: string | undefined): Promise<KeptRun | undefined> {
  if (path === undefined || !existsSync(path)) return undefined;
  const parsed = runFile.safeParse(parseJson(path, await readFile(path, 'utf8')));
  if (!parsed.success) {
    throw new DataError(`${path} is no run of boost.\n${z.prettifyError(parsed.error)}`);
  }
  const { columns, family, ridge, state } = parsed.data;
  return { columns, family, ridge, state: readPriorBoostState(state) };
}
