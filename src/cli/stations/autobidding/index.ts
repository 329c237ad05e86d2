// Autobidding: its place in the tour, and the findings of arXiv 2311.10679.

import type { SystemStation } from '../station.ts';
import { budgets, policies, predictions } from './beyond.ts';
import { dynamics } from './dynamics.ts';
import { certificates, formats, nonUniformity, vcgFlat } from './findings.ts';
import { formatOrder } from './format-order.ts';
import { priceOfAnarchy } from './price-of-anarchy.ts';
import { whatIfTour } from './what-if.ts';

export const autobiddingStation: SystemStation = {
  system: 'autobidding',
  tour: whatIfTour,
  protocols: [
    formats,
    nonUniformity,
    vcgFlat,
    certificates,
    formatOrder,
    dynamics,
    priceOfAnarchy,
    budgets,
    policies,
    predictions,
  ],
};
