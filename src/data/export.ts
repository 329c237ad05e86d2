// The result of a query into a file that appears when it is complete.

import { exportArrow } from './arrow-write.ts';
import { describeColumn, type TableColumn } from './column-type.ts';
import type { Database } from './duckdb.ts';
import { quoteText } from './duckdb.ts';
import { type TableFormat, tableFormatOf } from './format.ts';
import { writeAtomically } from './temporary.ts';

/** Bytes of one row group, about: a reader holds one in memory for each of its threads. */
const ROW_GROUP_BYTES = 1 << 25;

/** Writes `select` to `path`, in the format its extension names. */
export async function exportQuery(
  where: string,
  database: Database,
  select: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const format = tableFormatOf(where, path);
  const described = await database.rows(`DESCRIBE ${select}`, [], signal);
  const columns = described.map((row) => describeColumn(String(row.column_name), String(row.column_type)));
  const write = (temporary: string): Promise<void> =>
    format === 'arrow'
      ? exportArrow(database, select, columns, temporary, path, signal)
      : database.run(
          `COPY (${select}) TO ${quoteText(temporary)} (${copyOptions(format, path, columns)})`,
          [],
          signal,
        );
  await writeAtomically(path, write, signal);
}

function copyOptions(
  format: Exclude<TableFormat, 'arrow'>,
  path: string,
  columns: readonly TableColumn[],
): string {
  const lower = path.toLowerCase();
  const zip = lower.endsWith('.gz') ? ', COMPRESSION gzip' : '';
  switch (format) {
    case 'parquet': {
      const rowBytes = columns.reduce((sum, { width = 1 }) => sum + 8 * width, 0);
      const rows = Math.min(122_880, Math.max(2048, Math.floor(ROW_GROUP_BYTES / rowBytes)));
      return `FORMAT parquet, ROW_GROUP_SIZE ${rows}`;
    }
    case 'csv':
      return `FORMAT csv, HEADER true${/\.tsv(\.gz)?$/.test(lower) ? ", DELIMITER '\t'" : ''}${zip}`;
    case 'jsonl':
      return `FORMAT json${zip}`;
    case 'json':
      return `FORMAT json, ARRAY true${zip}`;
  }
}
