// A Python peer: one long-lived process that keeps its data and does one round when told, so that rounds of ours and of the
// peer can take turns. Arrays go through files: they are written once and read by np.fromfile.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pythonPath } from './install.ts';

type Json = number | string | boolean | null | Json[] | { [key: string]: Json };

export class PythonPeer implements AsyncDisposable {
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;
  private readonly folder = mkdtempSync(join(tmpdir(), 'provably-bench-'));

  /** @param script - file of peers/, without .py */
  constructor(script: string, threads: number) {
    const path = fileURLToPath(new URL(`./peers/${script}.py`, import.meta.url));
    // OpenMP's threads otherwise spin for a while after each round, into ours.
    const env = { ...process.env, OMP_WAIT_POLICY: 'passive' };
    this.child = spawn(pythonPath, ['-u', path, String(threads)], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.answers = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** Calls a function of the script and returns its result. @throws {Error} it raised, or the process ended */
  async call<T = unknown>(command: string, args: Json = {}): Promise<T> {
    this.child.stdin!.write(`${JSON.stringify({ command, args })}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`the Python peer ended during "${command}"; see the lines above.`);
    const { result, error } = JSON.parse(value);
    if (error) throw new Error(`the Python peer failed at "${command}": ${error}`);
    return result;
  }

  /** Writes an array where Python finds it. @returns the path */
  share(name: string, array: Float32Array | Float64Array | Uint32Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, array);
    return path;
  }

  /** Bytes of a file Python wrote by that name (its scripts get the path from `pathOf`). */
  read(name: string): ArrayBuffer {
    const { buffer, byteOffset, byteLength } = readFileSync(this.pathOf(name));
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  }

  pathOf(name: string): string {
    return join(this.folder, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin!.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
