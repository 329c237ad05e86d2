// The Provably generator: queries and advertisers are points in a space of tastes, values are log-normal around their affinity. It is our
// own design; the distributions of arXiv 2311.10679 are not known to us.

import { requireInteger, requireNumber } from '../../core/check.ts';
import { createRng, type Rng } from '../../core/rng.ts';
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

/** Every knob of `provablyGenerator`; spreads are standard deviations. */
export interface ProvablyParameters extends CommonParameters {
  /** d: dimensions of the space of tastes. */
  readonly dimensions: number;
  /** ρ: how far values follow affinity, and so how much topics predict them. 0: not at all. */
  readonly rho: number;
  /** Weight of ρ · affinity in ln v. */
  readonly topicWeight: number;
  /** Spread of queries around the centre of their topic, in each dimension. */
  readonly querySpread: number;
  /** Spread of each advertiser's own level of ln v. */
  readonly scaleSpread: number;
  /** Spread of the part of ln v that all entries of a query share: its quality. */
  readonly qualitySpread: number;
  /** Spread of the part of ln v that is of one entry alone. */
  readonly noiseSpread: number;
  /** Scale of the Gumbel noise that is added to affinity when participants are chosen. 0: those of largest affinity. */
  readonly participationNoise: number;
  /** Spread of ln τ, the advertisers' target ROAS. 0: all 1. */
  readonly targetSpread: number;
}

export type ProvablyGeneratorOptions = CommonGeneratorOptions &
  Partial<Omit<ProvablyParameters, keyof CommonParameters>>;

/** A market of `provablyGenerator`. */
export type ProvablyMarket = GeneratedMarket<ProvablyParameters>;

/**
 * Draws a market from the Provably generator (derived; the data of arXiv 2311.10679 are not published).
 *
 * Topic centres, advertisers' tastes aᵢ ~ N(0, I_d); query q_j = centre of a uniform topic + querySpread · N(0, I_d); affinity
 * ⟨q_j, aᵢ⟩ / √d. ln v_ij = topicWeight · ρ · affinity + N(0, scaleSpread²)ᵢ + N(0, qualitySpread²)_j + N(0, noiseSpread²)_ij − ln τᵢ.
 * Those of largest affinity + participationNoise · Gumbel take part.
 *
 * Each purpose (topics, queries, advertisers, noise, participation, targets) draws from a stream of its own, so that changing one knob
 * leaves the other draws as they are; fewer auctions are the first ones of more.
 *
 * @param options - defaults: 12 advertisers, 2000 auctions, 8 participants (at most all), 16 topics, discounts 1, .7, .5, .35; 6 dimensions,
 *   rho 1, topicWeight .6, querySpread .35, scaleSpread .5, qualitySpread .5, noiseSpread .4, participationNoise 1, targetSpread 0
 * @throws {InvalidArgumentError} a parameter leaves its range, or a value |ln v| > 50 is drawn
 *
 * Time O(auctions · advertisers · (dimensions + log participants)).
 *
 * @example
 * const { market, topicOf, record } = provablyGenerator({ advertisers: 24, auctions: 100_000, seed: 1 });
 */
