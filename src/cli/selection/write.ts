// A selection into its files: the picked rows, and the report.

import { copyRows, writeTable } from '../../data/index.ts';
import { renderReport, writeFileAtomically } from '../../report/index.ts';
import type { Selection } from '../../selection/index.ts';
import type { CliContext } from '../context.ts';
import type { InputTable } from '../input.ts';
import { toJson } from '../output.ts';
import { idColumn } from '../output-file.ts';
import { describeMachine } from '../stations/machine.ts';
import { type DescribedSelection, selectionSection } from './describe.ts';

export interface WriteSelectionOptions {
  out: string;
  /** Column that names the rows. */
  id: string | undefined;
  /** All columns of the picked rows, and the weight. */
  copy: boolean;
  signal: AbortSignal;
}

/** Writes the picked rows in the order of the table: their names (or numbers), weights and, with repeats, counts. */
export async function writeSelection(
  table: InputTable,
  { ids, weights, counts, scheme }: Selection,
  { out, id, copy, signal }: WriteSelectionOptions,
): Promise<void> {
  // Only independent draws can repeat a row; elsewhere the column would be all ones.
  const numbers = { weight: weights, ...(scheme === 'hansen-hurwitz' ? { count: counts } : {}) };
  if (copy) {
    await copyRows(table.path, out, ids, numbers, { signal });
    return;
  }
  const names = id === undefined ? undefined : await table.texts(id);
  await writeTable(out, { ...idColumn(id, names, ids), ...numbers }, { signal });
}

/** Writes the report: the JSON record, or a page with pictures, by the extension of `path`. */
export async function writeSelectionReport(
  described: DescribedSelection,
  path: string,
  { version, signal }: CliContext,
): Promise<void> {
  const content = path.toLowerCase().endsWith('.json')
    ? `${toJson(described.record, 2)}\n`
    : await renderReport({
        title: 'Selected rows',
        lead: `${described.result.value.ids.length} of ${described.table.rows} rows of ${described.table.path}, with weights that let them stand for all.`,
        stations: [selectionSection(described)],
        madeWith: await describeMachine(version),
      });
  await writeFileAtomically(path, content, { signal });
}
