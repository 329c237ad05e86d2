// Rows in tiles: the one way in which this folder reads its data, be it in memory or not.

import { DataError, InvalidArgumentError } from '../core/errors.ts';
import { type Matrix32, type RowSource, requireMatrix, takeRows } from '../core/matrix.ts';
import { yieldToEventLoop } from '../core/progress.ts';

/** Consecutive rows, row-major. */
export interface RowTile {
  /** Index of the first row. */
  start: number;
  rows: number;
  /** Shape (rows, cols). Valid until the next tile is asked for; not to be written to. */
  data: Float32Array;
}

export interface RowsOptions {
  /** Divide each row by its Euclidean norm. Default false. */
  spherical?: boolean | undefined;
  /** Rows per tile. Default: a power of two that fills about 8 MiB, between 256 and 65 536. For tests. */
  tileRows?: number | undefined;
  /** What to call each row in messages, when these rows are a selection of others. Default: its index. */
  ids?: Uint32Array | undefined;
  signal?: AbortSignal | undefined;
}

const TILE_BYTES = 1 << 23;
/** Longest stretch of work, in milliseconds, between two looks at the event loop. */
const SLICE_MS = 50;

/**
 * A matrix or a source, cut into the same tiles whatever the blocks it is delivered in.
 *
 * Every sum over rows is formed tile by tile, so a result depends neither on the block size of a source nor on whether the rows
 * were in memory. Tiles of 8 MiB amortise a kernel call, still leave a cancelled run after some ten milliseconds, and
 * bound the memory of a pass.
 */
export class Rows {
  readonly rows: number;
  readonly cols: number;
  readonly tileRows: number;
  /** The rows themselves, when they are in memory. */
  readonly resident: Matrix32 | undefined;
  private readonly source: RowSource | undefined;
  private readonly spherical: boolean;
  private readonly ids: Uint32Array | undefined;
  private readonly signal: AbortSignal | undefined;
  private readonly name: string;
  private lastYield = performance.now();

  /**
   * @param name - of the argument, for messages: "kMeans: points"
   * @throws {InvalidArgumentError} no columns; `spherical` and a row of norm 0 (on reading it, when not in memory)
   */
  constructor(
    name: string,
    points: Matrix32 | RowSource,
    { spherical = false, tileRows, ids, signal }: RowsOptions = {},
  ) {
    this.name = name;
    if (points.cols === 0) {
      throw new InvalidArgumentError(`${name} has 0 columns; expected at least 1.`);
    }
    this.rows = points.rows;
    this.cols = points.cols;
    this.tileRows = tileRows ?? defaultTileRows(points.cols);
    this.spherical = spherical;
    this.ids = ids;
    this.signal = signal;
    if ('blocks' in points) {
      this.source = points;
    } else {
      requireMatrix(name, points);
      this.resident = points;
      if (spherical) {
        const data = normalizeRows(name, { start: 0, rows: points.rows, data: points.data }, points.cols);
        this.resident = { data, rows: points.rows, cols: points.cols };
      }
    }
  }

  /** One pass over all rows in order. Every tile but the last has `tileRows` rows. */
  async *tiles(): AsyncGenerator<RowTile, void, undefined> {
    const tiles = this.resident ? residentTiles(this.resident, this.tileRows) : this.sourceTiles();
    for await (const tile of tiles) {
      this.signal?.throwIfAborted();
      if (performance.now() - this.lastYield > SLICE_MS) {
        await yieldToEventLoop();
        this.lastYield = performance.now();
        this.signal?.throwIfAborted();
      }
      yield tile;
    }
    this.signal?.throwIfAborted();
  }

  /** Copy of the given rows in the given order; one pass when the rows are not in memory. */
  async take(ids: ArrayLike<number>): Promise<Matrix32> {
    if (this.resident) return takeRows(this.resident, ids);
    const { cols } = this;
    const data = new Float32Array(ids.length * cols);
    const order = Uint32Array.from({ length: ids.length }, (_, i) => i).sort((a, b) => ids[a] - ids[b]);
    let next = 0;
    for await (const tile of this.tiles()) {
      for (; next < order.length && ids[order[next]] < tile.start + tile.rows; next++) {
        const at = (ids[order[next]] - tile.start) * cols;
        data.set(tile.data.subarray(at, at + cols), order[next] * cols);
      }
    }
    return { data, rows: ids.length, cols };
  }

