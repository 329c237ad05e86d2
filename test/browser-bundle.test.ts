// A browser bundle of any one system must build, pull in nothing that only Node has, and stay small.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

/** Largest allowed bundle of each subpath, in gzipped bytes: a limit to notice growth by, not a target. */
const limits: Record<string, number> = {
  index: 8_000,
  'kernels/index': 27_000,
  'clustering/index': 43_000,
  'attention/index': 41_000,
  'kv-cache/index': 53_000,
  'selection/index': 76_000,
  'aggregate/index': 104_000,
  'autobidding/index': 95_000,
  'llm/text/index': 40_000,
  'llm/sampling/index': 6_000,
};

describe('browser bundle', () => {
  for (const [entry, limit] of Object.entries(limits)) {
    it(`of ${entry} is self-contained and at most ${limit / 1000} kB gzipped`, async () => {
      const input = fileURLToPath(new URL(`../src/${entry}.ts`, import.meta.url));
      const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
      const { output } = await bundle.generate({ minify: true });
      await bundle.close();
      const chunks = output.filter((item) => item.type === 'chunk');
      const foreign = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]);
      const own = new Set(chunks.map((chunk) => chunk.fileName));
      assert.deepEqual(
        foreign.filter((name) => !own.has(name)),
        [],
      );
      const bytes = chunks.reduce((sum, chunk) => sum + gzipSync(chunk.code).length, 0);
      assert.ok(bytes <= limit, `${entry} has ${bytes} bytes gzipped; expected ≤ ${limit}`);
    });
  }
});
