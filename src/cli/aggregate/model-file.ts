// Models in files: the model, the columns it takes, and how they were standardised. Plain JSON.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type AggregateModel, type ModelState, restoreModel } from '../../aggregate/index.ts';
import { DataError } from '../../core/errors.ts';
import type { Standardization } from '../../core/standardize.ts';
import { writeTable } from '../../data/index.ts';
import { writeFileAtomically } from '../../report/index.ts';
import { toJson } from '../output.ts';
import { parseJson } from './parse-json.ts';
import { type AnalystTable, idValues } from './table.ts';

/** A model with what it needs to be applied to a table. */
export interface NamedModel extends Standardization {
  /** Columns of the table, in order. */
  columns: readonly string[];
  /** Takes standardised features. */
  model: AggregateModel;
}

const modelFile = z.strictObject({
  format: z.literal('provably aggregate model'),
  version: z.literal(1),
  columns: z.array(z.string()).min(1),
  means: z.array(z.number()),
  scales: z.array(z.number().positive()),
  model: z.looseObject({ kind: z.string() }),
});

export async function writeModel(
  path: string,
  { columns, means, scales, model }: NamedModel,
  signal: AbortSignal,
): Promise<void> {
  const content = { format: 'provably aggregate model', version: 1, columns, means, scales, model };
  await writeFileAtomically(path, `${toJson(content, 2)}\n`, { signal });
}

/** @throws {DataError} the file is missing or holds no model of this form */
export async function readModel(path: string): Promise<NamedModel> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new DataError(`${path} cannot be read (${cause.code}); expected a model that fit or boost wrote.`, {
      cause,
    });
  });
  const parsed = modelFile.safeParse(parseJson(path, text));
  if (!parsed.success) {
    throw new DataError(`${path} is no model of fit or boost.\n${z.prettifyError(parsed.error)}`);
  }
  const { columns, means, scales, model } = parsed.data;
  if (means.length !== columns.length || scales.length !== columns.length) {
    throw new DataError(
      `${path}: ${columns.length} columns, ${means.length} means and ${scales.length} scales; expected equal numbers.`,
    );
  }
  return {
    columns,
    means: Float64Array.from(means),
    scales: Float64Array.from(scales),
    model: restoreModel(model as ModelState),
  };
}

/** Writes the prediction for every row of the table. */
export async function writePredictions(
  path: string,
  table: AnalystTable,
  predictions: Float64Array,
  signal: AbortSignal,
): Promise<void> {
  const names = idValues(await table.ids());
  await writeTable(path, { [table.idName]: names, prediction: predictions }, { signal });
}
