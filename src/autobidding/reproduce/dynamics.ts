// Ways to learn a mixed equilibrium, compared: certified regret against time, beside the pure profile of gradient play.

import { requirePositive } from '../../core/check.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng } from '../../core/rng.ts';
import {
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
  type Verdict,
} from '../../reproduce/protocol.ts';
import { findEquilibrium } from '../equilibrium/index.ts';
import { OVERSPEND_ALLOWED } from '../equilibrium/objective.ts';
import { requireNestedLevels, topicBuckets } from '../market/buckets.ts';
import { findMixedEquilibrium, jointGap, type MixedMethod } from '../mixed/index.ts';
import { matchRegrets } from '../mixed/regret-matching.ts';
import { drawMarket, type SweepGenerator } from '../sweep/cell.ts';
import type { AuctionFormat, EquilibriumGap, Profile, Setting } from '../types.ts';
import { REGRET_WANTED } from './mixed-cell.ts';

export interface DynamicsOptions extends ProtocolOptions {
  /** Default: both generators with their defaults. */
  generators?: readonly SweepGenerator[] | undefined;
  /** K's, each a divisor of the next and of the topics. Default 2, 8. */
  levels?: readonly number[] | undefined;
  /** Iterations of all methods are multiplied by it, > 0. Default 1. */
  effort?: number | undefined;
}

/** One way to learn, in one format at one level of one generator: over seeds. */
export interface DynamicsRow {
  generator: string;
  level: number;
  format: AuctionFormat;
  method: string;
  strategies: 'pure' | 'mixed';
  /** Certified value-weighted regret; largest certified regret of any advertiser of any seed; largest overspend. */
  regret: Measured;
  worstRegret: number;
  worstOverspend: number;
  /** W ÷ W*. */
  welfare: Measured;
  /** Processor time of this process, certificate included: not repeatable to the bit. */
  seconds: Measured;
}

/** Time-averaged joint play of regret matching, held against commitments: a weaker notion than that of the rows. */
export interface JointPlayRow {
  generator: string;
  level: number;
  format: AuctionFormat;
  /** Joint profiles, spread evenly over the second half of the iterations: 64, or fewer where it is shorter. */
  profiles: number;
  /** Certified value-weighted regret as a coarse correlated equilibrium. */
  regret: Measured;
  /** Largest overspend of any advertiser: play is as it was, nothing is scaled to targets. */
  worstOverspend: number;
}

export interface DynamicsFigures {
  rows: DynamicsRow[];
  joint: JointPlayRow[];
}

interface Run {
  gap: EquilibriumGap;
  outcome: { welfare: number; optimum: number };
}

interface Method {
  name: string;
  strategies: 'pure' | 'mixed';
  run(setting: Setting, options: { signal?: AbortSignal | undefined }): Promise<Run>;
}

/** Joint profiles of the time-averaged play. */
const JOINT_PROFILES = 64;

const FORMATS = ['fpa', 'gsp'] as const;

/** Short and long runs of both ways to learn mixed strategies, of about the same time; and gradient play. */
function methodsOf(effort: number): Method[] {
  const mixed = (name: string, method: MixedMethod, most: number): Method => {
    const iterations = Math.ceil(most * effort);
    return {
      name: `${name}, ${iterations} iterations`,
      strategies: 'mixed',
      run: async (setting, { signal }) =>
        (await findMixedEquilibrium(setting, { method, iterations, signal })).value,
    };
  };
  return [
    mixed('fictitious play', 'fictitious-play', 200),
    mixed('regret matching', 'regret-matching', 400),
    mixed('fictitious play', 'fictitious-play', 800),
    mixed('regret matching', 'regret-matching', 1600),
    {
      name: 'optimistic mirror descent, then endgame',
      strategies: 'pure',
      run: async (setting, { signal }) => {
        const iterations = Math.ceil(100 * effort);
        return (await findEquilibrium(setting, { dynamics: 'optimistic', iterations, signal })).value;
      },
    },
  ];
}

/**
 * Smoothed fictitious play and regret matching in mixed strategies, and optimistic mirror descent in pure ones, in first price and GSP.
 *
 * All from multipliers of 1, all certified by exact landscapes. Default seeds 200, 201, 202: about 10 minutes of one core.
 *
 * @throws {InvalidArgumentError} levels that do not nest, or a bad parameter of a generator @throws `signal.reason` when cancelled
 */
