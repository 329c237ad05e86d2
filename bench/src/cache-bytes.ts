// What a cache of one layer should hold, by formula: what its `bytes()` are held against.

export interface CacheSize {
  /** Key heads. */
  heads: number;
  dim: number;
  /** Rows a head, 4 of them sinks; ignored by 'full'. */
  budget: number;
  /** Absorbed, more than `budget`; by a full cache at once. */
  tokens: number;
}

const FLOAT = 4;
const SINKS = 4;

/** Of what a policy has besides rows and their places. */
const OWN_BYTES: Record<string, (size: CacheSize) => number> = {
  'sink-window': lists,
  snapkv: lists,
  uniform: (size) => lists(size) + size.heads * size.budget * FLOAT, // the weights
  h2o: (size) => lists(size) + size.heads * size.budget * 8,
  keydiff: (size) => lists(size) + size.heads * size.dim * 8 + size.heads * size.budget * 8,
  // A representative; radius, count, least gap and whose it is; three numbers for each of two means.
  hybrid: (size) =>
    size.heads * size.budget * FLOAT + // log-weights
    size.heads * centers(size) * (size.dim * FLOAT + 3 * 8 + 4 + 2 * 3 * 8),
};

/** Bytes of a float32 cache with default options. @throws {Error} a policy without a formula */
export function predictedBytes(policy: string, size: CacheSize): number {
  const { heads, dim, budget, tokens } = size;
  if (policy !== 'full' && !Object.hasOwn(OWN_BYTES, policy))
    throw new Error(`there is no formula for policy "${policy}".`);
  // Key and value of a row, and how many rows a head has.
  const bytesOf = (rows: number) => heads * (rows * 2 * dim * FLOAT + 4);
  // A full cache's rows are in the order of the stream and count once: that need not be written down.
  if (policy === 'full') return bytesOf(tokens);
  // The position of each row.
  return bytesOf(budget) + heads * budget * 4 + OWN_BYTES[policy](size);
}

/** A row's number for all but the sinks, in pool or window, and one place more for the row that changes sides. */
function lists({ heads, budget }: CacheSize): number {
  return heads * (budget - SINKS + 1) * 4;
}

/** What `hybrid` has between its sinks and its window, half of the rest. */
function centers({ budget }: CacheSize): number {
  return Math.ceil((budget - SINKS) / 2);
}
