// The one shape of the image data sets, and how it is read from a folder of four IDX files.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../core/errors.ts';
import type { Matrix32 } from '../../core/matrix.ts';
import { type IdxArray, readIdx } from './idx.ts';

/** Rows with one class label each. */
export interface LabelledRows {
  /** Shape (rows, cols); images as flattened rows of pixels in [0, 1]. */
  features: Matrix32;
  /** Class of each row, shape (rows,), in [0, classes.length). */
  labels: Uint8Array;
}

/** A classification data set. */
export interface LabelledDataset {
  name: string;
  train: LabelledRows;
  test: LabelledRows;
  /** Name of each class. */
  classes: readonly string[];
}

/** File name stems of the two parts, without `.gz`. */
const PARTS = { train: 'train', test: 't10k' } as const;
const IMAGES = 'images-idx3-ubyte';
const LABELS = 'labels-idx1-ubyte';

/** Name of one of the four files: "train-images-idx3-ubyte". */
export function idxFileName(part: 'train' | 'test', content: 'images' | 'labels'): string {
  return `${PARTS[part]}-${content === 'images' ? IMAGES : LABELS}`;
}

/**
 * Reads train/t10k images and labels from a folder, each file plain or with `.gz`.
 *
 * @throws {DataError} a file is missing or damaged, or images and labels do not fit each other
 */
export async function loadIdxFolder(
  folder: string,
  name: string,
  classes: readonly string[],
): Promise<LabelledDataset> {
  const [train, test] = await Promise.all([
    loadPart(folder, 'train', classes.length),
    loadPart(folder, 'test', classes.length),
  ]);
  return { name, train, test, classes };
}

async function loadPart(folder: string, part: 'train' | 'test', classCount: number): Promise<LabelledRows> {
  const [images, labels] = await Promise.all([
    readIdx(findFile(folder, idxFileName(part, 'images'))),
    readIdx(findFile(folder, idxFileName(part, 'labels'))),
  ]);
  const where = `loadIdxFolder: ${folder}, ${part}`;
  requireBytes(where, images, 3);
  requireBytes(where, labels, 1);
  if (images.shape[0] !== labels.shape[0]) {
    throw new DataError(
      `${where}: ${images.shape[0]} images and ${labels.shape[0]} labels; expected equal counts.`,
    );
  }
  const stray = labels.data.findIndex((label) => label >= classCount);
  if (stray >= 0) {
    throw new DataError(`${where}: label ${stray} is ${labels.data[stray]}; expected < ${classCount}.`);
  }
  return { features: scalePixels(images), labels: labels.data as Uint8Array };
}

function findFile(folder: string, stem: string): string {
  const found = [stem, `${stem}.gz`].map((file) => join(folder, file)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new DataError(`loadIdxFolder: ${folder} has no ${stem}; expected it there, plain or as ${stem}.gz.`);
}

function requireBytes(where: string, { shape, data }: IdxArray, rank: number): void {
  if (!(data instanceof Uint8Array) || shape.length !== rank) {
    throw new DataError(
      `${where}: shape ${shape.join(' × ')}; expected unsigned bytes in ${rank} dimensions.`,
    );
  }
}

/** Pixels 0 … 255 to [0, 1]. */
function scalePixels({ shape: [rows, height, width], data }: IdxArray): Matrix32 {
  // A table of the 256 quotients: one rounding each, and several times faster than dividing 47 million times.
  const scaled = Float32Array.from({ length: 256 }, (_, value) => value / 255);
  const pixels = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) pixels[i] = scaled[data[i]];
  return { data: pixels, rows, cols: height * width };
}
