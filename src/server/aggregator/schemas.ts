// Requests to the aggregator. A field that is not known is refused: a misspelled one would do nothing silently.

import { z } from 'zod';
import type { AggregatorQuery, SampleId } from '../../aggregate/index.ts';

/** Characters of an id. */
const MAX_ID = 256;
/** Entries of the audit log in one answer. */
export const MAX_ENTRIES = 1000;

/** Ids of each bag. By hand: a union would go over a hundred thousand ids twice. */
const bags: z.ZodType<SampleId[][]> = z.custom<SampleId[][]>(
  (value) => Array.isArray(value) && value.every((bag) => Array.isArray(bag) && bag.every(isId)),
  { error: `expected a list of bags, each a list of ids: integers, or texts of 1 to ${MAX_ID} characters` },
);

export const querySchema: z.ZodType<AggregatorQuery> = z.strictObject({
  stage: z.string().regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, "_", "." or "-"'),
  bags,
  epsilon: z.number().positive().optional(),
});

export const logSchema: z.ZodType<{ from: number; limit: number }> = z.strictObject({
  from: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(MAX_ENTRIES).default(MAX_ENTRIES),
});

function isId(id: unknown): boolean {
  return typeof id === 'string' ? id.length > 0 && id.length <= MAX_ID : Number.isSafeInteger(id);
}
