#!/usr/bin/env node
// The only file that touches `process`: it gives the commands their context and takes their exit code.

import { readFile } from 'node:fs/promises';
import { run } from './program.ts';

const interrupt = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first asks; the second does not wait for a computation that cannot stop at once.
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort(new Error('interrupted'));
  });
}

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
}

const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interrupt.signal,
  version,
  runtime: { node: process.versions.node, platform: `${process.platform} ${process.arch}` },
});
