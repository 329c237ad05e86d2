// Numbers that would end as NaN, refused before they do: entries that are not finite, and logits beyond float32.

import { InvalidArgumentError } from '../core/errors.ts';
import { halfToNumber, type Kernels } from '../kernels/index.ts';
import type { AttentionInput, StoredHeadTensor } from './types.ts';

/** The range of float32, with room for rounding. */
const LARGEST = 3e38;

/**
 * @param name - of the calling function, for messages
 * @throws {InvalidArgumentError} an entry is NaN or infinite (named; bias may be −∞, which hides a key), or |scale| ‖q‖ ‖k‖ or a slope's
 * largest term may leave the range of float32
 *
 * Time O(n d), and that of reading the bias.
 */
export async function requireFiniteInput(
  name: string,
  { queries, keys, values, bias, slopes }: AttentionInput,
  scale: number,
  kernels: Kernels,
): Promise<void> {
  const query = await largestNorm(`${name}: queries`, queries, kernels);
  const key = await largestNorm(`${name}: keys`, keys, kernels);
  await largestNorm(`${name}: values`, values, kernels);
  // The product is summed before it is scaled.
  if (query * key * Math.max(1, Math.abs(scale)) > LARGEST) {
    throw new InvalidArgumentError(
      `${name}: queries have norms up to ${query.toPrecision(3)}, keys up to ${key.toPrecision(3)}; expected ⟨q, k⟩ and its multiple by scale = ${scale} within float32. Scale them down.`,
    );
  }
  if (bias) {
    for (let at = 0; at < bias.length; at++)
      if (!(bias[at] < Infinity)) {
        const [row, column] = [Math.floor(at / keys.rows), at % keys.rows];
        throw new InvalidArgumentError(
          `${name}: bias is ${bias[at]} at head ${Math.floor(row / queries.rows)}, query ${row % queries.rows}, key ${column}; expected a finite number or −Infinity. Repair it.`,
        );
      }
  }
  const farthest = Math.max(queries.rows, keys.rows);
  slopes?.forEach((slope, head) => {
    if (!(Math.abs(slope) * farthest <= LARGEST)) {
      throw new InvalidArgumentError(
        `${name}: slopes[${head}] is ${slope}; expected a finite number whose multiple by ${farthest} is within float32.`,
      );
    }
  });
}

/** The largest norm of a row; of halves, a bound of it. */
async function largestNorm(name: string, tensor: StoredHeadTensor, kernels: Kernels): Promise<number> {
  const { data, storage = 'float32', batch, heads, rows, cols } = tensor;
  const count = batch * heads * rows;
  if (storage !== 'float32') {
    // Without the sign, halves are in the order of their bits; all ones in the exponent are not a number or infinite.
    const beyond = storage === 'float16' ? 0x7c00 : 0x7f80;
    let most = 0;
    for (let at = 0; at < data.length; at++) {
      const size = data[at] & 0x7fff;
      if (size >= beyond) throw notFinite(name, tensor, at);
      if (size > most) most = size;
    }
    return Math.sqrt(cols) * halfToNumber(most, storage);
  }
  // A sum of squares in float64 is NaN or infinite exactly when a float32 entry is: the kernel looks at all of them.
  const squares = new Float64Array(count);
  await kernels.rowNorms({ points: data as Float32Array, rows: count, dim: cols, norms: squares });
  let most = 0;
  for (let row = 0; row < count; row++) {
    if (!Number.isFinite(squares[row]))
      throw notFinite(
        name,
        tensor,
        data.findIndex((x, at) => at >= row * cols && !Number.isFinite(x)),
      );
    if (squares[row] > most) most = squares[row];
  }
  return Math.sqrt(most);
}

function notFinite(name: string, { heads, rows, cols }: StoredHeadTensor, at: number): InvalidArgumentError {
  const row = Math.floor(at / cols);
  return new InvalidArgumentError(
    `${name} is not finite at batch ${Math.floor(row / (heads * rows))}, head ${Math.floor(row / rows) % heads}, row ${row % rows}, column ${at % cols}; expected finite numbers. Drop or repair that row.`,
  );
}
