import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { modelsFolder } from './cache-folder.ts';
import { chooseFiles } from './choose-files.ts';
import { quantisationOf } from './gguf-models.ts';
import { folderOf, formatModelName, parseModelName } from './model-name.ts';
import { printable } from './printable.ts';
import type { RemoteFile } from './repository.ts';
import { safeParts } from './safe-path.ts';

const remote = (path: string): RemoteFile => ({
  ...{ path, size: 2e6, checksum: { kind: 'sha256', hex: '0'.repeat(64) } },
});
const ggufs = [
  'tiny-Q4_K_M.gguf',
  'tiny-Q4_K_S.gguf',
  'tiny.q8_0.gguf',
  'mmproj-tiny-BF16.gguf',
  'big/tiny-BF16-00001-of-00002.gguf',
  'big/tiny-BF16-00002-of-00002.gguf',
].map(remote);
const choose = (files: RemoteFile[], wish = {}) => {
  const { kind, files: chosen } = chooseFiles('acme/tiny', files, wish);
  return [kind, ...chosen.map(({ path }) => path)];
};

describe('chooseFiles', () => {
  it('takes the quantisation or the file that is named, with all its parts', () => {
    assert.deepEqual(choose(ggufs, { quantisation: 'Q4_K_M' }), ['gguf', 'tiny-Q4_K_M.gguf']);
    assert.deepEqual(choose(ggufs, { quantisation: 'Q8_0' }), ['gguf', 'tiny.q8_0.gguf']);
    const parts = ['gguf', 'big/tiny-BF16-00001-of-00002.gguf', 'big/tiny-BF16-00002-of-00002.gguf'];
    assert.deepEqual(choose(ggufs, { quantisation: 'BF16' }), parts);
    assert.deepEqual(choose(ggufs, { file: parts[2] }), parts);
    assert.deepEqual(choose(ggufs, { file: 'tiny-BF16-00001-of-00002.gguf' }), parts);
    assert.deepEqual(choose(ggufs, { file: 'mmproj-tiny-BF16.gguf' }), ['gguf', 'mmproj-tiny-BF16.gguf']);
    assert.deepEqual(choose([remote('a.gguf'), remote('imatrix.gguf')]), ['gguf', 'a.gguf']);
  });

  it('lists the models where it takes a choice', () => {
    const message =
      /has 4 models\. Choose one with --file.*:\n {2}big\/tiny-BF16-00001-of-00002\.gguf {2}4\.0 MB\n {2}tiny-Q4_K_M\.gguf {2}2\.0 MB/;
    assert.throws(() => choose(ggufs), { code: 'INVALID_ARGUMENT', message });
    assert.throws(() => choose(ggufs, { quantisation: 'Q4_K' }), /no GGUF file of the quantisation Q4_K\./);
    assert.throws(() => choose(ggufs, { file: 'Q8_0.gguf' }), /has no "Q8_0\.gguf"/);
    assert.throws(() => choose(ggufs, { file: 'config.json' }), /expected the name of a \.gguf file/);
    const twice = [remote('a/x.gguf'), remote('b/x.gguf')];
    assert.throws(() => choose(twice, { file: 'x.gguf' }), /has several "x\.gguf"/);
    assert.deepEqual(choose(twice, { file: 'b/x.gguf' }), ['gguf', 'b/x.gguf']);
    assert.throws(() => choose(ggufs.slice(0, 5), { quantisation: 'BF16' }), {
      code: 'DATA',
      message: /one of 2 parts, of which 1 are there/,
    });
  });

  it('prefers the folder, which must be one for the engine', () => {
    const names = [
      'config.json',
      'tokenizer.json',
      'chat_template.jinja',
      'model.safetensors',
      'sub/config.json',
    ];
    const files = [...names.map(remote), ...ggufs];
    assert.deepEqual(choose(files), [
      ...['safetensors', 'tokenizer.json', 'chat_template.jinja', 'model.safetensors', 'config.json'],
    ]);
    assert.throws(() => choose(files.filter(({ path }) => path !== 'tokenizer.json')), /no tokenizer\.json/);
    assert.throws(() => choose([remote('pytorch_model.bin')]), {
      code: 'DATA',
      message: /no model that is read/,
    });
  });

  it('reads quantisations off names', () => {
    const cases: [string, string | undefined][] = [
      ['Q4_K_M/Model-3B-Q4_K_M-00001-of-00003.gguf', 'Q4_K_M'],
      ['model.IQ4_XS.gguf', 'IQ4_XS'],
      ['model-UD-Q4_K_XL.gguf', 'Q4_K_XL'],
      ['model-fp16.gguf', 'F16'],
      ['model-bf16.gguf', 'BF16'],
      ['model-Q4_0-imat.gguf', 'Q4_0'],
      ['Q8_0/model.gguf', undefined],
      ['qwen2.gguf', undefined],
    ];
    for (const [path, expected] of cases) assert.equal(quantisationOf(path), expected, path);
  });
});

