// A market as settings ask for it: of a log, or generated.

import {
  type Bidder,
  type Buckets,
  type GeneratedMarket,
  type GeneratorRecord,
  gammaTopicGenerator,
  type ImportReport,
  labelBuckets,
  type Market,
  provablyGenerator,
  recordedProfile,
  topicBuckets,
  uniformBuckets,
  valueBuckets,
} from '../../autobidding/index.ts';
import { UsageError } from '../failure.ts';
import { given } from '../given.ts';
import { nearestName } from '../nearest.ts';
import { readLog, SEGMENTS_BY_VALUE } from './log-table.ts';
import type { BidderSettings, CommonSettings, GeneratorSettings } from './settings-types.ts';

/** A market with all that settings and its source say of it. */
export interface OpenedMarket {
  /** "auctions.csv", or the generator with its seed. */
  readonly source: string;
  readonly market: Market;
  /** Buckets of K segments, nested in K. */
  readonly segments: (count: number) => Buckets;
  /** What tells segments apart: "column device", "quantiles of each advertiser's values", "topics". */
  readonly segmentedBy: string;
  /** Recorded bid of each entry, those that are missing by the advertiser's multiplier; undefined where nothing was recorded. */
  readonly recordedBids: ((buckets: Buckets) => Float64Array) | undefined;
  /** What the log calls its auctions. */
  readonly auctionIds?: readonly (string | number)[] | undefined;
  readonly owners?: Uint32Array | undefined;
  /** Label of each auction, for a bootstrap. */
  readonly clusters?: readonly (string | number)[] | undefined;
  /** Of the log itself, where it says so: holds unless settings name another. */
  readonly reserve?: number | undefined;
  readonly bidders: readonly Bidder[] | undefined;
  /** Of the log: rows, and what became of them. */
  readonly report?: ImportReport | undefined;
  /** Of the generator: what draws the market again. */
  readonly record?: GeneratorRecord<object> | undefined;
}

/** @throws {UsageError} a log and a generator, or an advertiser that is not there @throws {DataError} the log cannot be read */
export async function openMarket(settings: CommonSettings, signal?: AbortSignal): Promise<OpenedMarket> {
  const { log, generator } = settings.market;
  if (log !== undefined && generator !== undefined) {
    throw new UsageError('a log and a generator are given; expected one of them.');
  }
  return log === undefined ? generate(settings, generator) : openLog(log, settings, signal);
}

async function openLog(
  path: string,
  { market: settings, bidders }: CommonSettings,
  signal: AbortSignal | undefined,
): Promise<OpenedMarket> {
  const { log, segments, clusters, reserve } = await readLog(path, settings, signal);
  const { market, auctionIds, owners, recorded, report } = log;
  const labels = segments ?? (settings.segmentBy === SEGMENTS_BY_VALUE ? undefined : log.bucketLabels);
  const column = settings.segmentBy ?? settings.columns.bucket ?? 'bucket';
  const { bids } = recorded;
  return {
    ...{ source: path, market, auctionIds, owners, clusters, reserve, report },
    segments: (count) => segmentsOf(market, count, labels, column, path),
    segmentedBy: labels ? `column ${column}` : "quantiles of each advertiser's values",
    recordedBids: bids?.some((bid) => bid >= 0) ? (buckets) => filledBids(market, buckets, bids) : undefined,
    bidders: withSettings(market, bidders, log.bidders),
  };
}

function segmentsOf(
  market: Market,
  count: number,
  labels: readonly (string | number)[] | undefined,
  column: string,
  path: string,
): Buckets {
  if (count === 1) return uniformBuckets(market);
  if (labels === undefined) return valueBuckets(market, count);
  const distinct = new Set(labels).size;
  if (count > distinct) {
    throw new UsageError(
      `${count} segments of ${distinct} labels in column ${column} of ${path}; expected at most as many segments as labels. ` +
        'Give fewer, another column with --segment-by, or --segment-by value for quantiles of values.',
    );
  }
  return labelBuckets(market, labels, { count }).buckets;
}

