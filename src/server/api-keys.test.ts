import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createApiKey, findApiKey, parseApiKeys } from './api-keys.ts';

describe('API keys', () => {
  it('are known by their hash alone', () => {
    const made = ['alice', 'bob'].map((name) => ({ name, ...createApiKey(name) }));
    const keys = parseApiKeys(made.map(({ line }) => line).join('\r\n'));
    for (const { name, key, line } of made) {
      assert.match(key, /^pk-[\w-]{43}$/); // 32 bytes
      assert.ok(!line.includes(key.slice(3)));
      assert.equal(findApiKey(key, keys), name);
      assert.equal(findApiKey(key.toLowerCase(), keys), undefined);
    }
    // The same key under another salt has another hash.
    const swapped = [{ ...keys[0], salt: keys[1].salt }];
    assert.equal(findApiKey(made[0].key, swapped), undefined);
    assert.equal(findApiKey('', keys), undefined);
  });

  it('refuse names and files that are none', () => {
    for (const name of ['', 'a b', 'a:b', 'x'.repeat(65)]) {
      assert.throws(() => createApiKey(name), { code: 'INVALID_ARGUMENT' });
    }
    const { key, line } = createApiKey('a');
    assert.throws(() => parseApiKeys('# nobody\n'), { code: 'DATA', message: /there is no key/ });
    for (const wrong of [key, line.slice(0, -1), line.replace('hmac', 'HMAC')]) {
      assert.throws(
        () => parseApiKeys(`\n${wrong}`, 'keys.txt'),
        (error: Error) => {
          // A key that was pasted by mistake must not go on into a log.
          return /keys\.txt: line 2/.test(error.message) && !error.message.includes(wrong);
        },
      );
    }
  });
});
