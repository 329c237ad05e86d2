// The beginning of a run: who is in which stage, before anything is asked.

import { requireFinite, requireLength } from '../../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../../core/errors.ts';
import { type Matrix64, requireFiniteMatrix, requireMatrix } from '../../core/matrix.ts';
import type { AggregateModel } from '../types.ts';
import { keepModel } from './fit-stages.ts';
import { type PriorBoostSettingsOptions, resolveSettings } from './settings.ts';
import { splitStages } from './split.ts';
import { PRIOR_BOOST_STATE_VERSION, type PriorBoostState, type StageRecord, stageName } from './state.ts';

export interface StartOptions extends PriorBoostSettingsOptions {
  /**
   * Model that stage 1 is sorted by, e.g. fitted to public or historical data. Never fit it to responses of these samples: label privacy would not hold.
   * Default: stage 1 has random bags.
   */
  prior?: AggregateModel | undefined;
  /** When each sample came, shape (n,), finite: the order of `split: 'temporal'`. Default: rows are in that order. */
  times?: ArrayLike<number> | undefined;
}

/**
 * Starts a run of PriorBoost on a table of features: splits its samples into disjoint stages. Asks nothing.
 *
 * @param features - shape (n, d), finite; pass the same table to every later step
 * @returns state before the first stage; `planStage` says what to ask
 * @throws {InvalidArgumentError} a setting leaves its range; a stage has fewer samples than a bag needs
 *
 * O(n·d). Reference: arXiv 2402.04987 (PriorBoost), in two phases for platforms that answer later.
 */
export function startPriorBoost(features: Matrix64, options: StartOptions): PriorBoostState {
  const where = 'startPriorBoost';
  requireMatrix(`${where}: features`, features);
  requireFiniteMatrix(`${where}: features`, features);
  const { rows: samples, cols: columns } = features;
  if (samples === 0 || columns === 0) {
    throw new ShapeError(`${where}: features has shape (${samples}, ${columns}); expected rows and columns.`);
  }
  const { prior, times } = options;
  const settings = resolveSettings(where, options);
  if (times !== undefined) {
    requireLength(`${where}: times`, times, samples);
    requireFinite(`${where}: times`, times);
    if (settings.split !== 'temporal') {
      throw new InvalidArgumentError(`${where}: times is given with split 'random'; expected 'temporal'.`);
    }
  }

  const split = splitStages(where, samples, settings, times);
  const warnings: string[] = [];
  const least = Math.min(...split.parts.map(({ length }) => Math.floor(length / settings.bagSize)));
  if (least < columns + 2) {
    warnings.push(
      `A stage has ${least} bags for ${columns} columns; with fewer than ${columns + 2} the direction that the next bags are sorted by is mostly noise. Take fewer stages or smaller bags.`,
    );
  }
  const stages = split.parts.map((part, t) => newStage(stageName(settings, t + 1), 'train', part));
  if (settings.validation > 0) {
    stages.unshift(newStage(stageName(settings, 0), 'validate', split.validation));
  }
  return {
    ...{ kind: 'priorboost', version: PRIOR_BOOST_STATE_VERSION, settings, samples, columns },
    fingerprint: fingerprintOf(features),
    learner: null,
    prior: prior ? keepModel(prior) : null,
    stages,
    stopped: false,
    warnings,
  };
}

/** @throws {InvalidArgumentError} `features` is not the table that the run was started with */
export function requireSameFeatures(where: string, state: PriorBoostState, features: Matrix64): void {
  requireMatrix(`${where}: features`, features);
  if (features.rows !== state.samples || features.cols !== state.columns) {
    throw new ShapeError(
      `${where}: features has shape (${features.rows}, ${features.cols}); expected (${state.samples}, ${state.columns}), the table of the start.`,
    );
  }
  if (fingerprintOf(features) !== state.fingerprint) {
    throw new InvalidArgumentError(
      `${where}: features differ from the table of the start; expected the same rows in the same order, since answers belong to rows.`,
    );
  }
}

/** MurmurHash3 of the features' 32-bit words: tells tables and orders of rows apart at several times the speed of a CRC; no protection against intent. */
function fingerprintOf({ data }: Matrix64): number {
  const words = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  let hash = 0;
  for (let i = 0; i < words.length; i++) {
    let word = Math.imul(words[i], 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= words.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function newStage(name: string, purpose: StageRecord['purpose'], samples: Uint32Array): StageRecord {
  return {
    ...{ name, purpose, members: Array.from(samples) },
    ...{ offsets: null, origin: null, answers: null, model: null, validationLoss: null },
  };
}
