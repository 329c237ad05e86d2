import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { entryOf, type HubServerOptions, sendRange, startHub } from '../../test/hub-server.ts';
import { type PullOptions, pullModel } from './pull-model.ts';

const scratch = mkdtempSync(join(tmpdir(), 'provably-pull-'));
after(() => rmSync(scratch, { recursive: true }));
let folders = 0;
const newFolder = () => join(scratch, String(folders++));

const text = (content: string) => new TextEncoder().encode(content);
/** Not a model: what is pulled is not looked into. Long enough to come in several pieces. */
const weights = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> 7);
const folderFiles = {
  'config.json': text('{"a": 1}'),
  'tokenizer.json': text('{}'),
  'generation_config.json': text('{"b": 2}'),
  'README.md': text('# read me'),
  'model.safetensors': weights,
  'pytorch_model.bin': weights,
};
const part = (folder: string, path: string) => join(folder, `${path}.part`);

/** Pulls from a hub of its own. */
async function pullFrom(hub: HubServerOptions, options: Partial<PullOptions> & { name?: string } = {}) {
  await using server = await startHub(hub);
  const { name = 'acme/tiny', to = newFolder(), ...rest } = options;
  const pulled = await pullModel(name, { to, endpoint: server.url, retryDelay: 1, ...rest }).catch(
    (error: Error) => error,
  );
  return { pulled, folder: to, asked: server.asked, tokens: server.tokens };
}

async function succeeds(...args: Parameters<typeof pullFrom>) {
  const { pulled, ...rest } = await pullFrom(...args);
  if (pulled instanceof Error) throw pulled;
  return { ...rest, pulled };
}

async function fails(code: string, message: RegExp, ...args: Parameters<typeof pullFrom>) {
  const { pulled, ...rest } = await pullFrom(...args);
  assert.ok(pulled instanceof Error, 'it did not fail');
  assert.equal((pulled as { code?: string }).code, code, pulled.stack);
  assert.match(pulled.message, message);
  return rest;
}

