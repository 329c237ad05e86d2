// Which sample belongs to which stage: disjoint parts, so that nobody is asked twice.

import { InvalidArgumentError } from '../../core/errors.ts';
import { createRng, shuffle } from '../../core/rng.ts';
import type { PriorBoostSettings } from './settings.ts';

/** Samples of the stages. */
export interface StageSplit {
  /** Samples held out in random bags; empty with `validation` 0. */
  validation: Uint32Array;
  /** Samples of stages 1 … T. */
  parts: Uint32Array[];
}

/**
 * Splits samples 0 … n − 1 into disjoint stages.
 *
 * @param times - shape (n,): with `split: 'temporal'`, earlier samples come in earlier stages, ties by index. Default: rows are in the order of time
 * @throws {InvalidArgumentError} a stage has fewer samples than a bag needs: found before anything is asked
 *
 * O(n), with `times` O(n log n). The hold-out is drawn from the time of the first stage, since all later samples are not there yet.
 */
export function splitStages(
  where: string,
  samples: number,
  { bagSize, fractions, split, validation, seed }: PriorBoostSettings,
  times?: ArrayLike<number>,
): StageSplit {
  const rng = createRng(seed).fork('split');
  const order = Uint32Array.from({ length: samples }, (_, i) => i);
  if (split === 'random') shuffle(order, rng);
  else if (times) order.sort((a, b) => times[a] - times[b] || a - b);

  const held = Math.round(validation * samples);
  const rest = samples - held;
  let share = 0;
  // Boundaries are rounded, not sizes: these would not add up.
  const ends = fractions.map((fraction, t) => {
    share += fraction;
    return held + (t === fractions.length - 1 ? rest : Math.round(share * rest));
  });
  if (held > 0 && split === 'temporal') shuffle(order.subarray(0, ends[0]), rng);
  const parts = ends.map((end, t) => order.slice(t === 0 ? held : ends[t - 1], end));
  const named: [string, number][] = parts.map((part, t) => [`stage ${t + 1}`, part.length]);
  if (validation > 0) named.push(['the validation stage', held]);
  for (const [name, size] of named) {
    if (size < bagSize) {
      throw new InvalidArgumentError(
        `${where}: ${name} has ${size} of ${samples} samples; expected at least bagSize = ${bagSize}. ` +
          'Take fewer stages, smaller bags or other fractions. Nothing was asked.',
      );
    }
  }
  return { validation: order.slice(0, held), parts };
}
