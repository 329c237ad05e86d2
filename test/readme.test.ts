// The program of the README runs as it is written, and what it promises holds.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

it('README: the first program runs and its certificate is kept', async () => {
  const root = new URL('../', import.meta.url);
  const [, program] = /```ts\n([\s\S]*?)```/.exec(readFileSync(new URL('README.md', root), 'utf8'))!;
  const flags = ['--conditions=provably-source', '--input-type=module-typescript', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: fileURLToPath(root) });
  assert.match(stdout, /with probability ≥ 0\.9 .*\n.*measured .* slack/);
  assert.doesNotMatch(stdout, /BROKEN|NOT PROMISED|VACUOUS/);
});