describe('names', () => {
  it('reads names of models', () => {
    assert.deepEqual(parseModelName('a-1/B_2.3:q4_k_m'), {
      ...{ repository: 'a-1/B_2.3', revision: 'main', quantisation: 'Q4_K_M' },
    });
    assert.deepEqual(parseModelName('a/b@refs/pr/1'), { repository: 'a/b', revision: 'refs/pr/1' });
    for (const text of [
      'a',
      'a/b/c',
      './a',
      '../a',
      'a/..',
      'a/b@../c',
      'a/b:',
      'a b/c',
      '/a/b',
      'con/b',
      'a/b.',
    ])
      assert.equal(parseModelName(text), undefined, text);
    for (const text of ['a/b', 'a/b@v1.0', 'a/b@v1.0:Q8_0', 'a/b:F16'])
      assert.equal(formatModelName(parseModelName(text)!), text);
    assert.equal(folderOf('/m', parseModelName('a/b')!), '/m/a/b');
    assert.equal(folderOf('/m', parseModelName('a/b@refs/pr/1')!), '/m/a/b@refs%2Fpr%2F1');
  });

  it('takes paths that stay below the folder, on every system', () => {
    const bad = [
      '',
      '.',
      '..',
      '/a',
      'a/',
      'a//b',
      'a/../b',
      'a\\b',
      'a:b',
      'a\nb',
      'aux.txt',
      'LPT1',
      'a.',
      'a ',
      '\u202ea',
    ];
    for (const path of [...bad, 'x'.repeat(300), `${'a/'.repeat(20)}a`, '\ud800'])
      assert.throws(() => safeParts('pull', path), {
        code: 'DATA',
        message: /expected a plain relative path/,
      });
    assert.deepEqual(safeParts('pull', 'a/b-1.2_é.gguf'), ['a', 'b-1.2_é.gguf']);
    // Whatever is let through climbs nowhere.
    const parts = fc.array(fc.constantFrom('..', '.', '', 'a', '/', '\\', 'b.c', '%2e', '~'), {
      minLength: 1,
    });
    const property = fc.property(parts, (pieces) => {
      let taken: string[];
      try {
        taken = safeParts('pull', pieces.join('/'));
      } catch {
        return;
      }
      assert.ok(taken.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\/]/.test(part)));
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });

  it('shows words of a server without obeying them', () => {
    assert.equal(printable('a\u001b[31m\u0007'), '"a\\u001b[31m\\u0007"');
    assert.equal(printable('\u009b\u202e'), '"\\u009b\\u202e"');
    assert.equal(printable('abc', 2), '"ab…"');
  });

  it('finds the cache folder of the system', () => {
    const at = (system: NodeJS.Platform, env = {}) => modelsFolder(env, { system, home: '/home/me' });
    assert.equal(at('linux'), '/home/me/.cache/provably/models');
    assert.equal(at('linux', { XDG_CACHE_HOME: '/c' }), '/c/provably/models');
    assert.equal(at('linux', { XDG_CACHE_HOME: 'c' }), '/home/me/.cache/provably/models');
    assert.equal(at('darwin'), '/home/me/Library/Caches/provably/models');
    assert.equal(at('win32', { LOCALAPPDATA: '/local' }), '/local/provably/models');
    assert.equal(at('linux', { PROVABLY_CACHE: '/p', XDG_CACHE_HOME: '/c' }), '/p/models');
  });
});
