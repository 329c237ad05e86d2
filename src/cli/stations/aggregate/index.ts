// Learning from bag means: its place in the tour, and the experiments of the paper on aggregate losses.

import type { SystemStation } from '../station.ts';
import { bostonLinear, randHie } from './linear-tables.ts';
import { network } from './network.ts';
import { privacyPhase } from './privacy-phase.ts';
import { realTablesTour } from './real-tables.ts';
import { rhoCurve } from './rho-curve.ts';
import { theoryCurve } from './theory-curve.ts';

export const aggregateStation: SystemStation = {
  system: 'aggregate',
  tour: realTablesTour,
  protocols: [theoryCurve, rhoCurve, privacyPhase, bostonLinear, network, randHie],
};