  /** @throws {InvalidArgumentError} naming the first row and column of the tile that is not finite */
  requireFinite(tile: RowTile): void {
    requireFiniteRows(this.name, tile, this.cols, this.ids);
  }

  /** Blocks of any size, joined and cut into tiles; a block that is a tile is passed on as it is. */
  private async *sourceTiles(): AsyncGenerator<RowTile, void, undefined> {
    const { rows, cols, tileRows, source, spherical } = this;
    let start = 0; // of the tile being filled
    let filled = 0;
    let buffer: Float32Array | undefined;
    const scratch = spherical ? new Float32Array(tileRows * cols) : undefined;
    const finish = (data: Float32Array, count: number): RowTile => {
      const tile = { start, rows: count, data };
      start += count;
      if (!scratch) return tile;
      normalizeRows(this.name, tile, cols, scratch);
      return { ...tile, data: scratch.subarray(0, count * cols) };
    };
    for await (const { start: blockStart, points } of source!.blocks(tileRows)) {
      if (points.cols !== cols || blockStart !== start + filled || blockStart + points.rows > rows) {
        throw new DataError(
          `${this.name}: the source gave a block of shape (${points.rows}, ${points.cols}) at row ${blockStart}; ` +
            `expected ${cols} columns at row ${start + filled} of ${rows}.`,
        );
      }
      let used = 0;
      while (used < points.rows) {
        const wanted = Math.min(tileRows, rows - start);
        const available = points.rows - used;
        if (filled === 0 && available >= wanted) {
          yield finish(points.data.subarray(used * cols, (used + wanted) * cols), wanted);
          used += wanted;
          continue;
        }
        buffer ??= new Float32Array(tileRows * cols);
        const count = Math.min(wanted - filled, available);
        buffer.set(points.data.subarray(used * cols, (used + count) * cols), filled * cols);
        used += count;
        filled += count;
        if (filled === wanted) {
          filled = 0;
          yield finish(buffer.subarray(0, wanted * cols), wanted);
        }
      }
    }
    if (start !== rows) {
      throw new DataError(`${this.name}: the source ended after ${start + filled} rows; expected ${rows}.`);
    }
  }
}

/** Rows divided by their norms, a copy. @throws {InvalidArgumentError} naming a row of norm 0 */
export function normalizeRows(
  name: string,
  { start, rows, data }: RowTile,
  cols: number,
  out: Float32Array = new Float32Array(rows * cols),
): Float32Array {
  for (let i = 0; i < rows; i++) {
    const at = i * cols;
    let square = 0;
    for (let p = 0; p < cols; p++) square += data[at + p] * data[at + p];
    // Squares of float32 numbers cannot overflow float64.
    if (!Number.isFinite(square)) requireFiniteRows(name, { start, rows, data }, cols);
    if (square === 0) {
      throw new InvalidArgumentError(
        `${name}: row ${start + i} is all zeros; expected a direction, since spherical is set. Drop that row.`,
      );
    }
    const scale = 1 / Math.sqrt(square);
    for (let p = 0; p < cols; p++) out[at + p] = data[at + p] * scale;
  }
  return out;
}

function requireFiniteRows(
  name: string,
  { start, rows, data }: RowTile,
  cols: number,
  ids?: Uint32Array,
): void {
  const at = data.subarray(0, rows * cols).findIndex((x) => !Number.isFinite(x));
  if (at < 0) return;
  const row = start + Math.floor(at / cols);
  throw new InvalidArgumentError(
    `${name} is ${data[at]} at row ${ids ? ids[row] : row}, column ${at % cols}; expected finite numbers. ` +
      'Drop or repair that row.',
  );
}

function defaultTileRows(cols: number): number {
  const fitting = 2 ** Math.floor(Math.log2(TILE_BYTES / (4 * cols)));
  return Math.min(65_536, Math.max(256, fitting));
}

function* residentTiles({ data, rows, cols }: Matrix32, tileRows: number): Generator<RowTile> {
  for (let start = 0; start < rows; start += tileRows) {
    const count = Math.min(tileRows, rows - start);
    yield { start, rows: count, data: data.subarray(start * cols, (start + count) * cols) };
  }
}
