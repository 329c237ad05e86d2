// What every fit asks of its data, with messages that name the bag.

import { requireLength, requireOneOf } from '../../core/check.ts';
import { DataError, InvalidArgumentError, ShapeError } from '../../core/errors.ts';
import { requireMatrix } from '../../core/matrix.ts';
import { requireBags } from '../bags/bags.ts';
import type { AggregateData } from '../types.ts';

/** What to do about samples that are in no bag. */
export type Unassigned = 'error' | 'ignore';

/**
 * @throws {ShapeError} shapes do not fit each other
 * @throws {InvalidArgumentError} bags overlap, one is empty, or a sample is in none (with `unassigned: 'error'`)
 * @throws {DataError} a feature, mean or noise variance is not a usable number: the message names the bag
 *
 * O(n d).
 */
export function requireAggregateData(name: string, data: AggregateData, unassigned: Unassigned): void {
  const { features, bags, means, noiseVariance } = data;
  requireOneOf(`${name}: unassigned`, unassigned, ['error', 'ignore']);
  requireMatrix(`${name}: features`, features);
  requireBags(`${name}: bags`, bags);
  if (bags.samples !== features.rows) {
    throw new ShapeError(
      `${name}: features has ${features.rows} rows, bags are of ${bags.samples} samples; expected equal numbers.`,
    );
  }
  const count = bags.offsets.length - 1;
  requireLength(`${name}: means`, means, count);
  if (noiseVariance) requireLength(`${name}: noiseVariance`, noiseVariance, count);
  for (let a = 0; a < count; a++) {
    if (!Number.isFinite(means[a])) {
      throw new DataError(
        `${name}: the mean of bag ${a} is ${means[a]}; expected a finite number. Leave that bag out.`,
      );
    }
    const variance = noiseVariance?.[a] ?? 0;
    if (!(variance >= 0 && variance < Infinity)) {
      throw new DataError(
        `${name}: the noise variance of bag ${a} is ${variance}; expected a finite number ≥ 0. Leave that bag out.`,
      );
    }
    requireFiniteRows(name, data, a);
  }
  if (unassigned === 'error' && bags.members.length < bags.samples) {
    const assigned = new Uint8Array(bags.samples);
    for (const sample of bags.members) assigned[sample] = 1;
    throw new InvalidArgumentError(
      `${name}: sample ${assigned.indexOf(0)} and ${bags.samples - bags.members.length - 1} others are in no bag; ` +
        "expected each sample in one. Pass unassigned: 'ignore' to leave them out.",
    );
  }
}

function requireFiniteRows(name: string, { features, bags }: AggregateData, a: number): void {
  const { data, cols } = features;
  const { members, offsets } = bags;
  // x − x is 0 unless x is NaN or infinite: one sum tells for a whole bag, at the speed of an addition.
  let probe = 0;
  for (let i = offsets[a]; i < offsets[a + 1]; i++) {
    const start = members[i] * cols;
    for (let j = start; j < start + cols; j++) probe += data[j] - data[j];
  }
  if (probe === 0) return;
  for (let i = offsets[a]; i < offsets[a + 1]; i++) {
    const start = members[i] * cols;
    for (let j = 0; j < cols; j++) {
      if (!Number.isFinite(data[start + j])) {
        throw new DataError(
          `${name}: features is ${data[start + j]} at row ${members[i]}, column ${j}, in bag ${a}; expected finite numbers. ` +
            'Drop or repair that row.',
        );
      }
    }
  }
}
