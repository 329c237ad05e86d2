// Language models: their place in the tour, and the experiments of both papers that need one.

import type { SystemStation } from '../station.ts';
import { generationTour } from './generation.ts';
import { headParameters } from './head-parameters.ts';
import { patchedLayers } from './patched-layers.ts';
import { prefixCompression } from './prefix-compression.ts';
import { retrieval } from './retrieval.ts';

export const llmStation: SystemStation = {
  system: 'llm',
  tour: generationTour,
  protocols: [patchedLayers, headParameters, retrieval, prefixCompression],
};
