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

/** One text or several, as texts or as token ids. By hand: a union of arrays would go over half a million ids four times. */
export const texts: z.ZodType<(string | number[])[]> = z.unknown().transform((value, context) => {
  if (typeof value === 'string') return [value];
  if (isTokens(value)) return [value];
  if (Array.isArray(value) && value.length > 0) {
    const kind = typeof value[0];
    if (value.every((one) => (kind === 'string' ? typeof one === 'string' : isTokens(one))))
      return value as string[] | number[][];
  }
  context.addIssue({
    code: 'custom',
    message: 'expected a text, token ids (integers ≥ 0), or a list of one of these that is not empty',
  });
  return z.NEVER;
});

function isTokens(value: unknown): value is number[] {
  const isToken = (id: unknown) => Number.isInteger(id) && (id as number) >= 0;
  return Array.isArray(value) && value.length > 0 && value.every(isToken);
}
