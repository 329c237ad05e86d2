// Pieces of the schemas of requests. A field that is null counts as not there, as in the OpenAI API.

import { z } from 'zod';

/** A field that may be left out. */
export function optional<T extends z.ZodType>(type: T): z.ZodType<z.output<T> | undefined> {
  return type.nullish().transform((value) => value ?? undefined) as z.ZodType<z.output<T> | undefined>;
}

/** Changes nothing in the answer, so it may be there. */
export const ignored: z.ZodType = z.unknown().optional();

/** Would change the answer and is not offered: refused, unless it asks for what happens anyway. @param harmless - values that do */
export function notOffered(what: string, harmless: (value: unknown) => boolean = () => false): z.ZodType {
  return z
    .unknown()
    .optional()
    .superRefine((value, context) => {
      if (value === undefined || value === null || harmless(value)) return;
      context.addIssue({
        code: 'custom',
        message: `${what} by this server. Leave it out.`,
        params: { code: 'unsupported_parameter' },
      });
    });
}

export const tokenId: z.ZodType<number> = z.int().min(0);

/** One text or several, as texts or as token ids. */
export const texts: z.ZodType<(string | number[])[]> = z
  .union(
    [z.string(), z.array(z.string()).min(1), z.array(tokenId).min(1), z.array(z.array(tokenId)).min(1)],
    {
      error: 'expected a text, token ids (integers ≥ 0), or a list of one of these that is not empty',
    },
  )
  .transform((value) => {
    if (typeof value === 'string') return [value];
    return typeof value[0] === 'number' ? [value as number[]] : (value as (string | number[])[]);
  });
