// Files of bags: one row a sample, with the name of the sample, the number of its bag, and the bag's key where answers use another name.

import { type Bags, bagCount, bagsFromLists } from '../../aggregate/index.ts';
import { DataError } from '../../core/errors.ts';
import { openTable, writeTable } from '../../data/index.ts';
import { type AnalystTable, idValues } from './table.ts';

export interface NamedBags {
  bags: Bags;
  /** What answers call each bag, shape (bags,). */
  keys: string[];
}

/** Writes the samples bag by bag. Whole or not at all. */
export async function writeBags(
  path: string,
  bags: Bags,
  { table, keys, signal }: { table: AnalystTable; keys?: readonly string[] | undefined; signal: AbortSignal },
): Promise<void> {
  const ids = await table.ids();
  const members = Array.from(bags.members, (sample) => ids[sample]);
  const bagOf = new Uint32Array(bags.members.length);
  for (let a = 0; a < bagCount(bags); a++) bagOf.fill(a, bags.offsets[a], bags.offsets[a + 1]);
  const columns = { [table.idName]: idValues(members), bag: bagOf };
  const named = keys === undefined ? columns : { ...columns, key: Array.from(bagOf, (a) => keys[a]) };
  await writeTable(path, named, { signal });
}

/**
 * Reads bags of any making: areas, clinics, aggregation keys. They keep the order in which they come first.
 *
 * @throws {DataError} a sample is not in the table or comes twice, or a bag has two keys: the message names it
 */
export async function readBags(path: string, table: AnalystTable, signal: AbortSignal): Promise<NamedBags> {
  await using file = await openTable(path, { signal, textColumns: [table.idName, 'bag', 'key'] });
  const names = await readColumn(path, file, table.idName);
  const labels = await readColumn(path, file, 'bag');
  const keyColumn = file.columns.some(({ name }) => name === 'key')
    ? await readColumn(path, file, 'key')
    : labels;
  const ids = await table.ids();
  const rowOf = new Map(ids.map((name, row) => [name, row]));
  const bagOf = new Map<string, { key: string; samples: number[] }>();
  const seen = new Map<number, string>();
  names.forEach((name, i) => {
    const sample = rowOf.get(name);
    if (sample === undefined) {
      throw new DataError(
        `${path}: "${name}" in row ${i} is not among the ${ids.length} rows of ${table.path}; expected names of its ${table.idName === 'row' ? 'row numbers' : `column "${table.idName}"`}.`,
      );
    }
    const other = seen.get(sample);
    if (other !== undefined) {
      throw new DataError(
        `${path}: "${name}" is in bags ${other} and ${labels[i]}; expected each sample in one bag.`,
      );
    }
    seen.set(sample, labels[i]);
    const bag = bagOf.get(labels[i]) ?? { key: keyColumn[i], samples: [] };
    if (bag.key !== keyColumn[i]) {
      throw new DataError(
        `${path}: bag ${labels[i]} has keys "${bag.key}" and "${keyColumn[i]}"; expected one.`,
      );
    }
    bag.samples.push(sample);
    bagOf.set(labels[i], bag);
  });
  const all = [...bagOf.values()];
  return {
    bags: bagsFromLists(
      all.map(({ samples }) => samples),
      table.rows,
    ),
    keys: all.map(({ key }) => key),
  };
}

async function readColumn(
  path: string,
  file: Awaited<ReturnType<typeof openTable>>,
  name: string,
): Promise<string[]> {
  const values = await file.readText(name);
  const missing = values.indexOf(null);
  if (missing >= 0) {
    throw new DataError(`${path}: column "${name}" is NULL at row ${missing}; expected a value.`);
  }
  return values as string[];
}
