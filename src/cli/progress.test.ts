import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import type { CliContext } from './context.ts';
import { showProgress } from './progress.ts';

it('showProgress draws a bar with what is told of a phase, and only for a person', () => {
  for (const isTTY of [true, false]) {
    const stderr = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    const describe = ({ done, total }: { done: number; total: number }) => `${done} B of ${total} B`;
    {
      using progress = showProgress({ stderr } as unknown as CliContext, { delay: 0, describe });
      for (const done of [0, 5, 10]) progress.report({ phase: 'a.gguf', done, total: 10 });
    }
    const said = String(stderr.read());
    if (isTTY) assert.match(said, /100 % {2}a\.gguf {2}10 B of 10 B/);
    else assert.equal(said, 'a.gguf …\n');
  }
});
