// A long exact call in parts, so that it can be stopped and can say how far it is: whole key heads, or runs of rows of one head.

import type { AttentionLogits } from '../kernels/index.ts';

/** Floating-point operations of a part, about: a fraction of a second. */
const PART = 4e10;

/** Some query rows of some heads. */
export interface Strip {
  logits: AttentionLogits;
  /** Rows (head · n_q + row) whose results it gives: [start, end), contiguous. */
  start: number;
  end: number;
}

/** @param part - operations of a part; each row is in exactly one, in order, and sees what it saw in the whole */
export function* strips(logits: AttentionLogits, part: number = PART): Generator<Strip> {
  const { heads, keyHeads, queryRows, keyRows, dim, valueDim, causalOffset, slopes } = logits;
  const group = heads / keyHeads;
  const rowCost = 2 * keyRows * (dim + valueDim);
  const headCost = rowCost * queryRows;
  if (group * headCost <= part || headCost === 0) {
    const step = Math.max(1, Math.floor(part / (group * headCost)));
    for (let first = 0; first < keyHeads; first += step) {
      const last = Math.min(keyHeads, first + step);
      yield headRange(logits, first * group, last * group, first, last);
    }
    return;
  }
  // Slopes count j − i from the row's own place, which the kernel only knows of causal rows.
  const whole = slopes !== undefined && causalOffset === undefined;
  const step = whole ? queryRows : Math.max(64, Math.floor(part / rowCost / 64) * 64);
  for (let head = 0; head < heads; head++) {
    const keyHead = Math.floor(head / group);
    const own = headRange(logits, head, head + 1, keyHead, keyHead + 1);
    for (let from = 0; from < queryRows; from += step)
      yield rowRange(own, from, Math.min(queryRows, from + step));
  }
}

/** Heads [from, to) with the key heads [keyFrom, keyTo) that they read, as views. */
export function headRange(
  logits: AttentionLogits,
  from: number,
  to: number,
  keyFrom: number,
  keyTo: number,
): Strip {
  const { queries, keys, values, queryRows, keyRows, dim, valueDim, keyLogWeights, bias, slopes } = logits;
  const square = queryRows * keyRows;
  return {
    logits: {
      ...logits,
      heads: to - from,
      keyHeads: keyTo - keyFrom,
      queries: queries.subarray(from * queryRows * dim, to * queryRows * dim),
      keys: keys.subarray(keyFrom * keyRows * dim, keyTo * keyRows * dim),
      values: values.subarray(keyFrom * keyRows * valueDim, keyTo * keyRows * valueDim),
      keyLogWeights: keyLogWeights?.subarray(keyFrom * keyRows, keyTo * keyRows),
      bias: bias && bias.length > square ? bias.subarray(from * square, to * square) : bias,
      slopes: slopes?.subarray(from, to),
    },
    start: from * queryRows,
    end: to * queryRows,
  };
}

/** @param strip - of one head */
function rowRange({ logits, start }: Strip, from: number, to: number): Strip {
  const { queries, dim, keyRows, causalOffset, bias } = logits;
  return {
    logits: {
      ...logits,
      queryRows: to - from,
      queries: queries.subarray(from * dim, to * dim),
      causalOffset: causalOffset === undefined ? undefined : causalOffset + from,
      bias: bias?.subarray(from * keyRows, to * keyRows),
    },
    start: start + from,
    end: start + to,
  };
}
