// Where losses come from: a column of the table, a second file, or a command. All answer by row number.

import { existsSync } from 'node:fs';
import { DataError } from '../../core/errors.ts';
import type { LossCache, LossOracle } from '../../selection/index.ts';
import { UsageError } from '../failure.ts';
import { columnNamed, type InputTable, openInput } from '../input.ts';
import { askCommand } from './ask-command.ts';
import { type LossJournal, openLossJournal } from './journal.ts';

export interface LossSource extends AsyncDisposable {
  loss: LossOracle;
  /** Answers of earlier runs. */
  cache?: LossCache;
  /** Names the model: part of the report, and of the journal's key. */
  modelId: string;
  /** Asking costs nothing: all losses are there already. */
  free: boolean;
}

export interface LossRequest {
  /** A column of the table, or a file with losses. */
  losses?: string | undefined;
  /** A shell command. */
  lossCommand?: string | undefined;
  /** Column of the table with row ids; row numbers when not given. */
  id?: string | undefined;
  /** Name of the model. Default: the column, file or command. */
  model?: string | undefined;
  /** File that keeps a command's answers. */
  journal?: string | undefined;
}

/**
 * Opens the losses a command line asks for.
 *
 * @throws {UsageError} not exactly one source is named, or it is neither a column nor a file
 * @throws {DataError} ids repeat, or the file of losses does not cover the table
 */
export async function openLosses(
  table: InputTable,
  request: LossRequest,
  signal: AbortSignal,
): Promise<LossSource> {
  const { losses, lossCommand } = request;
  if ((losses === undefined) === (lossCommand === undefined)) {
    throw new UsageError(
      'select needs losses from one place: give --losses <column or file> or --loss-command <command>.',
    );
  }
  if (lossCommand !== undefined) return commandLosses(table, lossCommand, request, signal);
  const name = losses as string;
  const { model = name } = request;
  if (table.columns.includes(name)) return givenLosses(await table.numbers(name), model);
  if (existsSync(name)) return givenLosses(await lossesOfFile(table, name, request.id, signal), model);
  throw new UsageError(
    `--losses ${name} is neither a column of ${table.path} (it has ${table.columns.join(', ') || 'no columns'}) nor a file.`,
  );
}

function givenLosses(values: Float64Array, modelId: string): LossSource {
  return {
    loss: (ids) => Float64Array.from(ids, (row) => values[row]),
    modelId,
    free: true,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Losses of another file: matched by id when it has the id column, else by row number. */
async function lossesOfFile(
  table: InputTable,
  path: string,
  id: string | undefined,
  signal: AbortSignal,
): Promise<Float64Array> {
  await using file = await openInput(path, { signal });
  const values = await file.numbers(columnNamed(file, ['loss', 'losses']));
  if (id === undefined || !file.columns.includes(id)) {
    if (file.rows !== table.rows) {
      const hint = id === undefined ? ' Name the column that both files share with --id.' : '';
      throw new DataError(
        `losses ${path}: it has ${file.rows} rows, ${table.path} has ${table.rows}; expected one loss for each row.${hint}`,
      );
    }
    return values;
  }
  const rowOfId = new Map<string, number>();
  for (const [row, text] of (await file.texts(id)).entries()) rowOfId.set(text, row);
  const ids = await uniqueIds(table, id);
  return Float64Array.from(ids, (text) => {
    const row = rowOfId.get(text);
    if (row === undefined)
      throw new DataError(`losses ${path}: no loss for id ${text} of ${table.path}; expected one.`);
    return values[row];
  });
}

async function commandLosses(
  table: InputTable,
  command: string,
  { id, model = command, journal: path }: LossRequest,
  signal: AbortSignal,
): Promise<LossSource> {
  if (path === undefined)
    throw new UsageError('--loss-command needs a place to keep answers: give --out or --journal.');
  const texts = id === undefined ? undefined : await uniqueIds(table, id);
  const textOf = (row: number): string => texts?.[row] ?? String(row);
  const journal = await openLossJournal(path, model);
  return {
    loss: async (rows) => {
      const missing = Array.from(rows, textOf).filter((text) => journal.get(text) === undefined);
      if (missing.length > 0) await askCommand(command, missing, journal, { signal });
      return Float64Array.from(rows, (row) => journal.get(textOf(row)) ?? Number.NaN);
    },
    cache: journalCache(journal, textOf),
    modelId: model,
    free: false,
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

/** The journal as the library's cache: only read, since answers were written to it the moment they came. */
function journalCache(journal: LossJournal, textOf: (row: number) => string): LossCache {
  return {
    read: (_model, rows) => Float64Array.from(rows, (row) => journal.get(textOf(row)) ?? Number.NaN),
    write: () => {},
  };
}

async function uniqueIds(table: InputTable, id: string): Promise<string[]> {
  const texts = await table.texts(id);
  const rowOfId = new Map<string, number>();
  for (const [row, text] of texts.entries()) {
    const before = rowOfId.get(text);
    if (before !== undefined) {
      throw new DataError(
        `${table.path}: rows ${before} and ${row} have the same ${id}, ${text}; expected ids that name one row each.`,
      );
    }
    rowOfId.set(text, row);
  }
  return texts;
}
