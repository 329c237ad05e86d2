// The k largest of many numbers without sorting the rest.

/**
 * Indices of the `count` largest values, largest first, of equal ones the first index first.
 *
 * A heap holds the best so far with the worst on top; most values only lose against it.
 *
 * @param values - shape (n,), no NaN
 * @param count - at most n are given
 *
 * Time O(n + m log count), where m values enter the heap: about count · ln(n / count) when they come in random order.
 */
export function largestIndices(values: ArrayLike<number>, count: number): Uint32Array {
  const length = values.length;
  const size = Math.min(count, length);
  const heap = new Uint32Array(size);
  if (size === 0) return heap;
  for (let i = 0; i < size; i++) heap[i] = i;
  for (let at = (size >> 1) - 1; at >= 0; at--) sink(values, heap, at, size);
  let bar = values[heap[0]];
  for (let i = size; i < length; i++) {
    // An equal value has a later index, so it loses too.
    if (values[i] <= bar) continue;
    heap[0] = i;
    sink(values, heap, 0, size);
    bar = values[heap[0]];
  }
  // Heap sort: the worst goes to the end, again and again.
  for (let end = size - 1; end > 0; end--) {
    const worst = heap[0];
    heap[0] = heap[end];
    heap[end] = worst;
    sink(values, heap, 0, end);
  }
  return heap;
}

/** Whether the value at a is to go before that at b: it is larger, or equal and earlier. */
export function goesBefore(values: ArrayLike<number>, a: number, b: number): boolean {
  return values[a] > values[b] || (values[a] === values[b] && a < b);
}

/** Restores the heap of worst-first indices below `at`. */
function sink(values: ArrayLike<number>, heap: Uint32Array, at: number, size: number): void {
  const moving = heap[at];
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && goesBefore(values, heap[child], heap[child + 1])) child++;
    if (!goesBefore(values, moving, heap[child])) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = moving;
}
