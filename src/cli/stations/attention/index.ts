// HyperAttention: its place in the tour, and the experiments of its paper.

import type { SystemStation } from '../station.ts';
import { ablation } from './ablation.ts';
import { accuracy } from './accuracy.ts';
import { causal } from './causal.ts';
import { denoisingTour } from './denoising.ts';
import { parameters } from './parameters.ts';
import { speed } from './speed.ts';

export const attentionStation: SystemStation = {
  system: 'attention',
  tour: denoisingTour,
  protocols: [accuracy, ablation, speed, causal, parameters],
};
