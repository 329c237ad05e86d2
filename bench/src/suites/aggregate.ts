// Learning from aggregate responses: how bags are formed. What the error of each part is relative to is said there.

import type { Case, Once } from '../measure.ts';
import { slicingCases } from './aggregate/slicing.ts';

export function* cases(): Generator<Case | Once> {
  yield* slicingCases();
}
