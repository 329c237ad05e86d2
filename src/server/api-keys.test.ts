import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createApiKey, findApiKey, parseApiKeys, requireRoles } from './api-keys.ts';

describe('API keys', () => {
  it('are known by their hash alone', () => {
    const made = ['alice', 'bob'].map((name) => ({ name, ...createApiKey(name) }));
    const keys = parseApiKeys(made.map(({ line }) => line).join('\r\n'));
    for (const { name, key, line } of made) {
      assert.match(key, /^pk-[\w-]{43}$/); // 32 bytes
      assert.ok(!line.includes(key.slice(3)));
      assert.equal(findApiKey(key, keys)?.name, name);
      assert.equal(findApiKey(key.toLowerCase(), keys), undefined);
    }
    // The same key under another salt has another hash.
    const swapped = [{ ...keys[0], salt: keys[1].salt }];
    assert.equal(findApiKey(made[0].key, swapped), undefined);
    assert.equal(findApiKey('', keys), undefined);
  });

  it('keep the role that they were made for, and no other server takes them', () => {
    const made = [createApiKey('ann', 'analyst'), createApiKey('max', 'auditor'), createApiKey('old')];
    const [ann, max, old] = parseApiKeys(made.map(({ line }) => line).join('\n'));
    assert.deepEqual([ann.role, max.role, old.role], ['analyst', 'auditor', undefined]);
    assert.equal(findApiKey(made[1].key, [ann, max, old])?.role, 'auditor');
    requireRoles('test', [ann, max], ['analyst', 'auditor']);
    requireRoles('test', [old], []);
    const message = /test: the key "ann" has the role analyst; expected no role/;
    assert.throws(() => requireRoles('test', [old, ann], []), { code: 'INVALID_ARGUMENT', message });
    assert.throws(() => requireRoles('test', [max, old], ['analyst', 'auditor']), /"old" has no role/);
    assert.throws(() => createApiKey('a', 'admin' as never), { code: 'INVALID_ARGUMENT' });
    // A role that was changed by hand is a role; one that is none is no key.
    assert.throws(() => parseApiKeys(`${made[2].line}:root`), { code: 'DATA' });
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
