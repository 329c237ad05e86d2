// PriorBoost: its place in the tour, and the experiments of its paper.

import type { SystemStation } from '../station.ts';
import { housePrices } from './house-prices.ts';
import { labelPrivacy } from './label-privacy.ts';
import { linear } from './linear.ts';
import { logistic } from './logistic.ts';
import { stageCounts } from './stage-counts.ts';
import { tables } from './tables.ts';

export const priorBoostStation: SystemStation = {
  system: 'priorboost',
  tour: housePrices,
  protocols: [linear, stageCounts, logistic, labelPrivacy, tables],
};
