// Which samples of a table are to be put into bags: all of them, or the part that this stage asks about.

import { requireInteger } from '../../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../../core/errors.ts';

/** A part of a table, so that each stage can bag samples of its own. */
export interface PartOptions {
  /** members[i] is the sample that entry i stands for, shape (n,); each at most once. Default: sample i. */
  members?: Uint32Array | undefined;
  /** Samples of the whole table. Default: n, or with `members` one more than the largest of them. */
  samples?: number | undefined;
}

/** A part, checked. */
export interface Part {
  /** Entries to put into bags, n ≥ 1. */
  readonly count: number;
  readonly members: Uint32Array | undefined;
  readonly samples: number;
}

/**
 * @param where - public function, for messages
 * @param count - entries the function was given; left out: as many as there are members
 * @throws {ShapeError} there are not `count` members
 * @throws {InvalidArgumentError} there is nothing, or a member is out of range or there twice
 */
export function requirePart(where: string, { members, samples }: PartOptions, count?: number): Part {
  const entries = count ?? members?.length ?? samples ?? 0;
  if (members && members.length !== entries) {
    throw new ShapeError(
      `${where}: members has length ${members.length}; expected ${entries}, one an entry.`,
    );
  }
  if (entries === 0) {
    throw new InvalidArgumentError(`${where}: there are no samples; expected at least one.`);
  }
  const total =
    samples ?? (members ? members.reduce((most, sample) => Math.max(most, sample), 0) + 1 : entries);
  requireInteger(`${where}: samples`, total, 1, 0xfffffffe);
  if (!members) {
    if (total < entries) {
      throw new InvalidArgumentError(
        `${where}: samples is ${total}; expected at least ${entries}, the number of entries.`,
      );
    }
    return { count: entries, members, samples: total };
  }
  requireDistinct(where, members, total);
  return { count: entries, members, samples: total };
}

/** @throws {InvalidArgumentError} bags of so many do not fit in */
export function requireBagSize(where: string, name: string, size: number, count: number): void {
  requireInteger(`${where}: ${name}`, size, 1);
  if (size > count) {
    throw new InvalidArgumentError(
      `${where}: ${count} samples cannot make a bag of ${name} = ${size}; expected at least ${size}. Take smaller bags or fewer stages.`,
    );
  }
}

/** Positions within the part as samples of the table; in place. */
export function toSamples(positions: Uint32Array, { members }: Part): Uint32Array {
  if (members) for (let i = 0; i < positions.length; i++) positions[i] = members[positions[i]];
  return positions;
}

function requireDistinct(where: string, members: Uint32Array, samples: number): void {
  const seen = new Uint8Array(samples);
  for (let i = 0; i < members.length; i++) {
    const sample = members[i];
    if (sample >= samples) {
      throw new InvalidArgumentError(
        `${where}: members[${i}] is ${sample}; expected a sample below ${samples}.`,
      );
    }
    if (seen[sample]) {
      throw new InvalidArgumentError(
        `${where}: members[${i}] is ${sample}, which is there before; expected each sample once.`,
      );
    }
    seen[sample] = 1;
  }
}
