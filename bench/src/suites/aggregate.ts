// Learning from aggregate responses: how bags are formed, and models from bag means. What the error of each part is relative to is said there.

import type { Case, Once } from '../measure.ts';
import { fitCases } from './aggregate/fits.ts';
import { slicingCases } from './aggregate/slicing.ts';

export function* cases(): Generator<Case | Once> {
  yield* slicingCases();
  yield* fitCases();
}
