// How the entries of a weight matrix may be stored: plain numbers, or the blocks of GGUF, which share a scale and some a minimum.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';

/** Names as GGUF spells them. */
export type WeightFormat =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'Q8_0'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K';

export interface BlockShape {
  /** Consecutive entries of a row that make a block; the columns of a matrix are a multiple of it. */
  entries: number;
  /** Bytes a block takes. */
  bytes: number;
}

export const WEIGHT_FORMATS: Readonly<Record<WeightFormat, BlockShape>> = {
  F32: { entries: 1, bytes: 4 },
  F16: { entries: 1, bytes: 2 },
  BF16: { entries: 1, bytes: 2 },
  Q8_0: { entries: 32, bytes: 34 },
  Q4_0: { entries: 32, bytes: 18 },
  Q4_1: { entries: 32, bytes: 20 },
  Q5_0: { entries: 32, bytes: 22 },
  Q5_1: { entries: 32, bytes: 24 },
  Q4_K: { entries: 256, bytes: 144 },
  Q5_K: { entries: 256, bytes: 176 },
  Q6_K: { entries: 256, bytes: 210 },
};

const FORMATS = Object.keys(WEIGHT_FORMATS);

/** The number by which native/kernels.h knows a format: its place in the list above. */
export function formatNumber(format: WeightFormat): number {
  return FORMATS.indexOf(format);
}

/**
 * Bytes that a matrix takes in a format; rows follow each other without gaps.
 *
 * @throws {InvalidArgumentError} a size is no integer ≥ 0, or `cols` is no multiple of the format's block
 */
export function weightBytes(format: WeightFormat, rows: number, cols: number): number {
  const { entries, bytes } = WEIGHT_FORMATS[format];
  requireInteger('weightBytes: rows', rows, 0);
  requireInteger('weightBytes: cols', cols, 0);
  if (cols % entries !== 0) {
    throw new InvalidArgumentError(
      `weightBytes: cols is ${cols}; expected a multiple of ${entries}, the entries of a block of ${format}. Store it as F16.`,
    );
  }
  return rows * (cols / entries) * bytes;
}
