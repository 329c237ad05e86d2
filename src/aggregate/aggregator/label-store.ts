// The labels, and the only code that reads them: sums of whole steps over rows.

import { createHash } from 'node:crypto';
import { requireLength } from '../../core/check.ts';
import { DataError, ShapeError } from '../../core/errors.ts';
import { type LabelGrid, requireExactSums, stepsOf } from '../privacy/label-grid.ts';
import type { SampleId } from '../protocol.ts';

/** A table of labels as its owner has it, in any order. */
export interface LabelTable {
  /** Id of each row, shape (n,): strings or safe integers, each once. The number 1 and the text "1" are two ids. */
  ids: ArrayLike<SampleId>;
  /** Label of each row, shape (n,), finite. */
  labels: ArrayLike<number>;
  /** Whose label it is, shape (n,). Default: every row is a person of its own. */
  people?: ArrayLike<SampleId> | undefined;
}

/** Labels by row number. Rows are numbered in the order of their ids, so that no number tells where a row stood in a file that may be sorted by label. */
export interface LabelStore {
  readonly size: number;
  /** Person of each row, numbered by first appearance; undefined when every row is its own. */
  readonly people: Uint32Array | undefined;
  /** SHA-256 of ids and people in the order of the rows, hexadecimal. Labels are not part of it. */
  readonly fingerprint: string;
  rowOf(id: SampleId): number | undefined;
  nameOf(row: number): string;
  /** Σ steps of the labels of some rows: an integer. Takes the same instructions whatever the labels are. */
  sumOf(rows: Uint32Array): number;
}

/**
 * Reads a table once: clips, rounds, numbers rows.
 *
 * @throws {DataError} an id is neither a string nor a safe integer, or is there twice; a label is not finite
 * @throws {ShapeError} columns have different lengths
 *
 * O(n log n) unless ids are in order; 4 bytes a label, and what the ids take.
 */
export function createLabelStore({ ids, labels, people }: LabelTable, grid: LabelGrid): LabelStore {
  const size = ids.length;
  if (size === 0) throw new DataError('openAggregator: labels has no row; expected at least one.');
  requireLength('openAggregator: labels.labels', labels, size);
  if (people && people.length !== size) {
    throw new ShapeError(`openAggregator: labels.people has length ${people.length}; expected ${size}.`);
  }
  requireExactSums('openAggregator', grid, size);
  const order = orderOfIds(ids);
  const sorted = Array.from(order, (i) => ids[i]);
  const steps = Int32Array.from(order, (i) => {
    // The message names the row, not the value: it may end up in a log.
    if (!Number.isFinite(labels[i])) {
      throw new DataError(
        `openAggregator: the label of ${JSON.stringify(ids[i])} is not a finite number; expected one. Leave the row out.`,
      );
    }
    return stepsOf(grid, labels[i]);
  });
  const persons = people && numberPeople(people, order);
  return {
    size,
    people: persons,
    fingerprint: fingerprintOf(sorted, persons),
    rowOf: rowFinder(sorted),
    nameOf: (row) => JSON.stringify(sorted[row]),
    sumOf(rows) {
      let sum = 0;
      for (let i = 0; i < rows.length; i++) sum += steps[rows[i]];
      return sum;
    },
  };
}

/** Positions of the ids in ascending order: numbers first, then strings by code unit. */
function orderOfIds(ids: ArrayLike<SampleId>): Uint32Array {
  let inOrder = true;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    if (typeof id !== 'string' && !Number.isSafeInteger(id)) {
      throw new DataError(
        `openAggregator: labels.ids[${i}] is ${String(id)}; expected a string or a safe integer.`,
      );
    }
    if (i > 0 && compareIds(ids[i - 1], id) >= 0) inOrder = false;
  }
  const order = Uint32Array.from({ length: ids.length }, (_, i) => i);
  if (inOrder) return order;
  order.sort((a, b) => compareIds(ids[a], ids[b]));
  for (let i = 1; i < order.length; i++) {
    if (ids[order[i - 1]] === ids[order[i]]) {
      throw new DataError(
        `openAggregator: id ${JSON.stringify(ids[order[i]])} is in the table twice; expected each once. Put the person in the people column and give rows ids of their own.`,
      );
    }
  }
  return order;
}

function compareIds(a: SampleId, b: SampleId): number {
  if (typeof a === typeof b) return a < b ? -1 : Number(a > b);
  return typeof a === 'number' ? -1 : 1;
}

function numberPeople(people: ArrayLike<SampleId>, order: Uint32Array): Uint32Array {
  const numbers = new Map<SampleId, number>();
  return Uint32Array.from(order, (i) => {
    const person = people[i];
    if (typeof person !== 'string' && !Number.isSafeInteger(person)) {
      throw new DataError(
        `openAggregator: labels.people[${i}] is ${String(person)}; expected a string or a safe integer.`,
      );
    }
    const known = numbers.get(person);
    if (known !== undefined) return known;
    numbers.set(person, numbers.size);
    return numbers.size - 1;
  });
}

function rowFinder(sorted: SampleId[]): (id: SampleId) => number | undefined {
  const first = sorted[0];
  const last = sorted[sorted.length - 1];
  if (typeof first === 'number' && typeof last === 'number' && last - first === sorted.length - 1) {
    // Whole numbers without a gap need no table.
    return (id) =>
      Number.isInteger(id) && (id as number) >= first && (id as number) <= last
        ? (id as number) - first
        : undefined;
  }
  const rows = new Map<SampleId, number>();
  sorted.forEach((id, row) => {
    rows.set(id, row);
  });
  return (id) => rows.get(id);
}

/** Ids hashed at a time. */
const CHUNK = 4096;

function fingerprintOf(ids: SampleId[], people: Uint32Array | undefined): string {
  const hash = createHash('sha256');
  for (let i = 0; i < ids.length; i += CHUNK) {
    hash.update(
      `${ids
        .slice(i, i + CHUNK)
        .map((id) => JSON.stringify(id))
        .join('\n')}\n`,
    );
  }
  if (people) hash.update(littleEndian(people));
  return hash.digest('hex');
}

/** Four bytes a number, low byte first, on any machine. */
export function littleEndian(numbers: Uint32Array): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((x, i) => {
    bytes.setUint32(4 * i, x, true);
  });
  return new Uint8Array(bytes.buffer);
}
