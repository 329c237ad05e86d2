// The tour's market: a log of VCG auctions replayed under first price with segments, and its certificate held against fresh auctions.

import { audit, type Certified } from '../../core/certificate.ts';
import type { RunOptions } from '../../core/progress.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { type ProvablyMarket, provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { drawsOf } from '../replay/mixed-draws.ts';
import { replay } from '../replay/replay.ts';
import type { Replay, ReplayedWorld, ReplayWorld } from '../replay/types.ts';
import { type SweepCell, sweep } from '../sweep/index.ts';
import type { AuctionFormat } from '../types.ts';

export interface WhatIfTourOptions extends RunOptions {
  /** Auctions of the log. Default 500. */
  auctions?: number | undefined;
  /** Fresh auctions for each of the log. Default 10. */
  fresh?: number | undefined;
  /** Draws of the bootstrap. Default 1000. */
  resamples?: number | undefined;
  /** As of `replay`. Default 'when-needed'. */
  mixed?: 'when-needed' | 'never' | undefined;
  /** Default 0. */
  seed?: number | undefined;
}

/** A format, and how many multipliers each advertiser has under it. */
export interface WhatIfWorld {
  readonly format: AuctionFormat;
  readonly segments: number;
}

export const WHAT_IF_FROM: WhatIfWorld = { format: 'vcg', segments: 1 };
export const WHAT_IF_TO: WhatIfWorld = { format: 'fpa', segments: 8 };

/** Equilibria of all formats on one log, by the number of multipliers. */
export interface LevelCurve {
  readonly generator: 'provably';
  /** In pure strategies, and at K = 1, 2, 4, 8: their regrets are the bands. */
  readonly cells: readonly SweepCell[];
}

/** The log of `reproduceWhatIf` under every format at every level. */
export async function levelCurve(
  options: Pick<WhatIfTourOptions, 'auctions' | 'seed' | 'signal' | 'onProgress'> = {},
): Promise<LevelCurve> {
  const { auctions = 500, seed = 0, signal, onProgress } = options;
  const generator = { name: 'provably' as const, auctions };
  const search = { mixed: 'never' as const, iterations: 15, rounds: 5 };
  const { value } = await sweep({ generator, seeds: [seed], workers: 1, search, signal, onProgress });
  return { generator: 'provably', cells: value.cells };
}

/**
 * Replays a generated log of VCG auctions under first price with 8 segments; the audit compares the change of welfare with that on fresh
 * auctions of the same advertisers, bidders keeping their multipliers, as the bound says.
 */
export async function reproduceWhatIf(options: WhatIfTourOptions = {}): Promise<Certified<Replay>> {
  const { auctions = 500, fresh = 10, resamples = 1000, mixed, seed = 0, signal, onProgress } = options;
  // Fewer auctions of a seed are the first ones of more, with the same advertisers.
  const log = provablyGenerator({ auctions, seed });
  const all = provablyGenerator({ auctions: auctions * (1 + fresh), seed });
  const result = await replay(log.market, {
    ...{ from: worldOf(log, WHAT_IF_FROM), to: worldOf(log, WHAT_IF_TO), seed, resamples, mixed },
    // On so few auctions 0.3 % of regret takes far longer to come by.
    ...{ search: { tolerance: 0.005 }, signal, onProgress },
  });
  const { from, to, welfare } = result.value;
  const before = await welfareOn(all, WHAT_IF_FROM, from, seed, signal);
  const after = await welfareOn(all, WHAT_IF_TO, to, seed, signal);
  const others = after - before - welfare.difference;
  const error = Math.abs(others / fresh - welfare.difference);
  return audit(result, error, `${auctions * fresh} fresh auctions of the same advertisers`);
}

function worldOf(generated: ProvablyMarket, { format, segments }: WhatIfWorld): ReplayWorld {
  return { rules: { format }, buckets: topicBuckets(generated, segments) };
}

/** Welfare of a world's multipliers on more auctions; mean over draws where they are mixed. */
async function welfareOn(
  generated: ProvablyMarket,
  world: WhatIfWorld,
  { profile }: ReplayedWorld,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const setting = { market: generated.market, ...worldOf(generated, world) };
  const draws = drawsOf(setting, profile!, seed);
  let welfare = 0;
  for (let draw = 0; draw < draws.count; draw++) {
    const outcome = await runAuctions(setting, { bids: draws.bids(draw) }, { signal });
    welfare += outcome.welfare / draws.count;
  }
  return welfare;
}
