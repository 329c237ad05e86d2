// Runs the command line as a user does: a process, its exit code and what it printed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

export interface CliRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** What it reads from standard input. Default: nothing is there. */
  input?: string;
  /** Called with the running process, e.g. to send it a signal. */
  during?: (child: ChildProcess) => void;
}

/** Runs `provably …words`. */
export async function runCli(
  words: string[],
  { cwd, env = {}, input, during }: CliOptions = {},
): Promise<CliRun> {
  const child = spawn(process.execPath, [main, ...words], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  const run: CliRun = { code: null, stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    run.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    run.stderr += text;
  });
  during?.(child);
  [run.code] = (await once(child, 'close')) as [number | null];
  return run;
}
