// Parts of configurations that both kinds of files share.

import { z } from 'zod';
import { DataError, UnsupportedError } from '../../core/errors.ts';
import { quoted } from '../files/quoted.ts';
import { ARCHITECTURES, type Architecture } from './model-config.ts';

/** A size of a model: large enough for any, small enough that products stay exact. */
export const size: z.ZodNumber = z
  .number()
  .int()
  .min(1)
  .max(2 ** 28);

/** A number of layers: per-layer lists are made of this length. */
export const layerCount: z.ZodNumber = z.number().int().min(1).max(4096);

export const positive: z.ZodNumber = z.number().positive();

/** @throws {UnsupportedError} another family, and which are computed */
export function architectureOf(where: string, name: string): Architecture {
  const found = ARCHITECTURES.find((architecture) => architecture === name);
  if (found) return found;
  throw new UnsupportedError(
    `${where}: the model is of architecture ${quoted(name)}; expected one of ${ARCHITECTURES.join(', ')}. Take a model of the Llama family.`,
  );
}

/** What a schema makes of values. @throws {DataError} naming the first that does not fit */
export function parseFields<T>(where: string, schema: z.ZodType<T>, values: unknown): T {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  const found = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], values);
  throw new DataError(
    `${where}: ${path.join('.').slice(0, 200) || 'the whole'} is ${shown(found)}; ${message}. The model's configuration is damaged or of another kind.`,
  );
}

/** A value in a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'object' && value !== null ? 'of the wrong kind' : String(value);
}
