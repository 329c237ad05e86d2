// Files that must not outlive their purpose: scratch directories, and outputs that appear whole or not at all.

import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const live = new Set<string>();
let watching = false;

export interface TemporaryDirectory extends AsyncDisposable {
  path: string;
  remove(): Promise<void>;
}

/** A directory of its own for scratch files, removed by `remove` or, at the latest, when the process exits. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'provably-'));
  track(path);
  const remove = async () => {
    await rm(path, { recursive: true, force: true });
    live.delete(path);
  };
  return { path, remove, [Symbol.asyncDispose]: remove };
}

let unfinished = 0;

/**
 * Writes a file under a temporary name beside it and renames it when complete: a reader sees the old file or the new one, never a part.
 *
 * @param write - gets the temporary name; when it throws or `signal` aborts, nothing is left behind
 */
export async function writeAtomically(
  path: string,
  write: (temporaryPath: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  // Not a random name: process and count tell apart whatever writes at the same time.
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}-${unfinished++}.partial`);
  mkdirSync(dirname(path), { recursive: true });
  track(partial);
  try {
    await write(partial);
    signal?.throwIfAborted();
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    live.delete(partial);
  }
}

function track(path: string): void {
  if (!watching) process.once('exit', removeAll);
  watching = true;
  live.add(path);
}

function removeAll(): void {
  for (const path of live) rmSync(path, { recursive: true, force: true });
}
