// `provably pull` as a process, and what other commands make of pulled models.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type HubServerOptions, startHub } from './hub-server.ts';
import { interruptAtWork, runCli, runInProcess } from './run-cli.ts';
import { servingGguf } from './serving-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-pull-'));
after(() => rmSync(folder, { recursive: true }));
let caches = 0;

const tinyLm = new URL('../models/tiny-lm/', import.meta.url);
const folderFiles = Object.fromEntries(
  readdirSync(tinyLm).map((name) => [name, new Uint8Array(readFileSync(new URL(name, tinyLm)))]),
);
const ggufFiles = { 'tiny-F32.gguf': servingGguf(), 'tiny-Q8_0.gguf': servingGguf({ format: 'Q8_0' }) };

/** Environment of a machine that never pulled anything. */
const freshCache = (endpoint?: string) => ({
  PROVABLY_CACHE: join(folder, String(caches++)),
  HF_TOKEN: '',
  PROVABLY_MODEL: '',
  HF_ENDPOINT: endpoint ?? '',
});

const generate = (model: string) => ['generate', 'The', '--model', model, '--max-tokens', '3', '--json'];

describe('provably pull', () => {
  it('fetches a folder that other commands open by its name', async () => {
    await using hub = await startHub({ files: folderFiles });
    const env = freshCache(hub.url);
    const before = await runCli(generate('acme/tiny'), { env });
    assert.equal(before.code, 1);
    assert.match(before.stderr, /acme\/tiny is no path here.*run `provably pull acme\/tiny`/);
    const first = await runCli(['pull', 'acme/tiny'], { env });
    assert.equal(first.code, 0, first.stderr);
    const path = join(env.PROVABLY_CACHE, 'models', 'acme', 'tiny');
    assert.ok(first.stdout.startsWith(`${path}\n`), first.stdout);
    assert.match(first.stdout, /verified; 1\.4 MB fetched now/);
    assert.match(first.stdout, /Next: provably generate --model acme\/tiny/);
    const [again, written, described] = await Promise.all([
      runCli(['pull', 'acme/tiny', '--json'], { env }),
      runCli(generate('acme/tiny'), { env }),
      runCli(['model', 'acme/tiny', '--json'], { env }),
    ]);
    const report = JSON.parse(again.stdout);
    assert.deepEqual([report.received, report.readable, report.path], [0, true, path]);
    assert.equal(JSON.parse(written.stdout).usage.outputTokens, 3, written.stderr);
    assert.equal(JSON.parse(described.stdout).path, path);
  });

  it('asks which of several GGUF files, and takes the one that is named', async () => {
    await using hub = await startHub({ files: ggufFiles });
    const env = freshCache();
    const words = ['--endpoint', hub.url];
    const [which, none] = await Promise.all([
      runInProcess(['pull', 'acme/tiny', ...words], env),
      runInProcess(['pull', 'acme/tiny:Q4_0', ...words, '--json'], env),
    ]);
    assert.deepEqual([which.code, none.code], [1, 1]);
    assert.match(which.stderr, /has 2 models\. Choose one.*\n {2}tiny-F32\.gguf .*MB\n {2}tiny-Q8_0\.gguf/);
    assert.match(JSON.parse(none.stderr).error.message, /no GGUF file of the quantisation Q4_0/);
    const one = await runInProcess(['pull', 'acme/tiny:Q8_0', ...words], env);
    assert.match(one.stdout, /Next: provably generate --model acme\/tiny:Q8_0/, one.stderr);
    const to = join(folder, 'a folder');
    const other = await runInProcess(
      ['pull', 'acme/tiny', '--file', 'tiny-F32.gguf', '--to', to, ...words],
      env,
    );
    assert.match(other.stdout, /Next: provably generate --model ".*a folder\/tiny-F32\.gguf"/);
    const [byName, byPath] = await Promise.all([
      runInProcess(generate('acme/tiny'), env),
      runInProcess(generate(join(to, 'tiny-F32.gguf')), env),
    ]);
    assert.deepEqual([byName.code, byPath.code], [0, 0], byName.stderr + byPath.stderr);
    // With a second one there, the name alone does not do.
    await runInProcess(['pull', 'acme/tiny:F32', ...words], env);
    const twice = await runInProcess(generate('acme/tiny'), env);
    assert.match(twice.stderr, /these were pulled: tiny-F32\.gguf, tiny-Q8_0\.gguf; expected one/);
  });

  it('stops on Ctrl-C, tells that it can go on, and does', async () => {
    const weights = folderFiles['model.safetensors'];
    let slow = true;
    const content: HubServerOptions['content'] = (path, _, response) => {
      if (path !== 'model.safetensors' || !slow) return false;
      response.writeHead(200, { 'content-length': weights.length });
      // Some at once, and more after the second in which nothing is said.
      response.write(weights.subarray(0, 500_000));
      setTimeout(() => response.write(weights.subarray(500_000, 500_010)), 1200);
      return true;
    };
    await using hub = await startHub({ files: folderFiles, content });
    const env = freshCache(hub.url);
    const stopped = await runCli(['pull', 'acme/tiny'], { env, during: interruptAtWork });
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.match(stopped.stderr, /what came is kept, and the same command goes on/);
    const path = join(env.PROVABLY_CACHE, 'models', 'acme', 'tiny');
    assert.deepEqual(
      [existsSync(join(path, 'model.safetensors')), existsSync(join(path, 'model.safetensors.part'))],
      [false, true],
    );
    assert.match((await runCli(generate('acme/tiny'), { env })).stderr, /pulled in part only/);
    slow = false;
    const next = await runCli(['pull', 'acme/tiny', '--json'], { env });
    const file = JSON.parse(next.stdout).files.find(
      (one: { path: string }) => one.path === 'model.safetensors',
    );
    assert.ok(file.received <= weights.length - 500_000, next.stdout);
  });

  it('says what is wrong, and never the token', async () => {
    await using hub = await startHub({ files: { 'a.gguf': new TextEncoder().encode('no model') } });
    const env = { ...freshCache(hub.url), HF_TOKEN: 'hf_verysecret' };
    const cases: [string[], number, RegExp][] = [
      [['pull', 'acme/none'], 1, /has no model acme\/none/],
      [['pull', 'a/b', '--endpoint', 'http://example.org'], 1, /unencrypted/],
      [['pull', 'acme/tiny'], 0, /it cannot run here: .*a\.gguf/],
    ];
    await Promise.all(
      cases.map(async ([words, code, message]) => {
        const run = await runInProcess(words, env);
        assert.equal(run.code, code, `${words.join(' ')}: ${run.stderr}`);
        assert.match(run.stderr, message);
        assert.doesNotMatch(run.stdout + run.stderr, /verysecret|\n {4}at /);
      }),
    );
    assert.ok(hub.tokens.includes('Bearer hf_verysecret'));
  });
});
