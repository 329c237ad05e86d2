// Makes a fresh clone ready: dependencies, then kernels. Runs before `npm start` and `npm test` under whatever Node
// is installed (≥ 20), is silent and instant when nothing changed, and needs nothing but the npm registry.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

installDependencies();
// The kernels' scripts need installed packages, so they run in a process of their own, under the pinned Node.
run('kernels', process.execPath, [join(root, 'scripts/build-kernels.mjs')]);

function installDependencies() {
  const stamp = join(root, 'node_modules/.provably-lock');
  const lock = readFileSync(join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('setup: installing dependencies (first time: about half a minute) …');
  run('dependencies', npmCommand(), [
    'ci',
    '--workspaces=false',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function npmCommand() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

function run(what, command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error(`setup: ${what} failed (${command} ${args.join(' ')}); see the lines above.`);
    process.exit(1);
  }
}
