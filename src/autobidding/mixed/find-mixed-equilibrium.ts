// Mixed equilibria: learning by play, a few rows of its average, and a certificate that does not depend on how they were found.

import type { Certified } from '../../core/certificate.ts';
import { requireInteger, requireLength, requireNumber, requireOneOf, requireSeed } from '../../core/check.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng } from '../../core/rng.ts';
import { isAtRest } from '../equilibrium/at-rest.ts';
import { OVERSPEND_ALLOWED } from '../equilibrium/objective.ts';
import { checkSetting } from '../market/check-setting.ts';
import { optimalWelfare } from '../market/optimal-welfare.ts';
import type { EquilibriumGap, MixedProfile, Profile, Setting } from '../types.ts';
import { compressPlay } from './compress.ts';
import { fictitiousPlay } from './fictitious-play.ts';
import { requirePlainRules } from './marginals.ts';
import { type MixedOutcome, outcomeOfGap } from './mixed-outcome.ts';
import { matchRegrets } from './regret-matching.ts';
import { isBetter, type Settled, settle } from './settle.ts';

/** How strategies are learned. */
export const MIXED_METHODS = ['fictitious-play', 'regret-matching'] as const;
export type MixedMethod = (typeof MIXED_METHODS)[number];

/** What each method does well with; iterations of regret matching are cheaper, and it needs more. */
const DEFAULTS = {
  'fictitious-play': { iterations: 200, draws: 2, spread: 0.02, memory: 3 },
  'regret-matching': { iterations: 1600, draws: 1, spread: 0.01, memory: 2 },
};

export interface MixedEquilibriumOptions extends RunOptions {
  /** Default 'fictitious-play'. Regret matching takes longer; with many buckets in first price it ended nearer to rest. */
  method?: MixedMethod | undefined;
  /** Pure profile to start from, shape (advertisers · K,). Default: 1 throughout. */
  start?: Profile | undefined;
  /** Iterations of the method, ≥ 1. Default 200; regret matching 1600. */
  iterations?: number | undefined;
  /** Profiles drawn an iteration, ≥ 1. Default 2; regret matching 1. */
  draws?: number | undefined;
  /**
   * In [0, 1]. Fictitious play: multipliers are played within e^±spread of the response, default 0.02. Regret matching: half the spacing of the
   * grid of multipliers in ln, at least 0.0025, default 0.01.
   */
  spread?: number | undefined;
  /** Fading of averages, ≥ 1: iteration t enters with weight memory / (memory + t). Default 3; regret matching 2. */
  memory?: number | undefined;
  /** Rows of each strategy, ≥ 1. Default 32; 16 in GSP, where exact prices take the square of them. */
  support?: number | undefined;
  /**
   * Certified value-weighted regret, ≥ 0, to search for: what a third of the iterations give may do, and where all of them do not, it goes on to
   * three times as many and to four times the rows (twice in GSP). Default: all iterations, once.
   */
  tolerance?: number | undefined;
  /** Default 0. */
  seed?: number | undefined;
}

export interface MixedEquilibrium {
  readonly profile: MixedProfile;
  readonly gap: EquilibriumGap;
  /** Expectations over the strategies' draws, exact. */
  readonly outcome: MixedOutcome;
}

/** Changes of the settling at most; fewer at a look on the way, since play goes on. */
const PASSES = 8;
const PASSES_ON_THE_WAY = 3;

/** With a tolerance: the first look is after a third of the iterations, the last after three times as many. */
const LONGER = 3;

/**
 * Looks for a mixed equilibrium: independent strategies of which none can be bettered by much, targets kept in expectation.
 *
 * Fictitious play smoothed by a small spread of multipliers, or regret matching; the average is cut to `support` rows a strategy, and these are scaled so that
 * targets hold. The certificate is of what was found: the share of all value by which advertisers could gain by deviating, each alone, counted
 * exactly. It says nothing on whether other equilibria exist, nor of a pure one.
 *
 * @returns strategies, their gap and expected outcome; the bound is on the value-weighted mean regret, mixed deviations included
 * @throws as `mixedGap`; {InvalidArgumentError} an option is out of its range @throws {ShapeError} `start` does not fit
 *
 * O(iterations · (draws · entries · S + steps of cells)) and a few passes of `mixedGap`. Source: derived; market of arXiv 2311.10679.
 */
