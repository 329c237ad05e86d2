// `provably serve` and `provably api-key` as processes.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import OpenAI from 'openai';
import { type CliRun, runCli } from './run-cli.ts';
import { servingGguf } from './serving-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-serve-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'tiny.gguf');
writeFileSync(file, servingGguf());

/** Runs the server, and `body` once it listens; then sends a signal. */
async function whileServing(
  words: string[],
  signal: NodeJS.Signals,
  body: (url: string) => Promise<void>,
): Promise<CliRun> {
  let outcome: Promise<void> | undefined;
  const run = await runCli(['serve', '--model', file, '--port', '0', '--json', ...words], {
    during: (child) => {
      child.stdout?.once('data', (text) => {
        outcome = body(`${JSON.parse(text).url}/v1`).finally(() => child.kill(signal));
      });
    },
  });
  assert.ok(outcome, run.stderr);
  await outcome;
  return run;
}

describe('provably serve', () => {
  it('answers, and ends well on SIGTERM', async () => {
    const { code, stderr } = await whileServing(
      ['--cache', 'hybrid', '--budget', '64'],
      'SIGTERM',
      async (baseURL) => {
        const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
        assert.deepEqual(
          (await client.models.list()).data.map(({ id }) => id),
          ['tiny'],
        );
        const { choices } = await client.chat.completions.create({
          ...{ model: 'tiny', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] },
        });
        assert.equal(choices[0].finish_reason, 'length');
      },
    );
    assert.equal(code, 0, stderr);
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ event, route }) => route ?? event),
      ['/v1/models', '/v1/chat/completions', 'stopping'],
    );
  });

  it('asks for keys that api-key made, and warns where it is open to others', async () => {
    const keys = join(folder, 'keys.txt');
    const made = await runCli(['api-key', '--name', 'alice', '--file', keys]);
    assert.deepEqual([made.code, made.stderr], [0, '']);
    const apiKey = made.stdout.trim();
    assert.ok(!readFileSync(keys, 'utf8').includes(apiKey));
    assert.equal(statSync(keys).mode & 0o077, 0);
    const guarded = ['--api-keys-file', keys, '--model-name', 'mine', '--quiet'];
    const { code, stderr } = await whileServing(guarded, 'SIGINT', async (baseURL) => {
      const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
      assert.equal((await client.models.retrieve('mine')).id, 'mine');
      assert.equal((await fetch(`${baseURL}/models`)).status, 401);
    });
    assert.equal(code, 0);
    assert.ok(!stderr.includes('warn'));
    const open = await whileServing(['--host', '0.0.0.0'], 'SIGTERM', async () => {});
    assert.match(open.stderr, /"level":"warn".*there are no API keys/);
  });

  it('says what is missing', async () => {
    // As if it were not installed.
    const hook = `import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) {
        if (name === 'hono') throw Object.assign(new Error('no hono'), { code: 'ERR_MODULE_NOT_FOUND' });
        return next(name, context);
      } });`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hook)}`;
    const [none, keys, missing, name] = await Promise.all([
      runCli(['serve'], { env: { PROVABLY_MODEL: '' } }),
      runCli(['serve', '-m', file, '--api-keys-file', join(folder, 'none.txt')]),
      runCli(['serve', '-m', file, '--port', '0'], { env: { NODE_OPTIONS } }),
      runCli(['api-key', '--name', 'a b', '--json']),
    ]);
    assert.deepEqual([none.code, /no model/.test(none.stderr)], [2, true]);
    assert.equal(keys.code, 1);
    assert.match(keys.stderr, /none\.txt cannot be read.*provably api-key/);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /is not installed; expected hono.*npm install hono/);
    assert.equal(JSON.parse(name.stderr).error.code, 'INVALID_ARGUMENT');
  });
});
