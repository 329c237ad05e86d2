// A short run of `npm run fuzz:models`, with cases of its own seed.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { fuzzCase, fuzzTargets } from './fuzz-models.ts';

const targets = fuzzTargets();
after(() => {
  for (const target of targets) target[Symbol.dispose]();
});

describe('damaged model files', () => {
  for (const target of targets)
    it(`${target.name}: a model or an error of ours, in bounded time and memory`, async () => {
      let refused = 0;
      for (let number = 0; number < 25; number++) {
        const { refusal } = await fuzzCase(target, 7, number);
        if (refusal !== undefined) {
          refused++;
          assert.ok(refusal.length < 1000, 'a message stays readable');
        }
      }
      assert.ok(refused > 0, 'nothing was damaged enough to be refused');
    });
});
