// What a query must look like before anything else is decided about it.

import type { Bags } from '../bags/bags.ts';
import { epsilonUnits, unitsToEpsilon } from '../privacy/epsilon.ts';
import type { AggregatorQuery, SampleId } from '../protocol.ts';
import { RefusedError } from '../refused-error.ts';
import type { LabelStore } from './label-store.ts';

export interface QueryLimits {
  minBag: number;
  maxBags: number;
  /** In units of 10⁻⁹. */
  minUnits: number;
  maxUnits: number;
}

/** A query in rows, taken over by value: the asker may change theirs meanwhile. */
export interface CheckedQuery {
  stage: string;
  units: number;
  bags: Bags;
}

/** Characters of an id that a message repeats. */
const LONGEST_ID = 80;

const STAGE = /^[A-Za-z0-9_.-]{1,64}$/;

/** True for the name of a stage: 1 to 64 letters, digits, "_", "." or "-". */
export function isStage(stage: unknown): stage is string {
  return typeof stage === 'string' && STAGE.test(stage);
}

/**
 * @throws {RefusedError} 'malformed', 'too-many-bags', 'epsilon-too-large', 'bag-too-small' or 'unknown-sample', in this order. Depends on ids and sizes alone.
 *
 * O(ids).
 */
export function checkQuery(query: AggregatorQuery, limits: QueryLimits, store: LabelStore): CheckedQuery {
  const { stage, bags, epsilon } = requireForm(query);
  if (bags.length > limits.maxBags) {
    throw new RefusedError(
      'too-many-bags',
      `query: it holds ${bags.length} bags; expected at most ${limits.maxBags}. Ask in parts of the same stage.`,
    );
  }
  const units = requireEpsilon(epsilon, limits);
  let total = 0;
  bags.forEach((ids, a) => {
    if (ids.length < limits.minBag) {
      throw new RefusedError(
        'bag-too-small',
        `query: bag ${a} holds ${ids.length} samples; expected at least ${limits.minBag}. Merge it with another.`,
      );
    }
    total += ids.length;
  });
  // More ids than samples repeat one: said before memory is taken for them.
  if (total > store.size) {
    throw new RefusedError(
      'repeated-sample',
      `query: it holds ${total} ids, and ${store.size} samples have labels; expected each at most once.`,
    );
  }
  const offsets = new Uint32Array(bags.length + 1);
  const members = new Uint32Array(total);
  bags.forEach((ids, a) => {
    offsets[a + 1] = offsets[a] + ids.length;
    for (let i = 0; i < ids.length; i++) members[offsets[a] + i] = requireRow(ids[i], a, i, store);
  });
  return { stage, units, bags: { samples: store.size, members, offsets } };
}

function requireForm(query: AggregatorQuery): AggregatorQuery {
  if (typeof query !== 'object' || query === null) {
    throw new RefusedError('malformed', 'query: it is no object; expected { stage, bags, epsilon? }.');
  }
  const { stage, bags, epsilon } = query;
  if (!isStage(stage)) {
    throw new RefusedError(
      'malformed',
      'query: stage is no name; expected 1 to 64 letters, digits, "_", "." or "-".',
    );
  }
  if (!Array.isArray(bags) || bags.length === 0 || !bags.every((bag) => Array.isArray(bag))) {
    throw new RefusedError(
      'malformed',
      'query: bags is no list of lists; expected at least one list of ids.',
    );
  }
  if (epsilon !== undefined && (typeof epsilon !== 'number' || !(epsilon > 0))) {
    throw new RefusedError(
      'malformed',
      'query: epsilon is not above 0; expected a number > 0, or none for the default.',
    );
  }
  return { stage, bags, epsilon };
}

/** Whole billionths, rounded down: the release is private at just the ε that is charged. */
function requireEpsilon(epsilon: number | undefined, { minUnits, maxUnits }: QueryLimits): number {
  if (epsilon === undefined) return maxUnits;
  if (epsilon > unitsToEpsilon(maxUnits)) {
    throw new RefusedError(
      'epsilon-too-large',
      `query: epsilon is ${epsilon}; expected at most ${unitsToEpsilon(maxUnits)} in one release.`,
    );
  }
  if (epsilon < unitsToEpsilon(minUnits)) {
    throw new RefusedError(
      'malformed',
      `query: epsilon is ${epsilon}; expected at least ${unitsToEpsilon(minUnits)}: answers with more noise only fill the ledger.`,
    );
  }
  return epsilonUnits('query: epsilon', epsilon, 'down');
}

function requireRow(id: SampleId, a: number, i: number, store: LabelStore): number {
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) {
    throw new RefusedError(
      'malformed',
      `query: bag ${a}[${i}] is no id; expected a string or a whole number.`,
    );
  }
  const row = store.rowOf(id);
  if (row === undefined) {
    throw new RefusedError(
      'unknown-sample',
      `query: bag ${a}[${i}] names ${JSON.stringify(id).slice(0, LONGEST_ID)}, which has no label here; expected ids of the label table.`,
    );
  }
  return row;
}
