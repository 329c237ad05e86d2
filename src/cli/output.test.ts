import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { CommanderError } from 'commander';
import { DataError } from '../core/errors.ts';
import { colorsFor, type TextOutput } from './context.ts';
import { reportFailure, UsageError } from './failure.ts';
import { formatTable, toJson } from './output.ts';
import { showProgress } from './progress.ts';
import { formatShadedText } from './shaded-text.ts';

function recorder(): TextOutput & { text: string } {
  return {
    text: '',
    write(text) {
      this.text += text;
    },
  };
}

function contextWith(signal: AbortSignal = new AbortController().signal, env = {}) {
  return {
    stdout: recorder(),
    stderr: recorder(),
    env,
    signal,
    version: '0',
    runtime: { node: '0', platform: 'test' },
  };
}

describe('formatTable', () => {
  it('aligns by what is seen: wide characters once, colour codes not at all', () => {
    const text = formatTable(
      [{ title: 'name' }, { title: 'ℓ', align: 'right' }],
      [
        ['\u001b[31mred\u001b[39m', 1.23456],
        ['longer', 10],
      ],
    );
    assert.equal(text, 'name        ℓ\n\u001b[31mred\u001b[39m     1.235\nlonger     10\n');
  });
});

describe('toJson', () => {
  it('writes typed arrays as lists and what JSON has not as null', () => {
    assert.equal(toJson({ a: Float64Array.of(1, 0.5), b: Infinity }), '{"a":[1,0.5],"b":null}');
  });
});

describe('colorsFor', () => {
  it('colours terminals only, and honours NO_COLOR and FORCE_COLOR', () => {
    const terminal = { write: () => {}, isTTY: true };
    const colored = (output: TextOutput, env = {}) => colorsFor(output, env).red('x') !== 'x';
    assert.equal(colored(terminal), true);
    assert.equal(colored(terminal, { NO_COLOR: '1' }), false);
    assert.equal(colored(terminal, { TERM: 'dumb' }), false);
    assert.equal(colored({ write: () => {} }), false);
    assert.equal(colored({ write: () => {} }, { FORCE_COLOR: '1' }), true);
    assert.equal(colored(terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }), false);
  });
});

describe('reportFailure', () => {
  it('gives a user mistake one line and its exit code', () => {
    const context = contextWith();
    assert.equal(reportFailure(new DataError('x.csv: empty.'), context, false), 1);
    assert.equal(context.stderr.text, 'provably: x.csv: empty.\n');
    assert.equal(reportFailure(new UsageError('--a needs --b.'), contextWith(), false), 2);
    assert.equal(reportFailure(new CommanderError(1, 'commander.x', 'error: x'), contextWith(), false), 2);
    assert.equal(reportFailure(new CommanderError(0, 'commander.version', ''), contextWith(), false), 0);
  });

  it('calls anything else our fault, with the stack only on request', () => {
    const context = contextWith();
    assert.equal(reportFailure(new TypeError('x is undefined'), context, false), 1);
    assert.match(context.stderr.text, /x is undefined\nThis is a fault of provably/);
    assert.doesNotMatch(context.stderr.text, /at .*output\.test/);
    const debug = contextWith(undefined, { PROVABLY_DEBUG: '1' });
    reportFailure(new TypeError('x is undefined'), debug, false);
    assert.match(debug.stderr.text, /at .*output\.test/);
  });

  it('prints one JSON object with --json', () => {
    const context = contextWith();
    reportFailure(new DataError('no "x".'), context, true);
    assert.deepEqual(JSON.parse(context.stderr.text), { error: { code: 'DATA', message: 'no "x".' } });
  });

  it('is an interruption, whatever was thrown, once the signal is aborted', () => {
    const context = contextWith(AbortSignal.abort(new Error('interrupted')));
    assert.equal(reportFailure(new TypeError('half done'), context, false), 130);
    assert.match(context.stderr.text, /interrupted/);
  });
});

describe('showProgress', () => {
  it('writes one line a phase to a log, and nothing before the delay or when quiet', () => {
    const phases = ['a', 'a', 'b'];
    const written = (options: { quiet?: boolean; delay?: number }) => {
      const context = contextWith();
      using progress = showProgress(context, options);
      for (const phase of phases) progress.report({ phase, done: 1, total: 2 });
      return context.stderr.text;
    };
    assert.equal(written({ delay: 0 }), 'a …\nb …\n');
    assert.equal(written({ delay: 60_000 }), '');
    assert.equal(written({ delay: 0, quiet: true }), '');
  });

  it('draws a bar on a terminal, takes it away at the end, and keeps no timer', async () => {
    const terminal = new PassThrough() as PassThrough & { isTTY: boolean; columns: number };
    Object.assign(terminal, { isTTY: true, columns: 100, cursorTo() {}, clearLine() {}, moveCursor() {} });
    let text = '';
    terminal.on('data', (part) => {
      text += part;
    });
    const display = showProgress(
      { ...contextWith(), stderr: terminal as unknown as TextOutput },
      { delay: 0 },
    );
    display.report({ phase: 'first', done: 1, total: 4 });
    await new Promise((resolve) => setTimeout(resolve, 250));
    display.report({ phase: 'first', done: 2, total: 4 });
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.match(text, /50 % {2}first/);
    display[Symbol.dispose]();
    display.report({ phase: 'late', done: 1, total: 1 });
    const { length } = text;
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(text.length, length);
    assert.doesNotMatch(text, /late/);
  });
});

describe('formatShadedText', () => {
  const text = {
    ...{ title: 'What was kept', description: '', legend: ['all', 'dropped'] as const },
    pieces: [
      { text: 'Call me ', share: 1 },
      { text: 'Ishmael.\nSome years ago, ', share: 0 },
      { text: 'never mind', share: 0.5 },
    ],
  };

  it('marks letters below each line where there are no colours, and breaks lines at spaces', () => {
    const output = { ...recorder(), columns: 24 };
    assert.equal(
      formatShadedText(text, output, { NO_COLOR: '1' }),
      [
        ...['What was kept', 'Call me Ishmael.', '========'],
        ...['Some years ago, never ', `${' '.repeat(16)}------`, 'mind', '----'],
        '= all, - and . some; unmarked: dropped\n',
      ].join('\n'),
    );
  });

  it('has bold and dim letters, and no marks, where there are colours', () => {
    const shown = formatShadedText(text, recorder(), { FORCE_COLOR: '1' });
    assert.ok(
      shown.includes('\u001b[1mCall me \u001b[22m\u001b[2mIshmael.\u001b[22m'),
      JSON.stringify(shown),
    );
    assert.doesNotMatch(shown, /==/);
  });
});
