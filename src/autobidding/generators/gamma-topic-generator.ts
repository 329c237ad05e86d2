// The gamma-topic generator: a second market of another make, since findings depend on the generator.

import { requireNumber, requirePositive } from '../../core/check.ts';
import { drawBeta, drawGamma } from '../../core/gamma-draws.ts';
import { createRng } from '../../core/rng.ts';
import {
  type CommonGeneratorOptions,
  type CommonParameters,
  equalRows,
  type GeneratedMarket,
  requireCommon,
  requireValueRange,
} from './generated.ts';
import { LargestScores } from './largest-scores.ts';

/** Raised whenever the same parameters and seed give another market. */
const VERSION = 1;

/** Every knob of `gammaTopicGenerator`. */
export interface GammaTopicParameters extends CommonParameters {
  /** Spread of the logarithm of an advertiser's worth of a topic. */
  readonly topicSpread: number;
  /** Shape and scale of the gamma variable that is a query's value, common to its entries. */
  readonly queryShape: number;
  readonly queryScale: number;
  /** Shapes of the beta variable that is an entry's click rate. */
  readonly clickShapes: readonly [number, number];
  /** Money that a query of value 1 clicked for sure is worth. */
  readonly scale: number;
  /** Spread of ln τ, the advertisers' target ROAS. 0: all 1. */
  readonly targetSpread: number;
}

export type GammaTopicGeneratorOptions = CommonGeneratorOptions &
  Partial<Omit<GammaTopicParameters, keyof CommonParameters>>;

/** A market of `gammaTopicGenerator`. */
export type GammaTopicMarket = GeneratedMarket<GammaTopicParameters>;

/**
 * Draws a market from the gamma-topic generator (derived).
 *
 * v_ij = scale · w_{topic(j), i} · G_j · C_ij / τᵢ with ln w ~ N(0, topicSpread²), G ~ Gamma(queryShape, queryScale), C ~ Beta(clickShapes),
 * topics uniform; each auction keeps a uniform sample of the advertisers. Draws come from streams by purpose: topics, advertisers, queries,
 * noise, participation, targets.
 *
 * @param options - defaults: 10 advertisers, 1500 auctions, 6 participants (at most all), 8 topics, discounts 1, .6, .35; topicSpread .8,
 *   queryShape 2, queryScale .5, clickShapes 2 and 8, scale 5, targetSpread 0
 * @throws {InvalidArgumentError} a parameter leaves its range, or a value |ln v| > 50 is drawn
 *
 * Time O(auctions · advertisers).
 *
 * @example
 * const { market, topicOf, record } = gammaTopicGenerator({ seed: 1 });
 */
export function gammaTopicGenerator(options: GammaTopicGeneratorOptions = {}): GammaTopicMarket {
  const seed = options.seed ?? 0;
  const parameters = resolve(options);
  requireParameters(parameters, seed);
  const { advertisers, auctions, participants, topics, targetSpread } = parameters;
  const [clickA, clickB] = parameters.clickShapes;
  const root = createRng(seed).fork('gamma-topic generator');
  const targetRng = root.fork('targets');
  const targets = Float64Array.from({ length: advertisers }, () =>
    Math.exp(targetSpread * targetRng.normal()),
  );
  const worthRng = root.fork('advertisers');
  const worth = Float64Array.from(
    { length: topics * advertisers },
    (_, at) => Math.exp(parameters.topicSpread * worthRng.normal()) / targets[at % advertisers],
  );
  const topicRng = root.fork('topics');
  const queryRng = root.fork('queries');
  const clickRng = root.fork('noise');
  const participationRng = root.fork('participation');

  const topicOf = new Uint32Array(auctions);
  const { offsets, advertiserOf, values } = equalRows(parameters);
  const chosen = new LargestScores(participants);
  for (let j = 0; j < auctions; j++) {
    const topic = topicRng.integer(topics);
    topicOf[j] = topic;
    const query = parameters.scale * parameters.queryScale * drawGamma(queryRng, parameters.queryShape);
    chosen.clear();
    for (let i = 0; i < advertisers; i++) chosen.offer(participationRng.at(j * advertisers + i), i);
    const row = advertiserOf.subarray(offsets[j], offsets[j + 1]);
    chosen.indicesInto(row);
    for (let place = 0; place < participants; place++) {
      values[offsets[j] + place] =
        query * worth[topic * advertisers + row[place]] * drawBeta(clickRng, clickA, clickB);
    }
  }
  requireValueRange('gammaTopicGenerator', values);
  return {
    market: {
      auctions,
      advertisers,
      offsets,
      advertiserOf,
      values,
      discounts: Float64Array.from(parameters.discounts),
      ...(targetSpread > 0 ? { targets } : {}),
    },
    topicOf,
    record: { generator: 'gamma-topic', version: VERSION, seed, parameters },
  };
}

function resolve(options: GammaTopicGeneratorOptions): GammaTopicParameters {
  const advertisers = options.advertisers ?? 10;
  return {
    advertisers,
    auctions: options.auctions ?? 1500,
    participants: options.participants ?? Math.min(6, advertisers),
    topics: options.topics ?? 8,
    discounts: [...(options.discounts ?? [1, 0.6, 0.35])],
    topicSpread: options.topicSpread ?? 0.8,
    queryShape: options.queryShape ?? 2,
    queryScale: options.queryScale ?? 0.5,
    clickShapes: options.clickShapes ?? [2, 8],
    scale: options.scale ?? 5,
    targetSpread: options.targetSpread ?? 0,
  };
}

function requireParameters(parameters: GammaTopicParameters, seed: number): void {
  const where = 'gammaTopicGenerator';
  requireCommon(where, parameters, seed);
  requireNumber(`${where}: topicSpread`, parameters.topicSpread, 0);
  requireNumber(`${where}: targetSpread`, parameters.targetSpread, 0);
  requirePositive(`${where}: queryShape`, parameters.queryShape);
  requirePositive(`${where}: queryScale`, parameters.queryScale);
  requirePositive(`${where}: clickShapes[0]`, parameters.clickShapes[0]);
  requirePositive(`${where}: clickShapes[1]`, parameters.clickShapes[1]);
  requirePositive(`${where}: scale`, parameters.scale);
}
