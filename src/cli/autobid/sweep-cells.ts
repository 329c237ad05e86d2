// Cells of a sweep in files, a file for each drawn market, so that a sweep that was stopped goes on.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SweepCell } from '../../autobidding/index.ts';
import type { Certificate } from '../../core/certificate.ts';
import { writeFileAtomically } from '../../report/index.ts';
import { toJson } from '../output.ts';

/** What a drawn market came to. */
export interface SeedResult {
  cells: readonly SweepCell[];
  certificate: Certificate;
}

const FORMAT = 'provably autobid sweep cells 1';

/** Results of a folder under given settings: those of other settings are as if they were not there. */
export function cellStore(folder: string, settings: object, version: string) {
  const key = toJson({ settings, version });
  const pathOf = (seed: number): string => join(folder, 'cells', `seed-${seed}.json`);
  return {
    async read(seed: number): Promise<SeedResult | undefined> {
      const text = await readFile(pathOf(seed), 'utf8').catch(() => undefined);
      if (text === undefined) return undefined;
      try {
        const { format, key: theirs, result } = JSON.parse(text);
        return format === FORMAT && theirs === key ? result : undefined;
      } catch {
        return undefined; // cut off or not ours: found again, and written over
      }
    },
    async write(seed: number, result: SeedResult): Promise<void> {
      await writeFileAtomically(pathOf(seed), `${toJson({ format: FORMAT, key, result })}\n`);
    },
  };
}