/** Bids as recorded; where a row has none, its advertiser's multiplier times the value; 0 where nothing is known of it. */
function filledBids(market: Market, buckets: Buckets, bids: Float64Array): Float64Array {
  const { profile } = recordedProfile(market, buckets, bids);
  return bids.map((bid, e) => {
    if (bid >= 0) return bid;
    const multiplier = profile[market.advertiserOf[e] * buckets.count + buckets.ofEntry[e]];
    return multiplier >= 0 ? multiplier * market.values[e] : 0;
  });
}

function generate(
  { market: settings, bidders, seed }: CommonSettings,
  asked: GeneratorSettings | undefined,
): OpenedMarket {
  const { name, ...parameters } = asked ?? { name: 'provably' as const };
  const { discounts, segmentBy, clusterBy } = settings;
  if (clusterBy !== undefined) {
    throw new UsageError('--cluster-by names a column of a log; generated auctions have none.');
  }
  if (segmentBy !== undefined && segmentBy !== 'topic' && segmentBy !== SEGMENTS_BY_VALUE) {
    throw new UsageError(`--segment-by ${segmentBy}; expected topic or value for a generated market.`);
  }
  const generated = generatedMarket(name, { ...parameters, discounts, seed });
  const { market, record } = generated;
  const byValue = segmentBy === SEGMENTS_BY_VALUE;
  return {
    source: `${name} generator, seed ${seed}`,
    ...{ market, record, recordedBids: undefined },
    segments: (count) => (byValue ? valueBuckets(market, count) : topicSegments(generated, count)),
    segmentedBy: byValue ? "quantiles of each advertiser's values" : 'topics',
    bidders: withSettings(market, bidders, undefined),
  };
}

/** The market of a generator. @param options - `rho` is the Provably generator's alone */
export function generatedMarket(
  name: GeneratorSettings['name'],
  options: Omit<GeneratorSettings, 'name'> & { discounts?: readonly number[] | undefined; seed: number },
): GeneratedMarket {
  if (name === 'provably') return provablyGenerator(given(options));
  const { rho, ...others } = options;
  if (rho !== undefined) {
    throw new UsageError('rho is a setting of the provably generator; gamma-topic has none.');
  }
  return gammaTopicGenerator(given(others));
}

function topicSegments(generated: GeneratedMarket, count: number): Buckets {
  const { topics } = generated.record.parameters;
  if (count > topics) {
    throw new UsageError(
      `${count} segments of ${topics} topics; expected at most as many segments as topics.`,
    );
  }
  return topicBuckets(generated, count);
}

/** Bidders by advertiser: those of the source, changed by settings; undefined when all are value maximisers without budget. */
function withSettings(
  market: Market,
  settings: readonly BidderSettings[],
  own: readonly Bidder[] | undefined,
): readonly Bidder[] | undefined {
  if (settings.length === 0) return own;
  const bidders = own
    ? [...own]
    : Array.from({ length: market.advertisers }, (): Bidder => ({ kind: 'value' }));
  for (const { advertiser, ...bidder } of settings) bidders[advertiserNamed(market, advertiser)] = bidder;
  return bidders;
}

/** What the advertisers are called. */
export function namesOf({ market }: Pick<OpenedMarket, 'market'>): readonly string[] {
  return market.names ?? Array.from({ length: market.advertisers }, (_, i) => String(i));
}

/** Number of the advertiser of a name. @throws {UsageError} there is none */
export function advertiserNamed(market: Market, name: string): number {
  const known = namesOf({ market });
  const found = known.indexOf(name);
  if (found >= 0) return found;
  const meant = nearestName(name, known);
  const some = known.slice(0, 12).join(', ');
  throw new UsageError(
    `there is no advertiser "${name}"; expected one of ${some}${known.length > 12 ? ', …' : ''}.` +
      (meant === undefined ? '' : ` Did you mean "${meant}"?`),
  );
}
