// A cache's promise for some queries, held against exact attention over the whole stream.

import { audit, type Certificate } from '../core/certificate.ts';
import { requireInteger } from '../core/check.ts';
import { certifiedAttend } from './certified-attend.ts';
import { oracleAnswer, oracleValueNorms, type TokenStream } from './oracle.ts';
import { SubGenCache } from './policies/subgen.ts';
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
  const { heads, keyHeads, dim, valueDim } = shape;
  const asked = Math.min(count, tokens);
  const queries = new Float32Array(asked * heads * dim);
  for (let i = 0; i < asked; i++) {
    const at = Math.floor(((i + 0.5) * tokens) / asked) * heads * dim;
    queries.set(stream.queries.subarray(at, at + heads * dim), i * heads * dim);
  }
  const certified = await certifiedAttend(cache, queries);
  // The theorem's unit, ‖softmax‖₂ ‖V‖_op.
  const norms = cache instanceof SubGenCache ? oracleValueNorms(shape, stream, tokens) : undefined;
  let error = 0;
  for (const [i, { output }] of certified.value.entries())
    for (let head = 0; head < heads; head++) {
      const at = (i * heads + head) * dim;
      const own = queries.subarray(at, at + dim);
      const exact = oracleAnswer(shape, stream, tokens, head, own);
      let square = 0;
      for (let c = 0; c < valueDim; c++) square += (output[head * valueDim + c] - exact.output[c]) ** 2;
      const unit = norms ? exact.softmaxNorm * norms[Math.floor((head * keyHeads) / heads)] : 1;
      if (square > 0) error = Math.max(error, Math.sqrt(square) / unit);
    }
  return audit(certified, error, `all ${asked} answers`).certificate;
}
