// Answers of a loss model, kept in a file as they come: a killed run goes on where it stopped and asks nothing twice.

import { type FileHandle, open } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';

export interface LossAnswer {
  /** Row id as the user writes it. */
  id: string;
  loss: number;
}

export interface LossJournal extends AsyncDisposable {
  /** The kept answer for a row, if any. */
  get(id: string): number | undefined;
  /** Keeps answers; they are in the file when this resolves. */
  append(answers: readonly LossAnswer[]): Promise<void>;
  /** Answers kept for this model. */
  readonly size: number;
  readonly path: string;
}

/**
 * Opens or makes the journal at `path`: one JSON object a line, `{"model": …, "id": …, "loss": …}`.
 *
 * @param model - answers of other models in the same file are left alone and not used
 * @throws {DataError} a line is not of this form. Only the last may be cut short (the run was killed while writing it); it is dropped
 */
export async function openLossJournal(path: string, model: string): Promise<LossJournal> {
  const file = await openFile(path);
  const answers = new Map<string, number>();
  const end = await readAnswers(file, path, model, answers);
  await file.truncate(end);
  let position = end;
  return {
    path,
    get: (id) => answers.get(id),
    get size() {
      return answers.size;
    },
    async append(added) {
      if (added.length === 0) return;
      const lines = added.map(({ id, loss }) => `${JSON.stringify({ model, id, loss })}\n`).join('');
      const { bytesWritten } = await file.write(lines, position, 'utf8');
      position += bytesWritten;
      for (const { id, loss } of added) answers.set(id, loss);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+').catch((error) => {
      if (error.code === 'ENOENT') return open(path, 'wx+');
      throw error;
    });
  } catch (error) {
    throw new DataError(
      `loss journal ${path}: ${(error as Error).message}. Choose another place with --journal.`,
      {
        cause: error,
      },
    );
  }
}

/** Fills `answers`; returns how many bytes of the file are whole lines. */
async function readAnswers(
  file: FileHandle,
  path: string,
  model: string,
  answers: Map<string, number>,
): Promise<number> {
  const bytes = await file.readFile();
  const end = bytes.lastIndexOf(0x0a) + 1; // what follows the last line feed was cut short
  const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
  for (const [i, line] of lines.entries()) {
    const entry = parseLine(line);
    if (entry === undefined) {
      throw new DataError(
        `loss journal ${path}: line ${i + 1} is no answer of the form {"model","id","loss"}. ` +
          'Mend or delete the line, or name another file with --journal.',
      );
    }
    if (entry.model === model) answers.set(entry.id, entry.loss);
  }
  return end;
}

function parseLine(line: string): { model: string; id: string; loss: number } | undefined {
  try {
    const { model, id, loss } = JSON.parse(line);
    if (typeof model === 'string' && typeof id === 'string' && Number.isFinite(loss))
      return { model, id, loss };
  } catch {
    // not JSON: reported by the caller with its line number
  }
  return undefined;
}
