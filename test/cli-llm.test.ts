// The commands that compute with a language model, on a tiny random one with a byte vocabulary.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { interruptAtWork, runCli } from './run-cli.ts';
import { tinyGguf } from './tiny-model.ts';

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'provably-llm-'));
after(() => rmSync(folder, { recursive: true }));

/** Every byte a token, spelled as GPT-2 has it, and what ChatML needs. */
function byteVocabulary(): string[] {
  let next = 0x100;
  const bytes = Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    return String.fromCharCode(isPrintable ? byte : next++);
  });
  return [...bytes, '<|im_start|>', '<|im_end|>'];
}

const tokens = byteVocabulary();
const model = join(folder, 'tiny.gguf');
const text = (value: string) => ({ type: 'string', value }) as const;
const id = (value: number) => ({ type: 'uint32', value }) as const;
writeFileSync(
  model,
  tinyGguf(
    { vocabulary: tokens.length, layers: 2 },
    {
      'tokenizer.ggml.model': text('gpt2'),
      'tokenizer.ggml.pre': text('gpt-2'),
      'tokenizer.ggml.tokens': { type: 'array', of: 'string', value: tokens },
      'tokenizer.ggml.token_type': {
        type: 'array',
        of: 'int32',
        value: tokens.map((_, i) => (i < 256 ? 1 : 3)),
      },
      'tokenizer.ggml.merges': { type: 'array', of: 'string', value: [] },
      'tokenizer.ggml.eos_token_id': id(257),
    },
  ),
);
const book = join(folder, 'book.txt');
writeFileSync(book, 'It was the best of times, it was the worst of times. '.repeat(6));

const hybrid = ['--cache', 'hybrid', '--budget', '24'];

describe('provably generate', () => {
  it('goes on with a text, the same way for the same seed', async () => {
    const words = ['generate', 'It was', '-m', model, '--max-tokens', '12', '--seed', '3', ...hybrid];
    const [first, second] = [await runCli(words), await runCli([...words, '--json'])];
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /6 tokens read in .*, 12 written .*; cache hybrid of 24 rows keeps/);
    const report = JSON.parse(second.stdout);
    assert.equal(`${report.text}\n`, first.stdout);
    assert.deepEqual(report.usage, { promptTokens: 6, reusedTokens: 0, outputTokens: 12 });
    assert.ok(report.cache.bytes.total > 0);
  });

  it('reads the prompt from a file or standard input, and its model from the environment', async () => {
    const rest = ['--max-tokens', '5', '--temperature', '0', '--attention', 'hyper', '--min-sequence', '64'];
    const byFile = await runCli(['generate', '--file', book, ...rest], { env: { PROVABLY_MODEL: model } });
    const byInput = await runCli(['generate', '-m', model, ...rest], {
      input: 'It was the best of times, it was the worst of times. '.repeat(6),
    });
    assert.deepEqual([byFile.code, byInput.code], [0, 0], byFile.stderr + byInput.stderr);
    assert.equal(byInput.stdout, byFile.stdout);
  });

  it('says what is wrong in one line', async () => {
    const cases: [string[], number, RegExp][] = [
      [['generate', 'a'], 2, /no model: expected --model <path> or PROVABLY_MODEL/],
      [['generate', 'a', '-m', join(folder, 'none.gguf')], 1, /none\.gguf/],
      [['generate', 'a', '-m', model, '--cache', 'hybrid'], 2, /needs --budget/],
      [['generate', 'a', '-m', model, '--cache', 'all'], 2, /--cache is all; expected one of full,/],
      [['generate', 'a', '-m', model, '--attention', 'fast'], 2, /expected exact or hyper/],
      [['generate', 'a', '-m', model, '--layers', '1'], 2, /go with --attention hyper/],
      [['generate', 'a', '-m', model, '--attention', 'hyper', '--layers', '0-2'], 2, /from 0 to 1/],
      [['generate', 'a', '-m', model, '--attention', 'hyper', '--layers', '1-0'], 2, /rising ranges/],
      [['generate', 'a', '-m', model, '--activations', 'int4'], 2, /expected int8 or float32/],
      [['generate', 'a', '--file', book, '-m', model], 2, /one of them/],
      [['generate', 'a'.repeat(513), '-m', model], 2, /has 513 tokens; expected at most 512, the context/],
      [['generate', '', '-m', model], 1, /tokens of the prompt is 0/],
    ];
    for (const [words, code, message] of cases) {
      const run = await runCli(words);
      assert.equal(run.code, code, `${words.join(' ')}: ${run.stderr}`);
      assert.match(run.stderr, message);
      assert.doesNotMatch(run.stderr, /\n {4}at /);
    }
  });
});

