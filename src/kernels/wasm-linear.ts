// The kernels of a language model's layers in WASM: outputs of a product in pieces, the small steps in one go.

import { NumericalError } from '../core/errors.ts';
import { bytesOfRow } from './dequantise.ts';
import type {
  AddTask,
  DequantiseRowsTask,
  LinearTask,
  LinearWeight,
  RmsNormTask,
  RotaryTask,
  SiluProductTask,
} from './llm-types.ts';
import type { Crew } from './wasm-crew.ts';
import type { KeptBytes, KeptWeights } from './wasm-kept.ts';
import { type WasmModule, wasmModule } from './wasm-module.ts';
import { formatNumber, type WeightFormat } from './weight-formats.ts';

/** Bytes of weights that a piece copies in at most. */
const PIECE_BYTES = 1 << 24;

/** Some outputs of one weight for all rows; bias and what y holds are added by whoever puts pieces together. */
export interface LinearPiece {
  x: Float32Array;
  rows: number;
  cols: number;
  format: WeightFormat;
  /** Rows of weights, shape (outputs, …). */
  data: Uint8Array;
  /** Where the same bytes lie on this thread already. */
  kept: KeptBytes | undefined;
  outputs: number;
  exact: boolean;
}

/** @returns x Wᵀ, shape (rows, outputs) */
export async function linearPiece(piece: LinearPiece): Promise<Float32Array> {
  const { data, kept } = piece;
  try {
    if (kept) return kept.wasm.scope(() => products(kept.wasm, piece, kept.address));
  } catch (error) {
    // No room beside the weights for rows and results: there may be elsewhere.
    if (!(error instanceof NumericalError)) throw error;
  }
  const wasm = await wasmModule();
  return wasm.scope(() => products(wasm, piece, wasm.put(data)));
}

function products(
  wasm: WasmModule,
  { x, rows, cols, format, outputs, exact }: LinearPiece,
  weights: number,
): Float32Array {
  const [input, y] = [wasm.put(x), wasm.call.allocate(4 * rows * outputs)];
  wasm.call.linear(input, rows, cols, formatNumber(format), weights, outputs, 0, y, 0, Number(exact));
  return wasm.get(y, new Float32Array(rows * outputs));
}

/** Runs a task in pieces, by workers when there are several threads; what this thread does reads weights that it keeps. */
export async function linearInPieces(crew: Crew, keeper: KeptWeights, task: LinearTask): Promise<void> {
  const { rows, cols, weights, activations } = task;
  if (rows === 0) return;
  const x = task.x.subarray(0, rows * cols);
  for (const weight of weights) {
    const { format, data, outputs } = weight;
    const [work, stride] = [rows * cols * outputs, bytesOfRow(format, cols)];
    const whole = crew.sends(work) ? undefined : await keeper.find(weight);
    const parts = Math.max(
      crew.pieces(outputs, work),
      Math.min(outputs, Math.ceil((outputs * stride) / PIECE_BYTES)),
    );
    const perPart = Math.ceil(outputs / parts);
    const piece = (i: number): LinearPiece => {
      const [first, end] = [i * perPart, Math.min(outputs, (i + 1) * perPart)];
      const own = data.subarray(first * stride, end * stride);
      const kept = whole && { wasm: whole.wasm, address: whole.address + first * stride };
      return {
        x,
        rows,
        cols,
        format,
        data: own,
        kept,
        outputs: end - first,
        exact: activations === 'float32',
      };
    };
    const count = outputs === 0 ? 0 : Math.ceil(outputs / perPart);
    await crew.run('linearPiece', count, work, piece, (i, products) => {
      storeProducts(weight, rows, i * perPart, products);
    });
  }
}

function storeProducts(weight: LinearWeight, rows: number, first: number, products: Float32Array): void {
  const { outputs, bias, y, accumulate = false } = weight;
  const width = products.length / rows;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < width; i++) {
      const at = row * outputs + first + i;
      const start = Math.fround((accumulate ? y[at] : 0) + (bias ? bias[first + i] : 0));
      y[at] = start + products[row * width + i];
    }
}

export function dequantiseInWasm(
  wasm: WasmModule,
  { format, data, cols, rows, out }: DequantiseRowsTask,
): void {
  const stride = bytesOfRow(format, cols);
  const here = Uint32Array.of(0);
  wasm.scope(() => {
    const [stored, row, to] = [wasm.call.allocate(stride), wasm.put(here), wasm.call.allocate(4 * cols)];
    rows.forEach((at, i) => {
      wasm.write(stored, data.subarray(at * stride, (at + 1) * stride));
      wasm.call.dequantiseRows(formatNumber(format), stored, cols, row, 1, to);
      wasm.get(to, out.subarray(i * cols, (i + 1) * cols));
    });
  });
}

export function rmsNormInWasm(wasm: WasmModule, { x, rows, cols, weight, epsilon, out }: RmsNormTask): void {
  wasm.scope(() => {
    const at = wasm.put(x.subarray(0, rows * cols));
    wasm.call.rmsNorm(at, rows, cols, wasm.put(weight?.subarray(0, cols)), epsilon, at);
    wasm.get(at, out.subarray(0, rows * cols));
  });
}

export function rotaryInWasm(wasm: WasmModule, task: RotaryTask): void {
  const { rows, heads, dim, pairs, pairing, cos, sin } = task;
  const x = task.x.subarray(0, rows * heads * dim);
  wasm.scope(() => {
    const at = wasm.put(x);
    const [cosAt, sinAt] = [wasm.put(cos.subarray(0, rows * pairs)), wasm.put(sin.subarray(0, rows * pairs))];
    wasm.call.rotary(at, rows, heads, dim, pairs, Number(pairing === 'interleaved'), cosAt, sinAt);
    wasm.get(at, x);
  });
}

export function siluProductInWasm(wasm: WasmModule, { gate, up, out }: SiluProductTask): void {
  wasm.scope(() => {
    const [gateAt, upAt] = [wasm.put(gate), wasm.put(up.subarray(0, gate.length))];
    wasm.call.siluProduct(gateAt, upAt, gateAt, gate.length);
    wasm.get(gateAt, out.subarray(0, gate.length));
  });
}

export function addInWasm(wasm: WasmModule, { x, out }: AddTask): void {
  wasm.scope(() => {
    const sums = out.subarray(0, x.length);
    const [xAt, at] = [wasm.put(x), wasm.put(sums)];
    wasm.call.add(xAt, at, x.length);
    wasm.get(at, sums);
  });
}
