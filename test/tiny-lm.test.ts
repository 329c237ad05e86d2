// The small model that the package carries does what its README says.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLanguageModel, openModel, perplexity, retrievalContest } from '../src/llm/index.ts';

const folder = fileURLToPath(new URL('../models/tiny-lm', import.meta.url));

describe('models/tiny-lm', () => {
  it('is small', () => {
    assert.ok(statSync(`${folder}/model.safetensors`).size < 4e6);
  });

  it('finds lines of a record', async () => {
    const { model, tokenizer } = await openLanguageModel(await openModel(folder));
    const [{ right, asked }] = await retrievalContest(model, tokenizer, undefined, {
      ...{ entrants: [], shares: [], lines: 20, records: 4, questions: 10, seed: 5 },
    });
    // Records and questions are fixed, so this can only change with rounding. By chance, of 20 numbers, 2 would be right.
    assert.ok(right >= 0.8 * asked, `${right} of ${asked}`);
  });

  it('finds them in a quarter of the bytes, where caches that drop rows do not', async () => {
    const { model, tokenizer } = await openLanguageModel(await openModel(folder));
    const rows = await retrievalContest(model, tokenizer, undefined, {
      entrants: [
        { policy: { policy: 'full' }, storage: 'k4v2' },
        { policy: { policy: 'sink-window' } },
        { policy: { policy: 'h2o' } },
        { policy: { policy: 'snapkv' } },
      ],
      ...{ shares: [0.25], lines: 24, records: 4, questions: 10, seed: 6 },
    });
    const [full, few, ...dropping] = rows;
    // Fixed records, as above; over 1000 questions it was 0.91 of what the full cache finds.
    assert.ok(few.right >= 0.8 * full.right, `${few.right} of ${full.right}`);
    for (const row of rows.slice(1)) assert.ok(row.bytesShare <= 0.2503, `${row.policy} ${row.bytesShare}`);
    for (const { policy, right } of dropping) assert.ok(right < 0.7 * few.right, `${policy} ${right}`);
  });

  it('predicts English far better than a guess among its tokens', async () => {
    const { model, tokenizer } = await openLanguageModel(await openModel(folder));
    const text =
      'The committee met again in the morning. It was not clear that they would come to an agreement, but most of the members had been there for years and knew what was expected of them.';
    const { perplexity: found } = await perplexity(model, tokenizer.encode(text));
    assert.ok(found < 120, `${found}`);
  });
});
