// Attention received by the rows of a cache, summed over queries: what score-based eviction goes by.

/** Adds the probabilities of one token's queries, shape (heads, capacity), to the scores of their key heads, shape (keyHeads, capacity). */
export function addScores(
  scores: Float64Array,
  probabilities: Float32Array,
  keyHeads: number,
  heads: number,
): void {
  const capacity = probabilities.length / heads;
  const group = heads / keyHeads;
  for (let head = 0; head < heads; head++) {
    const base = Math.floor(head / group) * capacity;
    for (let row = 0; row < capacity; row++) scores[base + row] += probabilities[head * capacity + row];
  }
}
