// A cache's promise for some queries, held against exact attention over the whole stream.

import { audit, type Certificate } from '../core/certificate.ts';
import { requireInteger } from '../core/check.ts';
import { certifiedAttend } from './certified-attend.ts';
import { oracleAnswer, type TokenStream } from './oracle.ts';
import type { KeyValueCache } from './types.ts';

/**
 * The certificate of the worst answer to queries of tokens spread over the stream, with its error measured.
 *
 * @param cache - that has absorbed the first tokens of `stream`
 * @param count - queries asked, ≥ 1. Default 32
 *
 * Time O(count · tokens · dim) for the exact answers.
 */
export async function auditAnswers(
  cache: KeyValueCache,
  stream: TokenStream,
  count = 32,
): Promise<Certificate> {
  requireInteger('auditAnswers: count', count, 1);
  const { tokens, shape } = cache;
  const { heads, dim, valueDim } = shape;
  const asked = Math.min(count, tokens);
  const queries = new Float32Array(asked * heads * dim);
  for (let i = 0; i < asked; i++) {
    const at = Math.floor(((i + 0.5) * tokens) / asked) * heads * dim;
    queries.set(stream.queries.subarray(at, at + heads * dim), i * heads * dim);
  }
  const certified = await certifiedAttend(cache, queries);
  let error = 0;
  for (const [i, { output }] of certified.value.entries())
    for (let head = 0; head < heads; head++) {
      const at = (i * heads + head) * dim;
      const exact = oracleAnswer(shape, stream, tokens, head, queries.subarray(at, at + dim)).output;
      const own = output.subarray(head * valueDim, (head + 1) * valueDim);
      error = Math.max(error, Math.sqrt(exact.reduce((sum, x, c) => sum + (own[c] - x) ** 2, 0)));
    }
  return audit(certified, error, `all ${asked} answers`).certificate;
}
