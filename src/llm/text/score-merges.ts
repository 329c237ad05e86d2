// SentencePiece BPE has no list of merges: any two neighbours whose joint spelling is a token may merge, the token of
// the highest score first, of equal ones the leftmost. A BPE with one merge for every way to cut a token in two, ranked
// by the token's score with equal ranks for equal scores, does exactly that.

import { createPieceEncoder, type PieceEncoder } from './piece-encoder.ts';
import { isByteSpelling } from './vocabulary.ts';

export interface ScoreEncoderOptions {
  /** Puts a space before every stretch of text, as SentencePiece's add_dummy_prefix. */
  addSpace: boolean;
  /** Spelling of the token for characters that neither the vocabulary nor its byte tokens can spell. */
  unknown: string;
}

/**
 * @param index - id of every token that text may be made of, in SentencePiece spelling
 * @param scores - shape (V,), by id; higher merges earlier
 *
 * Time and memory O(Σ token length): some two merges for each token of a usual vocabulary.
 */
export function createScoreEncoder(
  index: Record<string, number>,
  scores: ArrayLike<number>,
  { addSpace, unknown }: ScoreEncoderOptions,
): PieceEncoder {
  const merges: [string, string][] = [];
  const mergeScores: number[] = [];
  for (const [token, id] of Object.entries(index)) {
    if (isByteSpelling(token)) continue; // stands for a byte, never for its spelling
    for (const at of cuts(token)) {
      const left = token.slice(0, at);
      const right = token.slice(at);
      // A single character need not be a token itself to take part in a merge.
      if (isPart(left, index) && isPart(right, index)) {
        merges.push([left, right]);
        mergeScores.push(scores[id]);
      }
    }
  }
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const pieces = createPieceEncoder('GGUF metadata', {
    normalizer: addSpace
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, spaces] }
      : spaces,
    pre_tokenizer: null,
    post_processor: null,
    // The unknown token has an id of its own for the library, so that runs of it can be fused; no text merges into it.
    model: {
      type: 'BPE',
      vocab: withToken(index, unknown),
      merges,
      byte_fallback: true,
      unk_token: unknown,
      fuse_unk: true,
    },
  });
  const rankOfScore = new Map(
    [...new Set(mergeScores)].sort((a, b) => b - a).map((score, rank) => [score, rank] as const),
  );
  pieces.rankMerges((merge) => rankOfScore.get(mergeScores[merge])!);
  return pieces;
}

/** Where a token can be cut in two, between its characters. */
function* cuts(token: string): Generator<number> {
  let at = 0;
  for (const character of token) {
    if (at > 0) yield at;
    at += character.length;
  }
}

function isPart(piece: string, index: Record<string, number>): boolean {
  return (
    index[piece] !== undefined || piece.length === 1 || (piece.length === 2 && piece.codePointAt(0)! > 0xffff)
  );
}

function withToken(index: Record<string, number>, token: string): Record<string, number> {
  return token in index ? index : Object.assign(Object.create(null), index, { [token]: -1 });
}
