// Aggregates in the layout of BAT (arXiv 2505.08485; github.com/avito-tech/bat-autobidding-benchmark): what one campaign would have got in
// an hour at each level of its bid. They hold no bids of others and no auctions, so they support one question only: how this campaign should
// have bid, everybody else's bids as they were. Equilibria, welfare and other formats than the recorded one are out of their reach.

import { requireNumber, requireOneOf, requirePositive } from '../../core/check.ts';
import { DataError, ShapeError } from '../../core/errors.ts';
import type { Landscape } from '../types.ts';
import { DropCounter, type DroppedRows } from './drops.ts';
import { type Cell, describeCell, isEmpty, type LogColumn, numberOf } from './log-columns.ts';

/** The columns read of a file of statistics, under the names they have there. Other columns are not needed. */
export interface BatStatistics {
  readonly campaign_id: LogColumn;
  /** Start of the hour, in seconds since 1970. */
  readonly period: LogColumn;
  /** Level b of the bid for a contact: 1.2^b money. */
  readonly contact_price_bin: LogColumn;
  /** Contacts gained on top of the level below, expected. */
  readonly AuctionContactsSurplus: LogColumn;
  /** Money spent on top of the level below, in VCG, expected. */
  readonly AuctionWinBidSurplus: LogColumn;
}

/** The columns read of a file of campaigns. */
export interface BatCampaigns {
  readonly campaign_id: LogColumn;
  readonly auction_budget: LogColumn;
  /** Seconds since 1970. */
  readonly campaign_start: LogColumn;
  readonly campaign_end: LogColumn;
}

/** Which hours share a bid: all, those of one hour of the day (UTC), or none. */
export type BatBuckets = 'campaign' | 'hour-of-day' | 'hour';

export interface BatLandscapeOptions {
  /** Which campaign, as it stands in `campaign_id`. */
  campaign: string | number;
  /** That of the file: first price pays bid · contacts, VCG what the file says. */
  format: 'fpa' | 'vcg';
  /** Most money a contact may cost on average: the target, and the bid at multiplier 1. */
  valuePerContact: number;
  /** Default 'hour'. */
  buckets?: BatBuckets | undefined;
  /** First and last second of the hours to take. Default: all. */
  from?: number | undefined;
  to?: number | undefined;
  /** Levels above it are left out and counted. Default 10. */
  maxMultiplier?: number | undefined;
}

/** What one campaign would have got. */
export interface BatLandscape {
  /** Buckets of hours; multipliers are bids ÷ valuePerContact, value is contacts · valuePerContact. Bidding at a threshold wins it. */
  readonly landscape: Landscape;
  /** What is in each bucket: the start of the hour, the hour of the day, or "campaign". */
  readonly labels: readonly (string | number)[];
  /** Hours with statistics. */
  readonly hours: number;
  /** Rows of the campaign that became steps. */
  readonly rows: number;
  readonly dropped: readonly DroppedRows[];
}

const STEP = 1.2;
const HOUR = 3600;
const WHERE = 'batLandscape';

/**
 * The landscape of one campaign out of hourly statistics, for `bestResponse`: everybody else's bids frozen.
 *
 * Rows without a level, or that gain no contacts or spend nothing, are left out, as the benchmark's own filter does. A level counts as
 * reached by a bid of 1.2^b or more (the benchmark rounds, and so grants it to bids a little lower).
 *
 * @throws {DataError} the campaign has no usable rows, or a cell is no number
 * @throws {InvalidArgumentError} an option leaves its range
 * @throws {ShapeError} columns of different lengths
 *
 * Time O(rows + own rows log own rows).
 *
 * @example
 * const { landscape } = batLandscape(statistics, { campaign: 17, format: 'vcg', valuePerContact: 40, buckets: 'hour-of-day' });
 * const response = bestResponse(landscape, { kind: 'value', budget: batCampaign(campaigns, 17).budget }, { format: 'vcg' });
 */
export function batLandscape(statistics: BatStatistics, options: BatLandscapeOptions): BatLandscape {
  const { campaign, format, valuePerContact, buckets = 'hour', maxMultiplier = 10 } = options;
  const { from = -Infinity, to = Infinity } = options;
  requireOneOf(`${WHERE}: format`, format, ['fpa', 'vcg']);
  requireOneOf(`${WHERE}: buckets`, buckets, ['campaign', 'hour-of-day', 'hour']);
  requirePositive(`${WHERE}: valuePerContact`, valuePerContact);
  requireNumber(`${WHERE}: maxMultiplier`, maxMultiplier, 1);
  requireSameRows(statistics);
  const drops = new DropCounter();
  const hours = new Set<number>();
  const levels = new Map<string | number, Map<number, Level>>();
  let rows = 0;
  for (let row = 0; row < statistics.campaign_id.length; row++) {
    if (!sameId(statistics.campaign_id[row], campaign)) continue;
    const period = requireCell('period', statistics.period, row);
    if (!(period >= from && period <= to)) continue;
    const level = levelOf(statistics, row, drops);
    if (!level) continue;
    if (STEP ** level.bin / valuePerContact > maxMultiplier) {
      drops.add('bid above the cap', row, `level ${level.bin}: ${STEP ** level.bin}`);
      continue;
    }
    rows++;
    hours.add(Math.floor(period / HOUR));
    const label = labelOf(buckets, period);
    const bucket = levels.get(label) ?? new Map<number, Level>();
    levels.set(label, bucket);
    const sum = bucket.get(level.bin) ?? { bin: level.bin, contacts: 0, money: 0 };
    bucket.set(level.bin, {
      bin: level.bin,
      contacts: sum.contacts + level.contacts,
      money: sum.money + level.money,
    });
  }
  if (rows === 0) {
    throw new DataError(
      `${WHERE}: campaign ${describeCell(campaign)} has no usable rows of statistics${
        drops.report().length
          ? ` (left out: ${drops
              .report()
              .map(({ reason, count }) => `${count} × ${reason}`)
              .join(', ')})`
          : ''
      }; expected some. Check campaign, from and to.`,
    );
  }
  const labels = [...levels.keys()].sort((a, b) => Number(a) - Number(b));
  const steps = labels.map((label) => [...(levels.get(label)?.values() ?? [])]);
  return {
    landscape: landscapeOf(steps, format, valuePerContact),
    labels,
    hours: hours.size,
    rows,
    dropped: drops.report(),
  };
}

