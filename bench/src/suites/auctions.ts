// Auctions by the million. What the error of each part is relative to is said there.

import type { Case, Once } from '../measure.ts';
import { equilibriumCases } from './auctions/equilibrium.ts';
import { kernelCases } from './auctions/kernel.ts';

export async function* cases(): AsyncGenerator<Case | Once> {
  yield* kernelCases();
  yield* equilibriumCases();
}
