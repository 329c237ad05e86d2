// Every system that the tour visits, in its order. To add one: write `stations/<system>/` and name it here.

import { aggregateStation } from './aggregate/index.ts';
import { attentionStation } from './attention/index.ts';
import { autobiddingStation } from './autobidding/index.ts';
import { llmStation } from './llm/index.ts';
import { priorBoostStation } from './priorboost/index.ts';
import { selectionStation } from './selection/index.ts';
import type { SystemStation } from './station.ts';
import { subgenStation } from './subgen/index.ts';

export const stations: readonly SystemStation[] = [
  selectionStation,
  attentionStation,
  subgenStation,
  llmStation,
  aggregateStation,
  priorBoostStation,
  autobiddingStation,
];
