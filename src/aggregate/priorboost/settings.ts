// What decides who is asked when, and how the models between the stages are fitted: presets, defaults and their check.

import {
  requireInteger,
  requireLength,
  requireNumber,
  requireOneOf,
  requirePositive,
  requireSeed,
} from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';

/** Stages a model is fitted to: the last one, all so far, or all whose bags were not drawn at random. */
export type StagePool = 'last' | 'all' | 'skip-random';
/** How predictions become bags: least within-bag squares, runs of equal size, or frozen score buckets. */
export type Bagger = 'slice' | 'chunk' | 'buckets';
export type PriorBoostPreset = 'paper' | 'best';

const POOLS: readonly StagePool[] = ['last', 'all', 'skip-random'];
const BAGGERS: readonly Bagger[] = ['slice', 'chunk', 'buckets'];

export interface PriorBoostSettingsOptions {
  /** Least number of samples in a bag, k ≥ 1. */
  bagSize: number;
  /** Number of stages, T ≥ 1; every sample is asked about in one of them. Default 4. */
  stages?: number | undefined;
  /** Share of the samples in each stage, shape (stages,), > 0, sum 1. Default: equal. */
  fractions?: readonly number[] | undefined;
  /**
   * Defaults of `priorRho`, `finalRho` and `pool`. `paper`: 1, 1, 'last' – the instance-level loss on the newest bags. `best`: 0.05, 'cv', 'all' – mostly
   * bag-level losses on every bag, the last ρ by the loss on random bags held out for it. Default 'paper'.
   */
  preset?: PriorBoostPreset | undefined;
  /** ρ of the fits between stages, ≥ 0. */
  priorRho?: number | undefined;
  /** ρ of the last fit, ≥ 0, or 'cv': the one with the least loss on the validation bags. */
  finalRho?: number | 'cv' | undefined;
  /** Bags that the last model is fitted to. With ρ near 1, 'all' brings the shrinkage of random bags back. */
  pool?: StagePool | undefined;
  /** Bags that the models between stages are fitted to. Default: those of `pool`. */
  priorPool?: StagePool | undefined;
  /** Default 'slice'. */
  bagger?: Bagger | undefined;
  /** `random`: stages are random parts. `temporal`: one after the other in time, for data that drift. Default 'random'. */
  split?: 'random' | 'temporal' | undefined;
  /**
   * Share of the samples in random bags that `stopEarly` and `finalRho: 'cv'` measure on, in [0, 0.5]; with the pool 'all' the last fit has them too.
   * Default 0.1 where they are needed, else 0.
   */
  validation?: number | undefined;
  /** Ask no further stage when the loss on the validation bags did not fall. Default false. */
  stopEarly?: boolean | undefined;
  /** When predictions are not finite: fail, or draw that stage's bags at random and warn. Default 'error'. */
  onBadPrior?: 'error' | 'random' | undefined;
  /** Seed of split, bags and fits; never of privacy noise. Default 0. */
  seed?: number | undefined;
  /** Stages are called `<run>.1`, `<run>.2`, …: 1 to 48 letters, digits, "_", "." or "-". Default "priorboost". */
  run?: string | undefined;
}

/** Settings with nothing left open: plain JSON. */
export interface PriorBoostSettings {
  bagSize: number;
  stages: number;
  fractions: number[];
  priorRho: number;
  finalRho: number | 'cv';
  pool: StagePool;
  priorPool: StagePool;
  bagger: Bagger;
  split: 'random' | 'temporal';
  validation: number;
  stopEarly: boolean;
  onBadPrior: 'error' | 'random';
  seed: number;
  run: string;
}

const PRESETS: Record<PriorBoostPreset, Pick<PriorBoostSettings, 'priorRho' | 'finalRho' | 'pool'>> = {
  paper: { priorRho: 1, finalRho: 1, pool: 'last' },
  best: { priorRho: 0.05, finalRho: 'cv', pool: 'all' },
};

/** Fills in preset and defaults. @throws {InvalidArgumentError} a setting leaves its range */
export function resolveSettings(where: string, options: PriorBoostSettingsOptions): PriorBoostSettings {
  const { preset = 'paper', stages = 4, stopEarly = false } = options;
  requireOneOf(`${where}: preset`, preset, ['paper', 'best']);
  requireInteger(`${where}: stages`, stages, 1, 1000);
  const pool = options.pool ?? PRESETS[preset].pool;
  const finalRho = options.finalRho ?? PRESETS[preset].finalRho;
  const settings: PriorBoostSettings = {
    bagSize: options.bagSize,
    stages,
    fractions: Array.from(options.fractions ?? { length: stages }, (share) => share ?? 1 / stages),
    priorRho: options.priorRho ?? PRESETS[preset].priorRho,
    finalRho,
    pool,
    priorPool: options.priorPool ?? pool,
    bagger: options.bagger ?? 'slice',
    split: options.split ?? 'random',
    validation: options.validation ?? (stopEarly || finalRho === 'cv' ? 0.1 : 0),
    stopEarly,
    onBadPrior: options.onBadPrior ?? 'error',
    seed: options.seed ?? 0,
    run: options.run ?? 'priorboost',
  };
  requireSettings(where, settings);
  return settings;
}

/** @throws {InvalidArgumentError | ShapeError} a setting leaves its range, also one that came from a file */
export function requireSettings(where: string, settings: PriorBoostSettings): void {
  const { stages, fractions, finalRho, validation, stopEarly, run } = settings;
  requireInteger(`${where}: bagSize`, settings.bagSize, 1);
  requireInteger(`${where}: stages`, stages, 1, 1000);
  requireLength(`${where}: fractions`, fractions, stages);
  let sum = 0;
  fractions.forEach((share, t) => {
    requirePositive(`${where}: fractions[${t}]`, share);
    sum += share;
  });
  if (Math.abs(sum - 1) > 1e-9) {
    throw new InvalidArgumentError(`${where}: fractions sum to ${sum}; expected 1.`);
  }
  requireNumber(`${where}: priorRho`, settings.priorRho, 0);
  if (finalRho !== 'cv') requireNumber(`${where}: finalRho`, finalRho, 0);
  requireOneOf(`${where}: pool`, settings.pool, POOLS);
  requireOneOf(`${where}: priorPool`, settings.priorPool, POOLS);
  requireOneOf(`${where}: bagger`, settings.bagger, BAGGERS);
  requireOneOf(`${where}: split`, settings.split, ['random', 'temporal']);
  requireNumber(`${where}: validation`, validation, 0, 0.5);
  if ((stopEarly || finalRho === 'cv') && validation === 0) {
    throw new InvalidArgumentError(
      `${where}: ${stopEarly ? 'stopEarly is true' : "finalRho is 'cv'"} with validation 0; expected a share > 0 to measure on. Leave validation out for 0.1.`,
    );
  }
  requireOneOf(`${where}: onBadPrior`, settings.onBadPrior, ['error', 'random']);
  requireSeed(`${where}: seed`, settings.seed);
  if (!/^[A-Za-z0-9_.-]{1,48}$/.test(run)) {
    throw new InvalidArgumentError(
      `${where}: run is "${run}"; expected 1 to 48 letters, digits, "_", "." or "-".`,
    );
  }
}
