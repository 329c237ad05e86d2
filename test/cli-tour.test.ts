// `provably tour` and `provably reproduce`, as processes: real data, small.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseHTML } from 'linkedom';
import { interruptAtWork, runCli } from './run-cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'provably-tour-'));
after(() => rmSync(cwd, { recursive: true }));

describe('provably tour', () => {
  it('runs every system, prints one JSON object each, and writes a self-contained report', async () => {
    const { code, stdout, stderr } = await runCli(['tour', '--quick', '--json'], { cwd });
    assert.equal(code, 0, stderr);
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      records.map(({ system }) => system),
      ['selection', 'attention', 'subgen', 'llm', 'aggregate', 'priorboost', 'autobidding'],
    );
    for (const { input, value, certificate, seconds, figures } of records) {
      assert.ok(input && value && seconds > 0);
      assert.ok(certificate.bound.value > 0 && certificate.audit.sample);
      for (const figure of Object.values(figures)) assert.equal(typeof figure, 'number');
    }
    const { document } = parseHTML(readFileSync(join(cwd, 'report/index.html'), 'utf8'));
    assert.equal(document.querySelectorAll('section').length, records.length);
    assert.equal(document.querySelectorAll('script, link, [src]').length, 0);
    for (const svg of document.querySelectorAll('svg')) assert.ok(svg.getAttribute('aria-label'));
    assert.ok(document.querySelectorAll('.certificate').length >= records.length);
  });

  it('shows what a cache kept of a text, by marks where there are no colours, and streams the text to standard error', async () => {
    const { code, stdout, stderr } = await runCli(['tour', '--only', 'llm', '--quick'], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Call me Ishmael.*\n=/);
    assert.match(stdout, /certificate .*\n.* slack/);
    const [, written] = /¦ ([^\n]{5,12})/.exec(stdout) ?? [];
    assert.ok(written && stderr.includes(written.trim()), stderr);
    assert.match(readFileSync(join(cwd, 'report/index.html'), 'utf8'), /class="shaded-text"/);
  });

  it('leaves nothing behind on Ctrl-C', async () => {
    const { code, stdout, stderr } = await runCli(['tour', '--report', 'stopped/index.html'], {
      cwd,
      during: interruptAtWork,
    });
    assert.equal(code, 130, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /interrupted/);
    assert.deepEqual(
      readdirSync(cwd).filter((name) => name !== 'report'),
      [],
    );
  });
});

describe('provably reproduce', () => {
  it('lists the experiments of attention, of caches and of language models', async () => {
    const listed = async (system: string) =>
      (await runCli(['reproduce', system, '--list'], { cwd })).stdout.match(/^\w+/gm);
    assert.deepEqual(await listed('attention'), ['E1', 'E2', 'E3', 'E4', 'E6']);
    assert.deepEqual(await listed('subgen'), ['S1', 'S2', 'S3', 'S4', 'W1', 'W2']);
    assert.deepEqual(await listed('llm'), ['E5', 'E6', 'S5', 'S6']);
    assert.deepEqual(await listed('autobidding'), [
      'F1',
      'F2',
      'F3',
      'C1',
      'O1',
      'D1',
      'W1',
      'B1',
      'R1',
      'N1',
    ]);
  });

  it('takes a model and a text for language models, repeats with both, and refuses them elsewhere', async () => {
    const model = fileURLToPath(new URL('../models/tiny-lm', import.meta.url));
    const text = join(cwd, 'a text.txt');
    writeFileSync(text, 'It was a dark and stormy night; the rain fell in torrents. '.repeat(60));
    const flags = ['--only', 'E6', '--quick', '--model', model, '--text', text];
    const { code, stderr } = await runCli(['reproduce', 'llm', ...flags], { cwd });
    assert.equal(code, 0, stderr);
    const page = readFileSync(join(cwd, 'report/llm.html'), 'utf8');
    assert.ok(page.includes(`--model ${model} --text &#39;${text}&#39;`));
    const wrong = [
      ...[
        ['reproduce', 'subgen', '--model', model],
        ['reproduce', 'attention', '--text', text],
      ],
      ['tour', '--only', 'subgen', '--model', model],
    ];
    for (const words of wrong) {
      const refused = await runCli(words, { cwd });
      assert.equal(refused.code, 2, refused.stderr);
    }
    const missing = await runCli(['reproduce', 'llm', '--only', 'E5', '--text', 'nothing.txt'], { cwd });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /nothing\.txt cannot be read/);
  });

  it('lists experiments, runs one, and says what was to show', async () => {
    const listed = await runCli(['reproduce', 'selection', '--list'], { cwd });
    assert.deepEqual(listed.stdout.match(/^X\w+/gm), ['X1', 'X2', 'X2b', 'X3', 'X4', 'X5', 'X6']);
    const { code, stdout, stderr } = await runCli(['reproduce', 'selection', '--only', 'x4', '--quick'], {
      cwd,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /claim +measured +required +verdict/);
    assert.match(stdout, /Report with pictures: report\/selection\.html/);
    assert.match(
      readFileSync(join(cwd, 'report/selection.html'), 'utf8'),
      /provably reproduce selection --only X4 --quick/,
    );
  });
});
