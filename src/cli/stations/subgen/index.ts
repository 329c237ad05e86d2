// Key-value caches: their place in the tour, and the experiments of SubGen's paper.

import type { SystemStation } from '../station.ts';
import { clusters } from './clusters.ts';
import { errorLaw } from './error-law.ts';
import { memoryTour } from './memory.ts';
import { needle } from './needle.ts';
import { policies } from './policies.ts';
import { residuals } from './residuals.ts';
import { windowShare } from './window-share.ts';

export const subgenStation: SystemStation = {
  system: 'subgen',
  tour: memoryTour,
  protocols: [clusters, errorLaw, policies, needle, windowShare, residuals],
};