export async function reproduceDynamics(
  options: DynamicsOptions = {},
): Promise<ProtocolReport<DynamicsFigures>> {
  const {
    seeds = [200, 201, 202],
    generators = [{ name: 'provably' }, { name: 'gamma-topic' }],
    levels = [2, 8],
    effort = 1,
  } = options;
  requireNestedLevels('reproduceDynamics: levels', levels);
  requirePositive('reproduceDynamics: effort', effort);
  const methods = methodsOf(effort);
  const cells = generators.flatMap((generator) =>
    levels.flatMap((level) => FORMATS.map((format) => ({ generator, level, format }))),
  );
  const rows: DynamicsRow[] = [];
  const joint: JointPlayRow[] = [];
  for (const [at, { generator, level, format }] of cells.entries()) {
    const joints: { gap: EquilibriumGap; profiles: number }[] = [];
    const runs: (Run & { seconds: number })[][] = methods.map(() => []);
    for (const [s, seed] of seeds.entries()) {
      const part = partOf(options, 'dynamics', at * seeds.length + s, cells.length * seeds.length);
      const generated = drawMarket(generator, seed);
      const buckets = topicBuckets(generated, level);
      const setting: Setting = { market: generated.market, buckets, rules: { format } };
      for (const [m, method] of methods.entries()) {
        const before = process.cpuUsage();
        const { gap, outcome } = await method.run(setting, part);
        const { user, system } = process.cpuUsage(before);
        runs[m].push({ gap, outcome, seconds: (user + system) / 1e6 });
      }
      joints.push(await jointPlayGap(setting, Math.ceil(1600 * effort), part));
    }
    joint.push({
      ...{ generator: generator.name, level, format },
      profiles: Math.min(...joints.map(({ profiles }) => profiles)),
      regret: measure(joints.map(({ gap }) => gap.meanRegretBound)),
      worstOverspend: Math.max(...joints.map(({ gap }) => gap.maxOverspend)),
    });
    for (const [m, { name, strategies }] of methods.entries()) {
      const most = (read: (gap: EquilibriumGap) => number) =>
        Math.max(...runs[m].map(({ gap }) => read(gap)));
      rows.push({
        ...{ generator: generator.name, level, format, method: name, strategies },
        regret: measure(runs[m].map(({ gap }) => gap.meanRegretBound)),
        worstRegret: most(({ maxRegretBound }) => maxRegretBound),
        worstOverspend: most(({ maxOverspend }) => maxOverspend),
        welfare: measure(runs[m].map(({ outcome }) => outcome.welfare / outcome.optimum)),
        seconds: measure(runs[m].map(({ seconds }) => seconds)),
      });
    }
  }
  return {
    id: 'D1',
    title: 'Dynamics: who comes nearest to rest',
    setting: { generators: generators.map(({ name }) => name), levels, effort, seeds },
    figures: { rows, joint },
    verdicts: verdictsOf(rows, methods),
  };
}

/** The gap of regret matching's joint play, of its second half. */
async function jointPlayGap(
  setting: Setting,
  iterations: number,
  { signal }: RunOptions,
): Promise<{ gap: EquilibriumGap; profiles: number }> {
  const start = new Float64Array(setting.market.advertisers * setting.buckets.count).fill(1);
  const profiles: Profile[] = [];
  const play = matchRegrets(setting, start, createRng(0).fork('joint play'), {
    ...{ iterations, looks: [], draws: 1, spread: 0.01, memory: 2, signal },
    onDraw: (t, logs) => {
      const due = iterations * (0.5 + (0.5 * (profiles.length + 1)) / JOINT_PROFILES);
      if (t + 1 >= due) profiles.push(logs.map(Math.exp));
    },
  });
  await play.next(); // the average after the last iteration; what was drawn on the way is looked at instead
  const { value: gap } = await jointGap(setting, profiles, undefined, { signal });
  return { gap, profiles: profiles.length };
}

function verdictsOf(rows: readonly DynamicsRow[], methods: readonly Method[]): Verdict[] {
  const worst = (method: Method) =>
    Math.max(...rows.filter((row) => row.method === method.name).flatMap(({ regret }) => regret.values));
  const [play, , , matching] = methods;
  const mixedRows = rows.filter(({ strategies }) => strategies === 'mixed');
  return [
    ...[play, matching].map((method) =>
      judge(`${method.name}: regret weighted by value, worst market`, worst(method), {
        ...{ high: REGRET_WANTED, unit: 'share of value' },
      }),
    ),
    judge('mixed strategies keep targets', Math.max(...mixedRows.map((row) => row.worstOverspend)), {
      ...{ high: OVERSPEND_ALLOWED, unit: 'spend ÷ value − 1' },
    }),
  ];
}