describe('language models and the world outside', () => {
  // A random model that takes the likeliest token comes to no end.
  const long = ['--max-tokens', '100000', '--temperature', '0'];

  it('ends at Ctrl-C with 130 and one line', async () => {
    const [text, longer] = [join(folder, 'long.txt'), join(folder, 'longer.txt')];
    const sentence = 'It was the best of times, it was the worst of times. ';
    writeFileSync(text, sentence.repeat(200));
    // A log tells of work after a second: there must be some left by then on any machine.
    writeFileSync(longer, sentence.repeat(8000));
    const cached = ['--cache', 'hybrid', '--budget', '64', '--prefix', '8'];
    const cases: [string[], (child: ChildProcess) => void][] = [
      [['perplexity', longer, '--tokens', '400000', ...cached], interruptAtWork],
      [
        ['generate', '--file', text, '--beyond-context', ...long],
        (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
      ],
    ];
    for (const [words, during] of cases) {
      const run = await runCli([...words, '-m', model], { during });
      assert.equal(run.code, 130, `${words[0]}: ${run.stderr}`);
      assert.match(run.stderr, /provably: interrupted; no partial file is left\.\n$/);
      assert.doesNotMatch(run.stderr, /\n {4}at /);
    }
  });

  it('ends a chat at Ctrl-C, whether it waits or answers', async () => {
    for (const said of [undefined, 'Hello\n']) {
      const child = spawn(process.execPath, [main, 'chat', '-m', model, ...long], {
        env: { ...process.env, NO_COLOR: '1' },
      });
      let errors = '';
      child.stderr.setEncoding('utf8').on('data', (text) => {
        errors += text;
        if (errors.endsWith('> ') && !said) child.kill('SIGINT');
      });
      child.stdout.once('data', () => child.kill('SIGINT'));
      if (said) child.stdin.write(said);
      const [code] = await once(child, 'close');
      assert.equal(code, 130, errors);
      assert.match(errors, /interrupted/);
    }
  });

  it('ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, [main, 'generate', 'It was', '-m', model, ...long], {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = await once(child, 'close');
    assert.deepEqual([code, errors], [0, '']);
  });
});

describe('provably chat', () => {
  it('answers line by line, and shows what is kept', async () => {
    const { code, stdout, stderr } = await runCli(['chat', '-m', model, '--max-tokens', '6', ...hybrid], {
      input: 'Hello\n/kept\n/reset\n/kept\n/quit\n',
    });
    assert.equal(code, 0, stderr);
    assert.ok(stdout.endsWith('\n'));
    assert.match(stderr, /new tokens read in .* s, \d+ written .*; the cache keeps/);
    assert.match(stderr, /tokens so far; the first key head of layer 0 keeps 24/);
    assert.match(stderr, /nothing has been said yet/);
  });
});

describe('provably perplexity', () => {
  it('sets approximate attention and a smaller cache beside the exact ones', async () => {
    const words = ['perplexity', book, '-m', model, '--tokens', '160', '--json', '--activations', 'float32'];
    const hyper = await runCli([...words, '--attention', 'hyper', '--min-sequence', '32', '--block', '16']);
    assert.equal(hyper.code, 0, hyper.stderr);
    const [approximate, exact] = JSON.parse(hyper.stdout).rows;
    assert.deepEqual([approximate.attention, exact.attention, exact.tokens], ['hyper', 'exact', 159]);
    assert.ok(Math.abs(exact.perplexity - Math.exp(exact.nats)) < 1e-9 * exact.perplexity);
    const cached = await runCli([...words, ...hybrid]);
    const rows = JSON.parse(cached.stdout).rows;
    assert.deepEqual(
      rows.map((row: { cache: string; tokens: number }) => [row.cache, row.tokens]),
      [
        ['cache hybrid of 24 rows', 80],
        ['cache full', 80],
      ],
    );
  });

  it('refuses more tokens than there are', async () => {
    const { code, stderr } = await runCli(['perplexity', book, '-m', model, '--tokens', '10000']);
    assert.equal(code, 2);
    assert.match(stderr, /expected at most 318/);
  });
});

describe('provably longeval', () => {
  it('tells accuracy and bytes of every cache', async () => {
    const words = ['longeval', '-m', model, '--lines', '6', '--records', '2', '--questions', '2', '--json'];
    const { code, stdout, stderr } = await runCli([...words, '--policies', 'hybrid,sink-window,full:k4v2']);
    assert.equal(code, 0, stderr);
    const { rows } = JSON.parse(stdout).value;
    assert.deepEqual(
      rows.map((row: { policy: string; share: number; asked: number }) => [row.policy, row.share, row.asked]),
      [
        ['full', 1, 4],
        ['hybrid', 0.25, 4],
        ['sink-window', 0.25, 4],
        ['full', 0.25, 4],
      ],
    );
    for (const row of rows) assert.ok(row.interval.low <= row.accuracy && row.accuracy <= row.interval.high);
    for (const row of rows.slice(1)) assert.ok(row.bytesShare <= 0.2503);
  });

  it('refuses policies it does not know and more questions than lines', async () => {
    for (const [words, message] of [
      [['--policies', 'none'], /--policies names none/],
      [['--policies', 'full:k1'], /--policies has full:k1; expected a policy and one of float32/],
      [['--lines', '3', '--questions', '4'], /expected at most 3/],
      [['--shares', '1.5'], /between 0 and 1/],
    ] as const) {
      const { code, stderr } = await runCli(['longeval', '-m', model, ...words]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });
});
