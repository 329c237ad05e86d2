// All protocols in the order of the spec: what `provably reproduce selection` runs.

import { reproduceAccuracy } from './accuracy.ts';
import { reproduceEstimation } from './estimation.ts';
import { reproduceClusterCounts } from './k-sweep.ts';
import { LONG_TAIL_ALL_ARMS, reproduceLongTail } from './long-tail.ts';
import { reproduceOutliers } from './outliers.ts';
import { firstSeeds, type ProtocolOptions, type ProtocolReport } from './protocol.ts';
import { reproduceRegression } from './regression.ts';
import { reproduceRounds } from './rounds.ts';

export interface Protocol {
  /** Name in spec 03, §4: "X1". */
  id: string;
  /** The question, one line. */
  question: string;
  /** Runs it at full size. Each ends within 10 minutes on two cores. */
  run(options: ProtocolOptions): Promise<ProtocolReport<unknown>>;
}

export const PROTOCOLS: readonly Protocol[] = [
  { id: 'X1', question: 'How well do few losses tell the sum of all?', run: reproduceEstimation },
  { id: 'X2', question: 'Does a model learn more from selected rows?', run: reproduceAccuracy },
  {
    id: 'X2b',
    question: 'And when some classes are rare?',
    run: (options) =>
      reproduceLongTail({ budgets: [500, 1500], arms: LONG_TAIL_ALL_ARMS, seeds: firstSeeds(6), ...options }),
  },
  {
    id: 'X3',
    question: 'Can clusters stand in for leverage scores in regression?',
    run: reproduceRegression,
  },
  { id: 'X4', question: 'Who falls for outliers?', run: reproduceOutliers },
  { id: 'X5', question: 'Is it better to select in rounds?', run: reproduceRounds },
  { id: 'X6', question: 'How many clusters?', run: reproduceClusterCounts },
];
