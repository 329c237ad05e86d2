// What a cache of one layer should hold, by formula: what its `bytes()` are held against.

export interface CacheSize {
  /** Key heads. */
  heads: number;
  dim: number;
  /** Rows a head, 4 of them sinks; ignored by 'full'. */
  budget: number;
  /** Absorbed, more than `budget`. */
  tokens: number;
}

const FLOAT = 4;
/** The slab of a full cache begins with so many rows and doubles. */
const FIRST_ROWS = 64;
const SINKS = 4;

/** Of what a policy has besides rows and their places. */
const OWN_BYTES: Record<string, (size: CacheSize) => number> = {
  full: () => 0,
  'sink-window': lists,
  snapkv: lists,
  uniform: (size) => lists(size) + size.heads * size.budget * FLOAT, // the weights
  h2o: (size) => lists(size) + size.heads * size.budget * 8,
  keydiff: (size) => lists(size) + size.heads * size.dim * 8 + size.heads * size.budget * 8,
  // A representative; radius, count, least gap and whose it is; three numbers for each of two means. One more while two are being merged.
  hybrid: (size) => size.heads * (centers(size) + 1) * (size.dim * FLOAT + 3 * 8 + 4 + 2 * 3 * 8),
};

/** Bytes of a float32 cache with default options. @throws {Error} a policy without a formula */
export function predictedBytes(policy: string, size: CacheSize): number {
  const { heads, dim, budget, tokens } = size;
  if (!Object.hasOwn(OWN_BYTES, policy)) throw new Error(`there is no formula for policy "${policy}".`);
  const rows =
    policy === 'full' ? FIRST_ROWS * 2 ** Math.max(0, Math.ceil(Math.log2(tokens / FIRST_ROWS))) : budget;
  // Key and value; log-weight and position of a row; lengths.
  return heads * rows * (2 * dim * FLOAT + 2 * 4) + heads * 4 + OWN_BYTES[policy](size);
}

/** A row's number for all but the sinks, in pool or window, and one place more for the row that changes sides. */
function lists({ heads, budget }: CacheSize): number {
  return heads * (budget - SINKS + 1) * 4;
}

/** What `hybrid` has between its sinks and its window of an eighth. */
function centers({ budget }: CacheSize): number {
  return budget - SINKS - budget / 8;
}
