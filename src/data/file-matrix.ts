// A matrix that lies in a file as plain numbers, passed over block by block.

import { type FileHandle, open } from 'node:fs/promises';
import { requireInteger } from '../core/check.ts';
import { DataError } from '../core/errors.ts';
import { defaultBlockRows, type RowBlock, type RowSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import {
  decodeElements,
  type ElementType,
  elementBytes,
  firstNonFinite,
  HOST_LITTLE_ENDIAN,
} from './element-type.ts';

/** Where the numbers of a matrix are in a file. */
export interface MatrixLayout {
  rows: number;
  cols: number;
  type: ElementType;
  littleEndian: boolean;
  /** Byte of the first number. */
  offset: number;
  /** Columns lie behind each other instead of rows. Default false. */
  columnMajor?: boolean;
  /** Bytes in front of each row that are no numbers of it. Default 0. */
  rowHeader?: number;
}

/**
 * The matrix as a source; a pass opens the file, holds one block, and closes it.
 *
 * @throws {DataError} (in a pass) a number is NaN or infinite, also after rounding to float32, or the file got shorter
 */
export function fileMatrixSource(
  where: string,
  path: string,
  layout: MatrixLayout,
  { signal, onProgress }: RunOptions = {},
): RowSource {
  const { rows, cols } = layout;
  let verified = false;
  return {
    rows,
    cols,
    async *blocks(maxRows = defaultBlockRows(cols)): AsyncGenerator<RowBlock> {
      requireInteger('RowSource.blocks: maxRows', maxRows, 1);
      if (rows === 0 || cols === 0) return;
      const file = await open(path);
      try {
        const blockRows = Math.min(maxRows, rows);
        const data = new Float32Array(blockRows * cols);
        const read = blockReader(where, path, layout, file, blockRows);
        for (let start = 0; start < rows; start += blockRows) {
          signal?.throwIfAborted();
          const count = Math.min(blockRows, rows - start);
          const part = data.subarray(0, count * cols);
          await read(start, count, part);
          const bad = verified ? -1 : firstNonFinite(part);
          if (bad >= 0) throw notFinite(where, path, part[bad], start + Math.floor(bad / cols), bad % cols);
          yield { start, points: { data: part, rows: count, cols } };
          onProgress?.({ phase: 'reading rows', done: start + count, total: rows });
        }
        verified = true;
      } finally {
        await file.close();
      }
    },
  };
}

function notFinite(where: string, path: string, value: number, row: number, entry: number): DataError {
  return new DataError(
    `${where}: ${path} is ${value} at row ${row}, entry ${entry}; expected finite numbers. Repair or drop that row.`,
  );
}

type ReadBlock = (start: number, count: number, out: Float32Array) => Promise<void>;

function blockReader(
  where: string,
  path: string,
  { rows, cols, type, littleEndian, offset, columnMajor = false, rowHeader = 0 }: MatrixLayout,
  file: FileHandle,
  blockRows: number,
): ReadBlock {
  const size = elementBytes(type);
  const rowBytes = rowHeader + cols * size;
  const bytes = new Uint8Array(columnMajor ? blockRows * size : blockRows * rowBytes);
  if (columnMajor) {
    const column = new Float32Array(blockRows);
    return async (start, count, out) => {
      for (let j = 0; j < cols; j++) {
        await readFully(
          where,
          path,
          file,
          bytes.subarray(0, count * size),
          offset + (j * rows + start) * size,
        );
        decodeElements(bytes, type, littleEndian, column.subarray(0, count));
        for (let i = 0; i < count; i++) out[i * cols + j] = column[i];
      }
    };
  }
  return async (start, count, out) => {
    await readFully(where, path, file, bytes.subarray(0, count * rowBytes), offset + start * rowBytes);
    if (rowHeader === 0) decodeElements(bytes, type, littleEndian, out);
    else {
      for (let i = 0; i < count; i++) {
        const row = bytes.subarray(i * rowBytes + rowHeader, (i + 1) * rowBytes);
        decodeElements(row, type, littleEndian, out.subarray(i * cols, (i + 1) * cols));
      }
    }
  };
}

/** Fills `bytes` from a position of the file. @throws {DataError} it ends before */
export async function readFully(
  where: string,
  path: string,
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    // One read is at most 1 GiB, below what every system allows.
    const length = Math.min(bytes.length - done, 1 << 30);
    const { bytesRead } = await file.read(bytes, done, length, position + done);
    if (bytesRead === 0) {
      throw new DataError(
        `${where}: ${path} ends at byte ${position + done}; expected ${position + bytes.length} bytes or more. It is cut off: fetch it anew.`,
      );
    }
    done += bytesRead;
  }
}

/** The bytes of an array as little-endian numbers. */
export function littleEndianBytes(data: Float32Array | Float64Array | Uint16Array): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (HOST_LITTLE_ENDIAN) return bytes;
  const swapped = Buffer.from(bytes);
  if (data.BYTES_PER_ELEMENT === 2) return swapped.swap16();
  return data.BYTES_PER_ELEMENT === 4 ? swapped.swap32() : swapped.swap64();
}

/** Writes all of `bytes` where the file stands. */
export async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, Math.min(bytes.length - done, 1 << 30))).bytesWritten;
  }
}