describe('pullModel', () => {
  it('fetches what the engine reads, config.json last, and nothing twice', async () => {
    const hub = { files: folderFiles, pageSize: 2 };
    const { pulled, folder, asked } = await succeeds(hub);
    assert.deepEqual(
      pulled.files.map(({ path }) => path),
      ['tokenizer.json', 'generation_config.json', 'model.safetensors', 'config.json'],
    );
    for (const { path } of pulled.files) {
      assert.deepEqual(
        readFileSync(join(folder, path)),
        Buffer.from(folderFiles[path as keyof typeof folderFiles]),
      );
      assert.ok(!existsSync(part(folder, path)));
    }
    assert.deepEqual([pulled.kind, pulled.path, pulled.received], ['safetensors', folder, pulled.bytes]);
    assert.equal(asked.filter((line) => line.includes('/tree/')).length, 3);
    const again = await succeeds(hub, { to: folder });
    assert.equal(again.pulled.received, 0);
    assert.deepEqual(
      again.asked.filter((line) => line.includes('/resolve/')),
      [],
    );
    // The same size is not enough.
    writeFileSync(join(folder, 'config.json'), '{"a": 2}');
    assert.equal((await succeeds(hub, { to: folder })).pulled.received, 8);
    assert.equal(readFileSync(join(folder, 'config.json'), 'utf8'), '{"a": 1}');
  });

  it('does not call a model whole that it is replacing', async () => {
    const { folder } = await succeeds({ files: folderFiles });
    const newer = { ...folderFiles, 'model.safetensors': weights.map((x) => x ^ 1) };
    const content: HubServerOptions['content'] = (_, __, response) => {
      response.destroy();
      return true;
    };
    await fails('DATA', /connection failed/, { files: newer, content }, { to: folder, retries: 1 });
    assert.deepEqual(readFileSync(join(folder, 'model.safetensors')), Buffer.from(weights));
    assert.ok(!existsSync(join(folder, 'config.json')));
    await succeeds({ files: newer }, { to: folder });
    assert.ok(existsSync(join(folder, 'config.json')));
    // A GGUF file is whole by itself.
    await succeeds({ files: { 'a.gguf': weights } }, { to: folder });
    assert.ok(existsSync(join(folder, 'config.json')));
  });

  it('reads the index for its shards, and no other weights', async () => {
    const index = {
      weight_map: {
        a: 'model-1-of-2.safetensors',
        b: 'model-2-of-2.safetensors',
        c: 'model-1-of-2.safetensors',
      },
    };
    const shards = {
      'model-1-of-2.safetensors': text('one'),
      'model-2-of-2.safetensors': text('two'),
      'consolidated.safetensors': weights,
    };
    const { 'model.safetensors': _, ...rest } = folderFiles;
    const files = { ...rest, ...shards, 'model.safetensors.index.json': text(JSON.stringify(index)) };
    const { pulled, folder } = await succeeds({ files });
    assert.deepEqual(
      pulled.files.map(({ path }) => path),
      [
        'model.safetensors.index.json',
        'tokenizer.json',
        'generation_config.json',
        'model-1-of-2.safetensors',
        'model-2-of-2.safetensors',
        'config.json',
      ],
    );
    for (const name of ['../../x.safetensors', 'sub/x.safetensors', 'gone.safetensors', 7]) {
      const bad = {
        ...files,
        'model.safetensors.index.json': text(JSON.stringify({ weight_map: { a: name } })),
      };
      await fails('DATA', /which the repository has not/, { files: bad });
    }
    await fails('DATA', /which this model has not/, { files: folderFiles }, { to: folder });
  });

  it('goes on where it was cut, in one run and in the next', async () => {
    const cuts = [1_000_000, 1_000_000, 400_000];
    const cutting = (limit: number): HubServerOptions['content'] => {
      let count = 0;
      return (path, request, response) => {
        if (path !== 'model.safetensors' || count >= limit) return false;
        const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
        response.writeHead(start > 0 ? 206 : 200, {
          'content-length': weights.length - start,
          ...(start > 0 ? { 'content-range': `bytes ${start}-${weights.length - 1}/${weights.length}` } : {}),
        });
        response.write(weights.subarray(start, start + cuts[count++ % 3]), () =>
          setTimeout(() => response.destroy(), 20),
        );
        return true;
      };
    };
    const { pulled, asked } = await succeeds({ files: folderFiles, content: cutting(3) });
    assert.equal(pulled.received, pulled.bytes);
    assert.ok(
      asked.some((line) => /model\.safetensors bytes=2400000-/.test(line)),
      asked.join('\n'),
    );
    // Too often: what came stays, and the next run fetches the rest.
    const { folder } = await fails(
      'DATA',
      /connection failed 1 times/,
      { files: folderFiles, content: cutting(9) },
      { retries: 0 },
    );
    assert.deepEqual(
      [existsSync(part(folder, 'model.safetensors')), existsSync(join(folder, 'model.safetensors'))],
      [true, false],
    );
    assert.ok(!existsSync(join(folder, 'config.json')));
    const next = await succeeds({ files: folderFiles }, { to: folder });
    const { received } = next.pulled.files.find(({ path }) => path === 'model.safetensors')!;
    assert.equal(received, 2_000_000);
  });

  it('starts over where the server knows no ranges, or gives the wrong one', async () => {
    const answers: NonNullable<HubServerOptions['content']>[] = [
      (_, __, response) => {
        response.writeHead(200).end(weights);
        return true;
      },
      (_, { headers }, response) => {
        if (headers.range) response.writeHead(416).end();
        return headers.range !== undefined;
      },
      (_, { headers }, response) => {
        if (headers.range)
          response.writeHead(206, { 'content-range': `bytes 0-2999999/3000000` }).end(weights);
        return headers.range !== undefined;
      },
    ];
    for (const answer of answers) {
      const to = newFolder();
      mkdirSync(to);
      writeFileSync(part(to, 'model.safetensors'), weights.subarray(0, 1000));
      const content: HubServerOptions['content'] = (path, ...rest) =>
        path === 'model.safetensors' && answer(path, ...rest);
      await succeeds({ files: folderFiles, content }, { to });
      assert.deepEqual(readFileSync(join(to, 'model.safetensors')), Buffer.from(weights));
    }
  });

  it('refuses what has another hash, size or name, and leaves none of it', async () => {
    for (const path of ['model.safetensors', 'config.json'] as const) {
      const changed = folderFiles[path].slice();
      changed[0] ^= 1;
      const content: HubServerOptions['content'] = (asked, request, response) => {
        if (asked === path) sendRange(changed, request, response);
        return asked === path;
      };
      const { folder } = await fails('DATA', /do not have the hash/, { files: folderFiles, content });
      assert.deepEqual([existsSync(join(folder, path)), existsSync(part(folder, path))], [false, false]);
    }
    const long: HubServerOptions['content'] = (path, _, response) => {
      if (path === 'config.json') response.writeHead(200).end('{"a": 1} and more');
      return path === 'config.json';
    };
    await fails('DATA', /sends more than the 8 bytes|has 17 bytes/, { files: folderFiles, content: long });
    // A part of another version: begun again, once.
    const to = newFolder();
    mkdirSync(to);
    writeFileSync(part(to, 'model.safetensors'), 'something else');
    assert.equal(
      (await succeeds({ files: folderFiles }, { to })).pulled.files[2].received,
      2 * weights.length - 14,
    );
    const list: HubServerOptions['list'] = (entries) => entries.map((entry) => ({ ...entry, oid: 'x' }));
    await fails('DATA', /without a readable name, size or hash/, { files: folderFiles, list });
  });

  it('writes nowhere but in its folder', async () => {
    for (const path of [
      '../out.gguf',
      '/etc/out.gguf',
      'a/../../out.gguf',
      'C:\\out.gguf',
      'a\\out.gguf',
      'con.gguf',
      'a//out.gguf',
      'x\u0000.gguf',
    ]) {
      const list: HubServerOptions['list'] = (entries) => [...entries, entryOf(path, weights)];
      const { folder, asked } = await fails('DATA', /expected a plain relative path/, { files: {}, list });
      assert.ok(!existsSync(folder));
      assert.deepEqual(
        asked.filter((line) => line.includes('/resolve/')),
        [],
      );
    }
    // Links that somebody put there lead out of it.
    const [to, outside] = [newFolder(), newFolder()];
    mkdirSync(to);
    mkdirSync(outside);
    symlinkSync(outside, join(to, 'sub'));
    await fails('DATA', /is a link or a file/, { files: { 'sub/a.gguf': weights } }, { to });
    assert.ok(!existsSync(join(outside, 'a.gguf')));
    symlinkSync(join(outside, 'b'), part(to, 'b.gguf'));
    await fails('DATA', /it is a link/, { files: { 'b.gguf': weights } }, { to });
    assert.ok(!existsSync(join(outside, 'b')));
  });

  it('says what the hub refuses, with the token for the hub alone', async () => {
    const answer =
      (status: number): HubServerOptions['api'] =>
      (_, response) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end('{"error": "no\\u001b[31m"}');
        return true;
      };
    const files = folderFiles;
    await fails('DATA', /has no model acme\/tiny with a revision main \(404\)/, {
      files,
      repository: 'acme/other',
    });
    await fails('DATA', /\(401\).*set HF_TOKEN/, { files, api: answer(401) });
    const token = 'hf_secret';
    const refused = await fails(
      'DATA',
      /\(403\)\. Accept its terms at http/,
      { files, api: answer(403) },
      { token },
    );
    assert.deepEqual(refused.tokens, [`Bearer ${token}`]);
    await fails(
      'DATA',
      /failed 2 times: "the server answers 503"/,
      { files, api: answer(503) },
      { retries: 1 },
    );
    await fails('DATA', /main is "undefined"; expected a commit/, { files, api: answer(200) });
    const page: HubServerOptions['api'] = (_, response) => {
      response.end('<html>');
      return true;
    };
    await fails('DATA', /does not answer as the hub does/, { files, api: page });
    const gated: HubServerOptions['content'] = (_, __, response) => {
      response.writeHead(403).end();
      return true;
    };
    await fails('DATA', /the server answers 403/, { files, content: gated });
    // Content often lies elsewhere: the hub sends there, and the token does not go along.
    await using elsewhere = await startHub({ files });
    const content: HubServerOptions['content'] = (_, { url }, response) => {
      response.writeHead(302, { location: `${elsewhere.url}${url}` }).end();
      return true;
    };
    const { tokens } = await succeeds({ files, content }, { token });
    assert.deepEqual(
      [new Set(tokens), new Set(elsewhere.tokens)],
      [new Set([`Bearer ${token}`]), new Set([undefined])],
    );
    const api: HubServerOptions['api'] = ({ url }, response) => {
      if (!url?.includes('/tree/')) return false;
      response
        .writeHead(200, { 'content-type': 'application/json', link: `<${elsewhere.url}/x>; rel="next"` })
        .end('[]');
      return true;
    };
    await fails('DATA', /the hub refers to/, { files, api }, { token });
  });

  it('tries a busy server again, and does not wait for a silent one', async () => {
    let busy = 2;
    let silent = 1;
    const api: HubServerOptions['api'] = (_, response) => {
      if (busy-- <= 0) return false;
      response.writeHead(429).end();
      return true;
    };
    const content: HubServerOptions['content'] = (_, __, response) => {
      if (silent-- > 0) response.writeHead(200, { 'content-length': 2 }).flushHeaders();
      return silent >= 0;
    };
    await succeeds({ files: folderFiles, api, content }, { stallTimeout: 200 });
  });

  it('stops when it is told to, and keeps what came', async () => {
    const controller = new AbortController();
    const content: HubServerOptions['content'] = (path, _, response) => {
      if (path !== 'model.safetensors') return false;
      response.writeHead(200, { 'content-length': weights.length }).write(weights.subarray(0, 100_000));
      return true;
    };
    const onProgress: PullOptions['onProgress'] = ({ phase, done }) => {
      if (phase === 'model.safetensors' && done >= 100_000) controller.abort(new Error('enough'));
    };
    const { pulled, folder } = await pullFrom(
      { files: folderFiles, content },
      { signal: controller.signal, onProgress },
    );
    assert.match((pulled as Error).message, /enough/);
    assert.equal(readFileSync(part(folder, 'model.safetensors')).length, 100_000);
  });

  it('refuses arguments before it asks', async () => {
    const refuse = (name: string, options: Partial<PullOptions>, message: RegExp) =>
      assert.rejects(pullModel(name, { to: 'x', ...options }), { code: 'INVALID_ARGUMENT', message });
    await refuse('tiny', {}, /expected owner\/name/);
    await refuse('../tiny', {}, /expected owner\/name/);
    await refuse('a/b:Q8_0', { file: 'c.gguf' }, /expected one of them/);
    await refuse('a/b', { endpoint: 'ftp://x' }, /expected an address/);
    await refuse('a/b', { token: 'secret' }, /begins with hf_/);
    await refuse('a/b', { token: 'hf_a', endpoint: 'http://example.org' }, /unencrypted to example\.org/);
  });
});
