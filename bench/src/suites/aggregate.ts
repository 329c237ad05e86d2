// Learning from aggregate responses: models from bag means. What the error of each part is relative to is said there.

import type { Case, Once } from '../measure.ts';
import { fitCases } from './aggregate/fits.ts';

export function* cases(): Generator<Case | Once> {
  yield* fitCases();
}
