// Arrays that grow with a stream: doubled when full, so that n pushes cost O(n).

/** `array` itself when it has `length` entries, else a longer one with the same content, zeros behind it. */
export function growArray<T extends Float32Array | Float64Array | Uint32Array | Int32Array>(
  array: T,
  length: number,
): T {
  if (array.length >= length) return array;
  const longer = new (array.constructor as new (length: number) => T)(Math.max(length, 2 * array.length));
  longer.set(array);
  return longer;
}