/** Budget and life of one campaign. @throws {DataError} it is not there, is there twice, or a cell is no number */
export function batCampaign(
  campaigns: BatCampaigns,
  campaign: string | number,
): { budget: number; start: number; end: number } {
  const rows: number[] = [];
  for (let row = 0; row < campaigns.campaign_id.length; row++) {
    if (sameId(campaigns.campaign_id[row], campaign)) rows.push(row);
  }
  if (rows.length !== 1) {
    throw new DataError(
      `batCampaign: campaign ${describeCell(campaign)} has ${rows.length} rows; expected one. The benchmark leaves out campaigns with several.`,
    );
  }
  const [row] = rows;
  return {
    budget: requireCell('auction_budget', campaigns.auction_budget, row),
    start: requireCell('campaign_start', campaigns.campaign_start, row),
    end: requireCell('campaign_end', campaigns.campaign_end, row),
  };
}

interface Level {
  bin: number;
  contacts: number;
  money: number;
}

function levelOf(statistics: BatStatistics, row: number, drops: DropCounter): Level | undefined {
  const binCell = statistics.contact_price_bin[row];
  if (isEmpty(binCell) || Number.isNaN(binCell)) {
    drops.add('no contact_price_bin', row, describeCell(binCell));
    return undefined;
  }
  const bin = requireCell('contact_price_bin', statistics.contact_price_bin, row);
  const contacts = requireCell('AuctionContactsSurplus', statistics.AuctionContactsSurplus, row);
  const money = requireCell('AuctionWinBidSurplus', statistics.AuctionWinBidSurplus, row);
  if (!(contacts > 0)) {
    drops.add('no contacts gained', row, String(contacts));
    return undefined;
  }
  if (!(money > 0)) {
    drops.add('nothing spent', row, String(money));
    return undefined;
  }
  return { bin, contacts, money };
}

function landscapeOf(
  buckets: readonly (readonly Level[])[],
  format: 'fpa' | 'vcg',
  valuePerContact: number,
): Landscape {
  const bucketOffsets = new Uint32Array(buckets.length + 1);
  const thresholds: number[] = [];
  const value: number[] = [];
  const spend: number[] = [];
  for (const [k, levels] of buckets.entries()) {
    let contacts = 0;
    let money = 0;
    for (const level of levels.toSorted((a, b) => a.bin - b.bin)) {
      contacts += level.contacts;
      money += level.money;
      const threshold = STEP ** level.bin / valuePerContact;
      thresholds.push(threshold);
      value.push(contacts * valuePerContact);
      spend.push(format === 'fpa' ? threshold * contacts * valuePerContact : money);
    }
    bucketOffsets[k + 1] = thresholds.length;
  }
  return {
    bucketOffsets,
    thresholds: Float64Array.from(thresholds),
    value: Float64Array.from(value),
    spend: Float64Array.from(spend),
  };
}

function labelOf(buckets: BatBuckets, period: number): string | number {
  const hour = Math.floor(period / HOUR);
  if (buckets === 'campaign') return 'campaign';
  return buckets === 'hour' ? hour * HOUR : ((hour % 24) + 24) % 24;
}

function sameId(cell: Cell, id: string | number): boolean {
  return cell === id || (!isEmpty(cell) && String(cell) === String(id));
}

function requireCell(name: string, column: LogColumn, row: number): number {
  const value = numberOf(column[row]);
  if (value === undefined || !Number.isFinite(value)) {
    throw new DataError(
      `bat: ${name} of row ${row} is ${describeCell(column[row])}; expected a finite number.`,
    );
  }
  return value;
}

function requireSameRows(statistics: BatStatistics): void {
  const rows = statistics.campaign_id.length;
  for (const name of [
    'period',
    'contact_price_bin',
    'AuctionContactsSurplus',
    'AuctionWinBidSurplus',
  ] as const) {
    if (statistics[name].length !== rows) {
      throw new ShapeError(
        `${WHERE}: column ${name} has ${statistics[name].length} rows; expected ${rows}, as many as campaign_id.`,
      );
    }
  }
}
