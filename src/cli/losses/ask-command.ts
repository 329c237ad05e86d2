// A loss model behind a shell command: ids go in as lines, one loss a line comes out, in the same order.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { kill, platform } from 'node:process';
import type { Readable } from 'node:stream';
import { DataError } from '../../core/errors.ts';
import type { LossAnswer, LossJournal } from './journal.ts';

export interface AskOptions {
  signal: AbortSignal;
  /** Called after each answer with how many there are. */
  onAnswer?: (answered: number) => void;
}

/** Characters of the command's own error output that are quoted when it fails. */
const quotedErrors = 600;

/**
 * Runs `command` once in a shell, writes `ids` to it, and keeps each answer in the journal as it comes.
 *
 * @throws {DataError} the command cannot be run, fails, answers something that is no number, or answers too few or too many
 */
export async function askCommand(
  command: string,
  ids: readonly string[],
  journal: LossJournal,
  { signal, onAnswer }: AskOptions,
): Promise<void> {
  signal.throwIfAborted();
  // A process group of its own, so that what the shell started can be ended with the shell.
  const child = spawn(command, { shell: true, stdio: 'pipe', detached: platform !== 'win32' });
  const stop = (): void => stopGroup(child);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    closed.catch(() => {}); // awaited below; an early failure must not go unhandled meanwhile
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-quotedErrors);
    });
    // A command that ends early closes the pipe; what it answered is counted below.
    child.stdin.on('error', () => {});
    child.stdin.end(ids.map((id) => `${id}\n`).join(''));
    const answered = await collectAnswers(child.stdout, command, ids, journal, onAnswer);
    const [code, killedBy] = await closed;
    signal.throwIfAborted();
    if (code !== 0) {
      const how = code === null ? `was ended by ${killedBy}` : `exited with code ${code}`;
      throw new DataError(`loss command "${command}" ${how}. ${errors.trim() || 'It printed no error.'}`);
    }
    if (answered !== ids.length) {
      throw new DataError(
        `loss command "${command}" answered ${answered} of ${ids.length} ids; expected one loss a line for each id, in order.`,
      );
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** Ends the shell and all it started; nothing happens when they have ended. */
function stopGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (platform === 'win32') child.kill();
  else kill(-child.pid, 'SIGTERM');
}

/** Keeps the answers chunk by chunk, as the command flushes them: one write to the journal for each. */
async function collectAnswers(
  output: Readable,
  command: string,
  ids: readonly string[],
  journal: LossJournal,
  onAnswer: AskOptions['onAnswer'],
): Promise<number> {
  let answered = 0;
  let rest = '';
  const keep = async (lines: readonly string[]): Promise<void> => {
    const answers = lines.map((line, i) => parseAnswer(command, line, ids, answered + i));
    await journal.append(answers);
    answered += answers.length;
    if (answers.length > 0) onAnswer?.(answered);
  };
  for await (const chunk of output.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    await keep(lines);
  }
  if (rest !== '') await keep([rest]);
  return answered;
}

function parseAnswer(command: string, line: string, ids: readonly string[], i: number): LossAnswer {
  if (i >= ids.length) {
    throw new DataError(
      `loss command "${command}" answered more than ${ids.length} lines; expected one loss a line for each id.`,
    );
  }
  const loss = Number(line);
  if (line.trim() === '' || !Number.isFinite(loss)) {
    throw new DataError(
      `loss command "${command}" answered "${line.trim()}" for id ${ids[i]}; expected a finite number.`,
    );
  }
  return { id: ids[i], loss };
}
