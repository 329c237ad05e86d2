// The order of non-negative numbers, for segments of some hundreds to some millions: a radix sort of their leading bits, then the few that agree in them.

/** Digits are at most this long: tables of counts stay in the first-level cache. */
const DIGIT_BITS = 11;

/** Below this a comparison sort is faster than clearing tables of counts. */
const RADIX_FROM = 64;

/** Memory for sorting up to `room` numbers at a time, to be used again and again. */
export interface SortMemory {
  /** Receives the order, shape (room,). */
  readonly order: Uint32Array;
  readonly keys: Uint32Array;
  readonly spareOrder: Uint32Array;
  readonly spareKeys: Uint32Array;
  readonly counts: Uint32Array;
}

export function sortMemory(room: number): SortMemory {
  return {
    order: new Uint32Array(room),
    keys: new Uint32Array(room),
    spareOrder: new Uint32Array(room),
    spareKeys: new Uint32Array(room),
    counts: new Uint32Array(2 ** DIGIT_BITS),
  };
}

/**
 * Stable ascending order of values start … end − 1, as indices from `start` on.
 *
 * Of numbers ≥ 0 the leading 32 bits order as the numbers do and tell apart what differs by a millionth: only those bits are sorted by radix,
 * counted from the least of them on, so that two passes do for values within a factor of 8. What agrees in them is sorted by comparison.
 *
 * @param values - ≥ 0, without NaN and −0; its buffer starts at a multiple of 8, as every Float64Array's does
 * @returns `memory.order`'s first end − start entries; overwritten by the next call
 *
 * O(n) where few values are within a millionth of each other, O(n log n) at worst.
 */
export function sortThresholds(
  values: Float64Array,
  start: number,
  end: number,
  memory: SortMemory,
): Uint32Array {
  const n = end - start;
  const words = new Uint32Array(values.buffer, values.byteOffset + 8 * start, 2 * n);
  let { order, keys, spareOrder, spareKeys } = memory;
  if (n < RADIX_FROM) {
    for (let i = 0; i < n; i++) order[i] = i;
    sortRun(values, start, order, 0, n);
    return order.subarray(0, n);
  }
  let least = 0xffffffff;
  let most = 0;
  for (let i = 0; i < n; i++) {
    const key = words[2 * i + 1];
    if (key < least) least = key;
    if (key > most) most = key;
  }
  const bits = most > least ? 32 - Math.clz32(most - least) : 0;
  const passes = Math.ceil(bits / DIGIT_BITS);
  // The last pass ends in `memory.order`.
  if (passes % 2 === 1) [order, spareOrder, keys, spareKeys] = [spareOrder, order, spareKeys, keys];
  for (let i = 0; i < n; i++) {
    keys[i] = words[2 * i + 1] - least;
    order[i] = i;
  }
  const digit = Math.ceil(bits / Math.max(1, passes));
  for (let pass = 0; pass < passes; pass++) {
    scatter(keys, order, spareKeys, spareOrder, n, pass * digit, digit, memory.counts);
    [order, spareOrder, keys, spareKeys] = [spareOrder, order, spareKeys, keys];
  }
  for (let from = 0; from < n; ) {
    let to = from + 1;
    while (to < n && keys[to] === keys[from]) to++;
    if (to > from + 1) sortRun(values, start, order, from, to);
    from = to;
  }
  return order.subarray(0, n);
}

/** One stable pass by the `digit` bits from `shift` on. */
function scatter(
  keys: Uint32Array,
  order: Uint32Array,
  toKeys: Uint32Array,
  toOrder: Uint32Array,
  n: number,
  shift: number,
  digit: number,
  counts: Uint32Array,
): void {
  const mask = 2 ** digit - 1;
  counts.fill(0, 0, mask + 1);
  for (let i = 0; i < n; i++) counts[(keys[i] >>> shift) & mask]++;
  let sum = 0;
  for (let d = 0; d <= mask; d++) {
    const count = counts[d];
    counts[d] = sum;
    sum += count;
  }
  for (let i = 0; i < n; i++) {
    const at = counts[(keys[i] >>> shift) & mask]++;
    toKeys[at] = keys[i];
    toOrder[at] = order[i];
  }
}

/** Sorts order[from … to − 1] by value, ascending indices being given: insertion for short runs. */
function sortRun(values: Float64Array, start: number, order: Uint32Array, from: number, to: number): void {
  if (to - from > 32) {
    if (isAscending(values, start, order, from, to)) return; // one threshold many times: 0 where nobody competes
    order.subarray(from, to).sort((a, b) => values[start + a] - values[start + b] || a - b);
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const index = order[i];
    const value = values[start + index];
    let at = i;
    while (at > from && values[start + order[at - 1]] > value) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = index;
  }
}

function isAscending(
  values: Float64Array,
  start: number,
  order: Uint32Array,
  from: number,
  to: number,
): boolean {
  for (let i = from + 1; i < to; i++) {
    if (values[start + order[i - 1]] > values[start + order[i]]) return false;
  }
  return true;
}
