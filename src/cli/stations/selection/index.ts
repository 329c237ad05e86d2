// Data selection: its place in the tour, and the experiments of its paper.

import type { SystemStation } from '../station.ts';
import { accuracy } from './accuracy.ts';
import { clusterCounts } from './cluster-counts.ts';
import { estimation } from './estimation.ts';
import { longTail, longTailTour } from './long-tail.ts';
import { outliers } from './outliers.ts';
import { regression } from './regression.ts';
import { rounds } from './rounds.ts';

export const selectionStation: SystemStation = {
  system: 'selection',
  tour: longTailTour,
  protocols: [estimation, accuracy, longTail, regression, outliers, rounds, clusterCounts],
};
