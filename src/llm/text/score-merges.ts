// SentencePiece BPE has no list of merges: any two neighbours whose joint spelling is a token may merge, the token of
// the highest score first, of equal ones the leftmost. A BPE with one merge for every way to cut a token in two, ranked
// by the token's score with equal ranks for equal scores, does exactly that.

import type { SpelledMerge } from './bpe-model.ts';
import { isByteSpelling } from './vocabulary.ts';

/**
 * @param ids - id of every token that text may be made of, in SentencePiece spelling
 * @param scores - shape (V,), by id; higher merges earlier
 *
 * Time and memory O(Σ token length): some five cuts for each token of a usual vocabulary, of which two can come up.
 */
export function mergesOfScores(ids: ReadonlyMap<string, number>, scores: ArrayLike<number>): SpelledMerge[] {
  const merges: SpelledMerge[] = [];
  const used = new Set<number>();
  for (const id of ids.values()) used.add(scores[id]);
  const rankOf = new Map([...used].sort((a, b) => b - a).map((score, rank) => [score, rank]));
  for (const [token, id] of ids) {
    if (isByteSpelling(token)) continue; // stands for a byte, never for its spelling
    const rank = rankOf.get(scores[id])!;
    for (const at of cuts(token)) {
      const left = token.slice(0, at);
      const right = token.slice(at);
      // A single character need not be a token itself to take part in a merge.
      if (isPart(left, ids) && isPart(right, ids)) merges.push({ left, right, rank });
    }
  }
  return merges;
}

/** Where a token can be cut in two, between its characters. */
function* cuts(token: string): Generator<number> {
  let at = 0;
  for (const character of token) {
    if (at > 0) yield at;
    at += character.length;
  }
}

function isPart(piece: string, ids: ReadonlyMap<string, number>): boolean {
  return ids.has(piece) || piece.length === 1 || (piece.length === 2 && piece.codePointAt(0)! > 0xffff);
}
