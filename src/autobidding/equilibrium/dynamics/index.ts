// All dynamics, by name.

import { dampedBestResponse, plainBestResponse } from './best-response.ts';
import { controller } from './controller.ts';
import { dualDescent } from './dual-descent.ts';
import type { Dynamic } from './dynamic.ts';
import { gaussSeidel } from './gauss-seidel.ts';
import { optimistic } from './optimistic.ts';

/** How advertisers adapt to each other on the way to an equilibrium. */
export type DynamicsName =
  | 'damped-best-response'
  | 'plain-best-response'
  | 'gauss-seidel'
  | 'controller'
  | 'dual-descent'
  | 'optimistic';

export const DYNAMICS: Readonly<Record<DynamicsName, Dynamic>> = {
  'damped-best-response': dampedBestResponse,
  'plain-best-response': plainBestResponse,
  'gauss-seidel': gaussSeidel,
  controller,
  'dual-descent': dualDescent,
  optimistic,
};
