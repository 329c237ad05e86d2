// The caches that the tour shows and the protocols compare: to be changed here and nowhere else.

import type { FloatStorage } from '../../kernels/index.ts';
import type { ComparedPolicy } from '../../kv-cache/index.ts';
import type { RetrievalEntrant } from '../evaluate/retrieval-contest.ts';

/** Of the full cache, whose bytes are 100 %, and of all rows whose storage is not said. */
export const BASELINE: FloatStorage = 'float16';

/** What is held against the others: all tokens, in keys of four bits and values of two. */
export const RECOMMENDED: RetrievalEntrant = {
  policy: { policy: 'full', name: 'full:k4v2' },
  storage: 'k4v2',
};

/** What the tour writes its text from: it keeps some tokens and merges the others, which can be shown. */
export const SHOWN: RetrievalEntrant = { policy: { policy: 'hybrid' } };

/** Those that the recommended one is to beat at equal bytes. */
export const RIVALS: readonly RetrievalEntrant[] = [
  { policy: { policy: 'snapkv' } },
  { policy: { policy: 'h2o' } },
  { policy: { policy: 'sink-window' } },
];

export function nameOf({ policy: { name, policy } }: { policy: ComparedPolicy }): string {
  return name ?? policy;
}
