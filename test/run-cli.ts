// Runs the command line as a user does: a process, its exit code and what it printed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TextOutput } from '../src/cli/context.ts';
import { run } from '../src/cli/program.ts';

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

/**
 * The same without a process of its own, which takes a second: for the many ways that a command can be called. A command that should have
 * refused and serves instead is interrupted after two minutes, so that its test fails.
 */
export async function runInProcess(words: string[], env: Record<string, string> = {}): Promise<CliRun> {
  const said = { stdout: '', stderr: '' };
  const output = (name: keyof typeof said): TextOutput => ({
    write(text) {
      said[name] += text;
    },
  });
  const code = await run(words, {
    ...{ stdout: output('stdout'), stderr: output('stderr'), env, version: '0' },
    ...{ signal: AbortSignal.timeout(120_000), runtime: { node: '0', platform: 'test' } },
  });
  return { code, ...said };
}

/** For `during`: Ctrl-C as soon as the command tells that it is at work, which a log sees after a second. */
export function interruptAtWork(child: ChildProcess): void {
  const listen = (text: string) => {
    if (!text.includes('…')) return;
    child.stderr?.off('data', listen);
    child.kill('SIGINT');
  };
  child.stderr?.on('data', listen);
}