export function provablyGenerator(options: ProvablyGeneratorOptions = {}): ProvablyMarket {
  const seed = options.seed ?? 0;
  const parameters = resolve(options);
  requireParameters(parameters, seed);
  const { advertisers, auctions, participants, topics, dimensions, targetSpread } = parameters;
  const root = createRng(seed).fork('provably generator');
  const centres = normals(root.fork('topics'), topics * dimensions);
  const advertiserRng = root.fork('advertisers');
  const tastes = normals(advertiserRng.fork('tastes'), advertisers * dimensions);
  const targets = normals(root.fork('targets'), advertisers).map((z) => Math.exp(targetSpread * z));
  const levels = normals(advertiserRng.fork('levels'), advertisers).map(
    (z, i) => parameters.scaleSpread * z - Math.log(targets[i]),
  );
  const queryRng = root.fork('queries');
  const topicRng = queryRng.fork('topic');
  const placeRng = queryRng.fork('place');
  const qualityRng = queryRng.fork('quality');
  const noiseRng = root.fork('noise');
  const participationRng = root.fork('participation');

  const topicOf = new Uint32Array(auctions);
  const { offsets, advertiserOf, values } = equalRows(parameters);
  const query = new Float64Array(dimensions);
  const affinities = new Float64Array(advertisers);
  const chosen = new LargestScores(participants);
  const weight = parameters.topicWeight * parameters.rho;
  for (let j = 0; j < auctions; j++) {
    const topic = topicRng.integer(topics);
    topicOf[j] = topic;
    for (let k = 0; k < dimensions; k++) {
      query[k] = centres[topic * dimensions + k] + parameters.querySpread * placeRng.normal();
    }
    const quality = parameters.qualitySpread * qualityRng.normal();
    fillAffinities(query, tastes, affinities);
    chosen.clear();
    for (let i = 0; i < advertisers; i++) {
      const score =
        affinities[i] + parameters.participationNoise * gumbelAt(participationRng, j * advertisers + i);
      chosen.offer(score, i);
    }
    const row = advertiserOf.subarray(offsets[j], offsets[j + 1]);
    chosen.indicesInto(row);
    for (let place = 0; place < participants; place++) {
      const i = row[place];
      const noise = parameters.noiseSpread * normalAt(noiseRng, j * advertisers + i);
      values[offsets[j] + place] = Math.exp(weight * affinities[i] + levels[i] + quality + noise);
    }
  }
  requireValueRange('provablyGenerator', values);
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
    record: { generator: 'provably', version: VERSION, seed, parameters },
  };
}

function resolve(options: ProvablyGeneratorOptions): ProvablyParameters {
  const advertisers = options.advertisers ?? 12;
  return {
    advertisers,
    auctions: options.auctions ?? 2000,
    participants: options.participants ?? Math.min(8, advertisers),
    topics: options.topics ?? 16,
    discounts: [...(options.discounts ?? [1, 0.7, 0.5, 0.35])],
    dimensions: options.dimensions ?? 6,
    rho: options.rho ?? 1,
    topicWeight: options.topicWeight ?? 0.6,
    querySpread: options.querySpread ?? 0.35,
    scaleSpread: options.scaleSpread ?? 0.5,
    qualitySpread: options.qualitySpread ?? 0.5,
    noiseSpread: options.noiseSpread ?? 0.4,
    participationNoise: options.participationNoise ?? 1,
    targetSpread: options.targetSpread ?? 0,
  };
}

function requireParameters(parameters: ProvablyParameters, seed: number): void {
  const where = 'provablyGenerator';
  requireCommon(where, parameters, seed);
  requireInteger(`${where}: dimensions`, parameters.dimensions, 1, 1024);
  requireNumber(`${where}: rho`, parameters.rho);
  requireNumber(`${where}: topicWeight`, parameters.topicWeight);
  for (const name of [
    'querySpread',
    'scaleSpread',
    'qualitySpread',
    'noiseSpread',
    'participationNoise',
    'targetSpread',
  ] as const) {
    requireNumber(`${where}: ${name}`, parameters[name], 0);
  }
}

function normals(rng: Rng, count: number): Float64Array {
  return Float64Array.from({ length: count }, () => rng.normal());
}

/** ⟨query, taste of i⟩ / √d for every advertiser. */
function fillAffinities(query: Float64Array, tastes: Float64Array, out: Float64Array): void {
  const dimensions = query.length;
  const scale = 1 / Math.sqrt(dimensions);
  for (let i = 0, at = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < dimensions; k++) sum += query[k] * tastes[at++];
    out[i] = sum * scale;
  }
}

const LEAST = 2 ** -54; // stands for a uniform draw of 0, whose logarithm has no value

/** The Gumbel variable at a position of a stream: −ln(−ln u). */
function gumbelAt(rng: Rng, index: number): number {
  return -Math.log(-Math.log(rng.at(index) || LEAST));
}

/** The normal variable at a position of a stream (Box and Muller): the same whichever other entries there are. */
function normalAt(rng: Rng, index: number): number {
  return Math.sqrt(-2 * Math.log(rng.at(2 * index) || LEAST)) * Math.cos(2 * Math.PI * rng.at(2 * index + 1));
}
