// What `provably autobid import` does: read, check, write entries, tell what was dropped.

import type { Bidder, ImportedLog, ImportReport, Market } from '../../autobidding/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import { type ColumnData, writeTable } from '../../data/index.ts';
import type { CliContext } from '../context.ts';
import { printFields, printJson, printTable } from '../output.ts';
import { marketPlaces } from './flags.ts';
import type { ImportFlags } from './import.ts';
import { readLog, writeDiscounts } from './log-table.ts';
import { simulateSchema } from './schema.ts';
import { loadSettings } from './settings.ts';

export async function runImport(path: string, flags: ImportFlags, context: CliContext): Promise<void> {
  const start = performance.now();
  const { signal } = context;
  const { market: settings } = await loadSettings(simulateSchema, {
    ...{ config: undefined, flags: { ...flags, log: path }, places: marketPlaces },
  });
  const { log, segments, reserve } = await readLog(path, settings, signal);
  const { market, report } = log;
  await writeTable(flags.out, entryColumns(log, segments), { signal });
  await writeDiscounts(flags.out, { discounts: market.discounts, reserve }, signal);
  const seconds = (performance.now() - start) / 1000;
  if (flags.json) {
    const { rows, entries, auctions, advertisers } = report;
    printJson(context, {
      system: 'autobid import',
      input: { log: path, layout: settings.layout },
      value: { out: flags.out, discounts: market.discounts, reserve, report },
      seconds,
      figures: { rows, entries, auctions, advertisers, dropped: droppedRows(report) },
    });
    return;
  }
  printFields(context, [
    ['rows', report.rows],
    ['entries', `${report.entries} → ${flags.out}`],
    ['auctions', report.auctions],
    ['advertisers', report.advertisers],
    ['discounts', Array.from(market.discounts, shortNumber).join(', ')],
    ...(log.bidders ? ([['bidders', biddersText(log.bidders)]] as const) : []),
    ...(reserve === undefined ? [] : ([['reserve', reserve]] as const)),
    ['dropped', droppedRows(report) === 0 ? 'none' : `${droppedRows(report)} rows`],
  ]);
  if (report.dropped.length === 0) return;
  context.stdout.write('\n');
  printTable(
    context,
    [{ title: 'dropped because' }, { title: 'rows', align: 'right' }, { title: 'such as (rows from 0)' }],
    report.dropped.map(({ reason, count, examples }) => [
      reason,
      count,
      examples.map(({ row, found }) => `row ${row}: ${found}`).join(', '),
    ]),
  );
}

function droppedRows({ dropped }: ImportReport): number {
  return dropped.reduce((sum, { count }) => sum + count, 0);
}

/** "2 after value, 1 after utility, 2 under budgets". */
function biddersText(bidders: readonly Bidder[]): string {
  const utility = bidders.filter(({ kind }) => kind === 'utility').length;
  const limited = bidders.filter((bidder) => 'budget' in bidder).length;
  return `${bidders.length - utility} after value, ${utility} after utility, ${limited} under budgets`;
}

/** The entries as a log under the names that all subcommands read. */
function entryColumns(
  { market, auctionIds, bucketLabels, owners, bidders, recorded }: ImportedLog,
  segments: readonly (string | number)[] | undefined,
): Record<string, ColumnData> {
  const { advertiserOf, values, targets, names } = market;
  const { bids, prices, weights } = recorded;
  const auctionOf = auctionOfEntries(market);
  const labels = segments ?? bucketLabels;
  return {
    auction_id: Array.from(auctionOf, (j) => String(auctionIds[j])),
    advertiser_id: Array.from(advertiserOf, (i) => names?.[i] ?? String(i)),
    value: targets ? values.map((value, e) => value * targets[advertiserOf[e]]) : values,
    ...(labels ? { bucket: labels.map(String) } : {}),
    ...(targets ? { target: Float64Array.from(advertiserOf, (i) => targets[i]) } : {}),
    ...(owners ? { owner: Uint32Array.from(advertiserOf, (i) => owners[i]) } : {}),
    ...(bidders ? bidderColumns(bidders, advertiserOf) : {}),
    ...(bids ? { bid: withGaps(bids) } : {}),
    ...(prices ? { price: withGaps(prices) } : {}),
    ...(weights ? { position_weight: weights } : {}),
    ...entryNumbers(market, auctionOf),
  };
}

function bidderColumns(bidders: readonly Bidder[], advertiserOf: Uint32Array): Record<string, ColumnData> {
  const budgets = Float64Array.from(bidders, (bidder) =>
    'budget' in bidder ? (bidder.budget ?? Number.NaN) : Number.NaN,
  );
  return {
    bidder_kind: Array.from(advertiserOf, (i) => bidders[i].kind),
    budget: withGaps(Float64Array.from(advertiserOf, (i) => budgets[i])),
  };
}

function auctionOfEntries({ auctions, offsets, values }: Market): Uint32Array {
  const auctionOf = new Uint32Array(values.length);
  for (let j = 0; j < auctions; j++) auctionOf.fill(j, offsets[j], offsets[j + 1]);
  return auctionOf;
}

/** Amounts as text, empty where there is none: tables have no NaN that means so. */
function withGaps(amounts: Float64Array): ColumnData {
  if (!amounts.some(Number.isNaN)) return amounts;
  return Array.from(amounts, (amount) => (Number.isNaN(amount) ? null : String(amount)));
}

/** Which of several entries of one advertiser in an auction each is, if there are any. */
function entryNumbers({ advertiserOf }: Market, auctionOf: Uint32Array): Record<string, ColumnData> {
  const numbers = new Uint32Array(advertiserOf.length);
  for (let e = 1; e < numbers.length; e++) {
    if (auctionOf[e] === auctionOf[e - 1] && advertiserOf[e] === advertiserOf[e - 1]) {
      numbers[e] = numbers[e - 1] + 1;
    }
  }
  return numbers.some((number) => number > 0) ? { entry: numbers } : {};
}
