// The table of a log: its columns read under the names that they have, or are given.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  type AuctionNetColumns,
  type AuctionNetLog,
  type ImportedLog,
  importAuctionNet,
  importLog,
  LOG_COLUMN_NAMES,
  type LogColumn,
  type LogColumns,
} from '../../autobidding/index.ts';
import { DataError } from '../../core/errors.ts';
import { openTable, type Table } from '../../data/index.ts';
import { writeFileAtomically } from '../../report/index.ts';
import { parseJson } from '../aggregate/parse-json.ts';
import { UsageError } from '../failure.ts';
import { nearestName } from '../nearest.ts';
import { toJson } from '../output.ts';
import type { MarketSettings } from './settings-types.ts';

/** A log as it was read, and the columns that settings asked for beside it. */
export interface ReadLog {
  readonly log: ImportedLog | AuctionNetLog;
  /** Label of each entry in the column of segments, shape (entries,). */
  readonly segments?: readonly (string | number)[] | undefined;
  /** Label of each auction in the column of clusters, shape (auctions,). */
  readonly clusters?: readonly (string | number)[] | undefined;
  /** Reserve price of all auctions, where the log or what is beside it says so. */
  readonly reserve?: number | undefined;
}

const required: readonly (keyof LogColumns)[] = ['auction', 'advertiser', 'value'];

/** Named like a column, but no column. */
export const SEGMENTS_BY_VALUE = 'value';

/**
 * Reads a log.
 *
 * @throws {DataError} the file is missing or damaged, a column is not there, or a row is wrong
 * @throws {UsageError} there are neither discounts nor weights of slots
 */
export async function readLog(
  path: string,
  settings: MarketSettings,
  signal: AbortSignal | undefined,
): Promise<ReadLog> {
  const { layout, columns, segmentBy, clusterBy } = settings;
  if (layout === 'bat') {
    throw new UsageError(
      '--layout bat: statistics of BAT hold no entries of auctions; expected another layout. Only best-response reads them.',
    );
  }
  const own = segmentBy === SEGMENTS_BY_VALUE ? undefined : segmentBy;
  // Names are text, so that "007" stays what it is.
  const named = [columns.auction, columns.advertiser, columns.bucket, own, clusterBy];
  const names = ['auction_id', 'advertiser_id', 'bucket'];
  const textColumns = [...names, ...named.filter((name) => name !== undefined)];
  await using table = await openTable(path, { signal, textColumns });
  const net = layout === 'auctionnet' ? await readAuctionNet(table, settings) : undefined;
  const log = net ?? (await readRows(table, settings));
  const reserve = net ? Number(net.rules.reserve) : (await readRulesBeside(path))?.reserve;
  const { rowOf, offsets, auctions } = log.market;
  const labels = async (name: string): Promise<(string | number)[]> => {
    const column = await readCells(table, name);
    return Array.from(rowOf, (row) => {
      const label = column[row];
      if (label === null || label === undefined || label === '') {
        throw new DataError(`${path}: column "${name}" is empty at row ${row}; expected a label.`);
      }
      return label;
    });
  };
  const byEntry = clusterBy === undefined ? undefined : await labels(clusterBy);
  return {
    ...{ log, reserve },
    segments: own === undefined ? undefined : await labels(own),
    // An auction without entries sells nothing: any cluster will do.
    clusters: byEntry && Array.from({ length: auctions }, (_, j) => byEntry[offsets[j]] ?? ''),
  };
}

async function readRows(table: Table, settings: MarketSettings): Promise<ImportedLog> {
  const { columns, onInvalid, multiEntry } = settings;
  const cells: Partial<Record<keyof LogColumns, LogColumn>> = {};
  for (const role of Object.keys(LOG_COLUMN_NAMES) as (keyof LogColumns)[]) {
    const given = columns[role];
    const name = given ?? LOG_COLUMN_NAMES[role];
    const there = table.columns.some((column) => column.name === name);
    if (there) cells[role] = await readCells(table, name);
    else if (given !== undefined || required.includes(role)) throw noColumn(table, role, name);
  }
  const discounts = settings.discounts ?? (await readRulesBeside(table.path))?.discounts;
  if (discounts === undefined && cells.positionWeight === undefined) {
    throw new UsageError(
      `what are the slots of ${table.path} worth? Give --discounts, best first (1 for a single slot), or a column position_weight.`,
    );
  }
  return importLog(cells as LogColumns, { discounts, onInvalid, multiEntry });
}

async function readAuctionNet(
  table: Table,
  { discounts, onInvalid }: MarketSettings,
): Promise<AuctionNetLog> {
  const names = [
    ...['pvIndex', 'advertiserNumber', 'pValue', 'CPAConstraint', 'budget'],
    ...['bid', 'adSlot', 'cost', 'isExposed', 'deliveryPeriodIndex'],
  ];
  const cells = await readNamedColumns(table, names, 'AuctionNet');
  return importAuctionNet(cells as unknown as AuctionNetColumns, { discounts, onInvalid });
}

/** Columns of a layout with names of its own. @throws {DataError} one is not there */
export async function readNamedColumns(
  table: Table,
  names: readonly string[],
  layout: string,
): Promise<Record<string, LogColumn>> {
  const cells: Record<string, LogColumn> = {};
  for (const name of names) {
    if (!table.columns.some((column) => column.name === name)) {
      throw new DataError(
        `${table.path} has no column "${name}"; expected the columns of ${layout}: ${names.join(', ')}.`,
      );
    }
    cells[name] = await readCells(table, name);
  }
  return cells;
}

/** Numbers where a column holds nothing but numbers; else its text, with null where it is empty. */
async function readCells(table: Table, name: string): Promise<Float64Array | (string | null)[]> {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column?.kind !== 'number') return table.readText(name);
  try {
    return await table.readNumbers(name);
  } catch (error) {
    if (!(error instanceof DataError && /is NULL at row/.test(error.message))) throw error;
    return table.readText(name);
  }
}

function noColumn(table: Table, role: keyof LogColumns, name: string): DataError {
  const known = table.columns.map((column) => column.name);
  const meant = nearestName(name, known);
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  return new DataError(
    `${table.path} has no column "${name}"; it has ${known.join(', ')}.${hint} Name the column with --columns ${LOG_COLUMN_NAMES[role]}=….`,
  );
}

const discountsFile = z.strictObject({
  format: z.literal('provably autobid discounts'),
  discounts: z.array(z.number()).min(1),
  reserve: z.number().min(0).optional(),
});

/** Writes what is no column of an imported log beside its table: what slots are worth, and the reserve. */
export async function writeDiscounts(
  path: string,
  { discounts, reserve }: { discounts: Float64Array; reserve: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  const content = { format: 'provably autobid discounts', discounts, reserve };
  await writeFileAtomically(`${path}.discounts.json`, `${toJson(content, 2)}\n`, { signal });
}

/** Discounts and reserve that `import` wrote beside a table, if it did. @throws {DataError} the file beside it is something else */
async function readRulesBeside(path: string): Promise<z.output<typeof discountsFile> | undefined> {
  const file = `${path}.discounts.json`;
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = discountsFile.safeParse(parseJson(file, text));
  if (parsed.success) return parsed.data;
  throw new DataError(`${file} is not what import writes.\n${z.prettifyError(parsed.error)}`);
}
