// What the caches of a sequence kept of its text, token by token.

import type { CacheOptions } from '../../kv-cache/index.ts';
import type { Sequence } from '../engine/sequence.ts';
import type { Tokenizer } from '../text/index.ts';

/** What became of a token in one head. */
export type TokenFate = 'kept' | 'center' | 'merged' | 'dropped';

export const FATES: readonly TokenFate[] = ['kept', 'center', 'merged', 'dropped'];

export interface KeptTokens {
  /** Text that each token completes. */
  pieces: string[];
  layers: number;
  keyHeads: number;
  /** Places in `FATES`, shape (layers, keyHeads, tokens). */
  fates: Uint8Array;
}

/**
 * kept: the token has a row of its own · center: its row stands for others, too · merged: another row stands for it · dropped: nothing does.
 *
 * @param cache - what the sequence was made with
 */
export function keptTokens(sequence: Sequence, cache: CacheOptions, tokenizer: Tokenizer): KeptTokens {
  const { caches, tokens } = sequence;
  const { keyHeads } = caches[0].shape;
  const fates = new Uint8Array(caches.length * keyHeads * tokens.length);
  const rest = FATES.indexOf(mergesTokens(cache) ? 'merged' : 'dropped');
  caches.forEach((one, layer) => {
    for (let head = 0; head < keyHeads; head++) {
      const start = (layer * keyHeads + head) * tokens.length;
      fates.fill(rest, start, start + tokens.length);
      for (const { position, count } of one.kept(head))
        fates[start + position] = FATES.indexOf(count > 1 ? 'center' : 'kept');
    }
  });
  const stream = tokenizer.textStream({ continuation: false });
  const pieces = tokens.map((token) => stream.push(token));
  return { pieces, layers: caches.length, keyHeads, fates };
}

/** Whether tokens without a row live on in others' rows. */
function mergesTokens(cache: CacheOptions): boolean {
  return (
    cache.policy === 'hybrid' || cache.policy === 'subgen' || ('mode' in cache && cache.mode === 'merge')
  );
}

/** Share of all heads that keep a token as a row, shape (tokens,). */
export function keptShares({ pieces, layers, keyHeads, fates }: KeptTokens): number[] {
  const heads = layers * keyHeads;
  return pieces.map((_, token) => {
    let kept = 0;
    for (let head = 0; head < heads; head++) {
      const fate = FATES[fates[head * pieces.length + token]];
      if (fate === 'kept' || fate === 'center') kept++;
    }
    return kept / heads;
  });
}
