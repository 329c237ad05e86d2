// GGUF models among files: most are one file, large ones come in parts; a repository often holds one model in many quantisations.

import { DataError } from '../core/errors.ts';

export interface GgufModel<T> {
  /** Path of its file, or of its first part: what is opened. */
  path: string;
  /** In order. */
  parts: T[];
  /** As the name tells it, in capitals: "Q4_K_M", "F16"; undefined when it does not. */
  quantisation: string | undefined;
}

const PART = /-(\d{5})-of-(\d{5})(?=\.gguf$)/i;

/** Between separators; "UD-Q4_K_XL" and "Q4_K_M-imat" have one too. */
const QUANTISATION =
  /(?:^|[-._])((?:I?Q\d|TQ\d|MXFP\d|NVFP\d|BF16|F?P?16|F?P?32)(?:_[A-Z0-9]+)*)(?=[-.]|$)/gi;

/** What a file's name says of its weights. */
export function quantisationOf(path: string): string | undefined {
  const stem = path.replace(PART, '').replace(/\.gguf$/i, '');
  const found = [...stem.slice(stem.lastIndexOf('/') + 1).matchAll(QUANTISATION)].at(-1)?.[1].toUpperCase();
  return found?.replace(/^(F?P?)(?=16$|32$)/, 'F');
}

/** The models among files, by path; of some, parts may be missing. */
export function ggufModels<T extends { path: string }>(files: readonly T[]): GgufModel<T>[] {
  const models = new Map<string, T[]>();
  for (const file of files) {
    if (!/\.gguf$/i.test(file.path)) continue;
    const key = file.path.replace(PART, (_, __, count) => `-of-${count}`);
    models.set(key, [...(models.get(key) ?? []), file]);
  }
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
  return [...models.values()]
    .map((found) => {
      const parts = found.sort(byPath);
      const [{ path }] = parts;
      return { path, parts, quantisation: quantisationOf(path) };
    })
    .sort(byPath);
}

/** @throws {DataError} a part is missing */
export function requireParts(where: string, { path, parts }: GgufModel<{ path: string }>): void {
  const count = Number(PART.exec(path)?.[2] ?? 1);
  if (count === 1 || parts.length === count) return;
  throw new DataError(
    `${where}: ${path} is one of ${count} parts, of which ${parts.length} are there; expected all of them.`,
  );
}