export async function findMixedEquilibrium(
  setting: Setting,
  options: MixedEquilibriumOptions = {},
): Promise<Certified<MixedEquilibrium>> {
  const where = 'findMixedEquilibrium';
  const { method = 'fictitious-play', tolerance, seed = 0 } = options;
  requireOneOf(`${where}: method`, method, MIXED_METHODS);
  const defaults = DEFAULTS[method];
  const { iterations = defaults.iterations, draws = defaults.draws } = options;
  const { spread = defaults.spread, memory = defaults.memory } = options;
  const { support = setting.rules.format === 'gsp' ? 16 : 32 } = options;
  const { signal, onProgress } = options;
  checkSetting(where, setting);
  requirePlainRules(where, setting);
  requireInteger(`${where}: iterations`, iterations, 1);
  requireInteger(`${where}: draws`, draws, 1);
  requireInteger(`${where}: support`, support, 1, 1e6);
  requireNumber(`${where}: spread`, spread, 0, 1);
  requireNumber(`${where}: memory`, memory, 1);
  if (tolerance !== undefined) requireNumber(`${where}: tolerance`, tolerance, 0);
  requireSeed(`${where}: seed`, seed);
  const cells = setting.market.advertisers * setting.buckets.count;
  const start = options.start ?? new Float64Array(cells).fill(1);
  requireLength(`${where}: start`, start, cells);
  const rng = createRng(seed).fork('mixed equilibrium');
  const looks = tolerance === undefined ? [] : [Math.ceil(iterations / LONGER), iterations];
  const last = tolerance === undefined ? iterations : LONGER * iterations;
  const learn = method === 'fictitious-play' ? fictitiousPlay : matchRegrets;
  const play = learn(setting, start, rng.fork('play'), {
    ...{ iterations: last, looks, draws, spread, memory, signal, onProgress },
  });
  const optimum = optimalWelfare(setting.market);
  let found: Settled | undefined;
  let look = 0;
  for await (const average of play) {
    const onTheWay = look++ < looks.length;
    // Few rows are coarse: that costs regret. Many cost time, in GSP the square of them.
    const finer = tolerance === undefined || onTheWay ? 1 : setting.rules.format === 'gsp' ? 2 : 4;
    const rows = compressPlay(setting, average, finer * support, rng.fork('rows'));
    const passes = onTheWay ? PASSES_ON_THE_WAY : PASSES;
    const settled = await settle(setting, rows, { tolerance, passes, optimum, signal, onProgress });
    if (!found || isBetter(settled.gap, found.gap)) found = settled;
    if (tolerance !== undefined && isAtRest(found.gap, tolerance)) break;
  }
  const { profile, gap } = found!; // play yields at least once
  const outcome = outcomeOfGap(setting, gap, optimum);
  return {
    value: { profile, gap, outcome },
    certificate: {
      statement:
        'the advertisers’ best deviations, each alone and mixed ones included, raise value by no more than this share of all value',
      source: 'derived: exact expected landscapes against independent strategies, linear relaxation',
      assumptions: [
        {
          statement: 'strategies are drawn independently, and targets bind in expectation over the draws',
          status: 'assumed',
        },
        {
          statement: 'spend ≤ value and spend ≤ budget in expectation, up to 10⁻⁴, for every advertiser',
          status: gap.maxOverspend <= OVERSPEND_ALLOWED ? 'checked' : 'violated',
          measured: gap.maxOverspend,
          measure: 'largest spend ÷ value − 1',
        },
      ],
      bound: { value: gap.meanRegretBound, unit: 'share of value', failureProbability: 0, scale: 1 },
      seed,
      backend: 'none',
      warnings: warningsOf(gap),
    },
  };
}

/** Regret of one advertiser from which the profile should not be called an equilibrium without a word. */
const LARGE_REGRET = 0.02;

function warningsOf({ maxRegretBound, advertisers }: EquilibriumGap): string[] {
  if (maxRegretBound <= LARGE_REGRET) return [];
  const worst = advertisers.findIndex(({ regretBound }) => regretBound === maxRegretBound);
  return [
    `advertiser ${worst} may gain up to ${(100 * maxRegretBound).toFixed(1)} % of its value by deviating. More iterations lower this.`,
  ];
}
