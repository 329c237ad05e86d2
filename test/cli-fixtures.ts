// Small real files for the command line's tests: clustered rows with ids and losses.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRng } from '../src/core/rng.ts';
import { gaussianMixture } from '../src/data/datasets/index.ts';

export interface Fixture extends Disposable {
  /** A directory of its own, removed at the end. */
  folder: string;
  rows: number;
  cols: number;
  /** Row-major, shape (rows, cols). */
  points: Float32Array;
  /** Shape (rows,), > 0. */
  losses: Float64Array;
  /** "doc-0" … */
  ids: string[];
}

/** Rows around six centers, with losses that differ by center; as rows.jsonl and rows.npy in a new directory. */
export function createFixture(rows = 240): Fixture {
  const folder = mkdtempSync(join(tmpdir(), 'provably-cli-'));
  const cols = 4;
  const rng = createRng(1);
  const { data: points } = gaussianMixture({ rows, cols, clusters: 6, spread: 8, seed: 1 }).points;
  const losses = Float64Array.from({ length: rows }, (_, row) => 0.1 + (row % 6) / 4 + 0.1 * rng.next());
  const ids = Array.from({ length: rows }, (_, row) => `doc-${row}`);
  const lines = ids.map((id, row) => {
    const embedding = Array.from(points.subarray(row * cols, (row + 1) * cols));
    return JSON.stringify({ id, embedding, loss: losses[row], text: `row "${row}"` });
  });
  writeFileSync(join(folder, 'rows.jsonl'), `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'rows.npy'), npy(points, rows, cols));
  writeFileSync(
    join(folder, 'losses.csv'),
    `id,loss\n${ids.map((id, row) => `${id},${losses[row]}`).join('\n')}\n`,
  );
  return {
    ...{ folder, rows, cols, points, losses, ids },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

/** The .npy format, version 1: magic, header padded to a multiple of 64, data. */
function npy(data: Float32Array, rows: number, cols: number): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`;
  const header = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11);
  const start = Buffer.alloc(10, '\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length + 1, 8);
  return Buffer.concat([start, Buffer.from(`${header}\n`), Buffer.from(data.buffer)]);
}

/** Rows of a CSV file without quotes, as objects. */
export function parseCsv(text: string): Record<string, string>[] {
  const [head, ...lines] = text.trim().split('\n');
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i], value])));
}
