// Peers of the benchmarks: npm packages into bench/node_modules, llama.cpp into bench/llama/node_modules, Python packages into
// bench/.venv. Installed on first use, since nothing but the benchmarks needs them.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bench = dirname(dirname(fileURLToPath(import.meta.url)));
const venv = join(bench, '.venv');

export const pythonPath: string = join(
  venv,
  process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python',
);

/** PyTorch: with what its Linux package brings along 6 GB, so it is installed when a case asks for it. */
export const TORCH = 'requirements-torch.txt';

/**
 * Installs what is missing or changed, and says so.
 *
 * @param lists - lists of Python packages besides requirements.txt, files of bench/
 * @throws {Error} a step fails
 */
export async function installPeers(lists: readonly string[] = []): Promise<void> {
  once(
    join(bench, 'node_modules/.peers'),
    join(bench, 'package.json'),
    'npm peers into bench/node_modules',
    () => npmInstall(bench, []),
  );
  for (const list of ['requirements.txt', ...lists])
    once(join(venv, `${list}.installed`), join(bench, list), `${list} into bench/.venv`, () => {
      if (!existsSync(pythonPath)) run(process.env.PYTHON ?? 'python3', ['-m', 'venv', venv]);
      run(pythonPath, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', list]);
    });
}

/**
 * Installs llama.cpp and the text that models are compared on; says so. A folder of its own, not a workspace: no more than one suite needs it.
 *
 * @returns where: bench/llama/node_modules
 * @throws {Error} a step fails, or there is no binary for this machine
 */
export async function installLlama(): Promise<string> {
  const folder = join(bench, 'llama');
  const list = join(folder, 'package.json');
  const installed = join(folder, 'node_modules');
  once(join(installed, '.peers'), list, 'llama.cpp into bench/llama/node_modules', () => {
    const { dependencies } = JSON.parse(readFileSync(list, 'utf8'));
    const binary = `@node-llama-cpp/${llamaPlatform()}@${dependencies['node-llama-cpp']}`;
    // Its binaries are optional packages, 600 MB of them for GPUs: all are left out but the one for this processor.
    npmInstall(folder, ['--omit=optional', '--no-save', '--ignore-scripts', binary]);
  });
  return installed;
}

function llamaPlatform(): string {
  const names: Record<string, string> = {
    ...{ 'linux-x64': 'linux-x64', 'linux-arm64': 'linux-arm64', 'darwin-x64': 'mac-x64' },
    ...{ 'darwin-arm64': 'mac-arm64-metal', 'win32-x64': 'win-x64', 'win32-arm64': 'win-arm64' },
  };
  const platform = `${process.platform}-${process.arch}`;
  if (names[platform]) return names[platform];
  throw new Error(`node-llama-cpp has no binary for ${platform}. Leave its cases out by --only.`);
}

function npmInstall(folder: string, more: readonly string[]): void {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const quiet = ['--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  run(npm, ['install', '--workspaces=false', ...quiet, ...more], folder);
}

/** Runs `install` unless it has run for this very list. */
function once(stamp: string, list: string, what: string, install: () => void): void {
  const wanted = createHash('sha256').update(readFileSync(list)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error(`bench: installing ${what} …`);
  install();
  writeFileSync(stamp, wanted);
}

function run(command: string, args: string[], cwd = bench): void {
  // onnxruntime-node carries its CPU library; what its script would fetch besides is for GPUs.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    throw new Error(
      `${command} ${args.join(' ')} failed${error ? ` (${error.message})` : ''}; see the lines above.`,
    );
  }
}
