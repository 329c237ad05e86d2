import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { askCommand } from './ask-command.ts';
import { type LossJournal, openLossJournal } from './journal.ts';

const folder = await mkdtemp(join(tmpdir(), 'provably-losses-'));
after(() => rm(folder, { recursive: true }));
const signal = new AbortController().signal;
let files = 0;

function newPath(): string {
  return join(folder, `${files++}.jsonl`);
}

/** A command that answers with `body` of one line each: JavaScript, `id` being the line. */
function answering(body: string): string {
  const program = `let i = 0; require('readline').createInterface({input: process.stdin}).on('line', (id) => { ${body}; i++; })`;
  return `"${process.execPath}" -e "${program}"`;
}

describe('openLossJournal', () => {
  it('keeps answers over closing and opening, apart for each model', async () => {
    const path = newPath();
    await withJournal(path, 'a', (journal) =>
      journal.append([
        { id: '3', loss: 0.1 },
        { id: 'x "y"', loss: 1e-17 },
      ]),
    );
    await withJournal(path, 'b', async (journal) => {
      assert.equal(journal.get('3'), undefined);
      await journal.append([{ id: '3', loss: 9 }]);
    });
    await withJournal(path, 'a', async (journal) => {
      assert.equal(journal.size, 2);
      assert.equal(journal.get('3'), 0.1);
      assert.equal(journal.get('x "y"'), 1e-17);
    });
  });

  it('drops a last line that was cut short, and goes on after the one before', async () => {
    const path = newPath();
    await withJournal(path, 'm', (journal) => journal.append([{ id: '1', loss: 1 }]));
    await appendFile(path, `{"model":"m","id":"${'2'.repeat(500)}`); // longer than what comes next
    await withJournal(path, 'm', async (journal) => {
      assert.equal(journal.size, 1);
      await journal.append([
        { id: 'ü', loss: 3 },
        { id: '4', loss: 4 },
      ]);
      await journal.append([{ id: '5', loss: 5 }]);
    });
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).id),
      ['1', 'ü', '4', '5'],
    );
  });

  it('names the line of a file that is something else', async () => {
    const path = newPath();
    await writeFile(path, '{"model":"m","id":"1","loss":1}\nid,loss\n');
    await assert.rejects(openLossJournal(path, 'm'), { code: 'DATA', message: /line 2 is no answer/ });
  });

  async function withJournal(
    path: string,
    model: string,
    use: (journal: LossJournal) => Promise<void>,
  ): Promise<void> {
    await using journal = await openLossJournal(path, model);
    await use(journal);
  }
});

describe('askCommand', () => {
  async function ask(
    command: string,
    ids: string[],
    path: string = newPath(),
  ): Promise<(number | undefined)[]> {
    await using journal = await openLossJournal(path, 'm');
    await askCommand(command, ids, journal, { signal });
    return ids.map((id) => journal.get(id));
  }

  it('gives each id its answer', async () => {
    const ids = Array.from({ length: 3000 }, (_, i) => String(i));
    assert.deepEqual(
      await ask(answering('console.log(id / 8)'), ids),
      ids.map((id) => Number(id) / 8),
    );
  });

  it('takes a last line without line feed', async () => {
    assert.deepEqual(
      await ask(answering('process.stdout.write((i ? String.fromCharCode(10) : String()) + id)'), ['5', '6']),
      [5, 6],
    );
  });

  it('keeps what was answered before the command failed', async () => {
    const path = newPath();
    const command = answering(
      "if (i === 2) { console.error('out of memory'); process.exit(3) } console.log(id)",
    );
    await assert.rejects(ask(command, ['1', '2', '3'], path), {
      code: 'DATA',
      message: /exited with code 3\. out of memory/,
    });
    await using journal = await openLossJournal(path, 'm');
    assert.deepEqual(
      ['1', '2', '3'].map((id) => journal.get(id)),
      [1, 2, undefined],
    );
  });

  it('refuses answers that are not one number a line', async () => {
    await assert.rejects(
      ask(answering("console.log('nan')"), ['7']),
      /answered "nan" for id 7; expected a finite/,
    );
    await assert.rejects(ask(answering('console.log(1); console.log(2)'), ['7']), /more than 1 lines/);
    await assert.rejects(ask(answering('if (i === 0) console.log(1)'), ['7', '8']), /answered 1 of 2 ids/);
    await assert.rejects(ask('no-such-program-anywhere', ['7']), {
      code: 'DATA',
      message: /exited with code 127/,
    });
  });

  it('stops with the signal, and keeps what was answered', async () => {
    const path = newPath();
    const stop = new AbortController();
    await using journal = await openLossJournal(path, 'm');
    const command = answering('i === 0 ? console.log(1) : setTimeout(() => {}, 60000)');
    const onAnswer = () => stop.abort(new Error('enough'));
    await assert.rejects(
      askCommand(command, ['1', '2'], journal, { signal: stop.signal, onAnswer }),
      /enough/,
    );
    assert.equal(journal.get('1'), 1);
  });
});
