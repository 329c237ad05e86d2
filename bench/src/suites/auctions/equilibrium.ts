// Equilibria: one iteration on a large market, and the time to a certified regret against plain best-response iteration.
// Error: value-weighted regret of our profile as certified; 0 for single iterations.

import {
  dampedBestResponse,
  plainBestResponse,
} from '../../../../src/autobidding/equilibrium/dynamics/best-response.ts';
import { lookAt } from '../../../../src/autobidding/equilibrium/look.ts';
import { setTable } from '../../../../src/autobidding/equilibrium/table.ts';
import {
  type AuctionFormat,
  findEquilibrium,
  provablyGenerator,
  type Setting,
  topicBuckets,
} from '../../../../src/autobidding/index.ts';
import { type Case, type Contest, timed } from '../../measure.ts';

/** Iterations after which the plain dynamic is stopped: as many as usual studies run. */
const MOST_ITERATIONS = 120;

const MET = 1e-4;

export async function* equilibriumCases(): AsyncGenerator<Case> {
  yield {
    name: 'Jacobi iteration fpa n=24 m=100000 P=8 K=16 on a grid vs exact landscapes',
    unit: 's',
    work: 1,
    rounds: 3,
    setUp: iterationContest,
  };
  for (const [format, buckets, regret] of [
    ['vcg', 8, 0.001],
    ['gsp', 8, 0.005],
    ['fpa', 2, 0.005],
  ] as const) {
    yield {
      name: `equilibrium of regret ≤ ${100 * regret} % ${format} n=12 m=2000 P=8 K=${buckets} vs plain best responses (stopped after ${MOST_ITERATIONS})`,
      unit: 's',
      work: 1,
      rounds: 3,
      setUp: () => equilibriumContest(format, buckets, regret),
    };
  }
}

function settingOf(format: AuctionFormat, buckets: number, auctions: number, advertisers: number): Setting {
  const generated = provablyGenerator({ advertisers, auctions, seed: 200 });
  return { market: generated.market, buckets: topicBuckets(generated, buckets), rules: { format } };
}

async function iterationContest(): Promise<Contest> {
  const setting = settingOf('fpa', 16, 100_000, 24);
  const onGrid = setTable(setting);
  const exact = { ...setTable(setting), grid: undefined };
  const [ours, peer] = [dampedBestResponse(onGrid, 0), dampedBestResponse(exact, 0)];
  let iteration = 0;
  return {
    check: async () => 0,
    ours: () => timed(async () => ours(iteration++)),
    peer: () => timed(async () => peer(iteration)),
    async [Symbol.asyncDispose]() {},
  };
}

async function equilibriumContest(format: AuctionFormat, buckets: number, regret: number): Promise<Contest> {
  const setting = settingOf(format, buckets, 2000, 12);
  return {
    async check() {
      const { value, certificate } = await findEquilibrium(setting);
      if (value.gap.maxOverspend > MET || certificate.bound.value > regret) {
        throw new Error(`certified regret ${certificate.bound.value}, overspend ${value.gap.maxOverspend}`);
      }
      return certificate.bound.value;
    },
    ours: () => timed(() => findEquilibrium(setting)),
    peer: () => timed(() => iteratePlainly(setting, regret)),
    async [Symbol.asyncDispose]() {},
  };
}

/** Until the profile played has the regret and keeps all targets, as the iteration itself sees it. */
async function iteratePlainly(setting: Setting, regret: number): Promise<void> {
  const table = setTable(setting);
  const iterate = plainBestResponse(table, 0);
  for (let t = 0; t < MOST_ITERATIONS; t++) {
    const seen = lookAt(table, await iterate(t));
    if ((seen.regret ?? Infinity) <= regret && seen.overspend <= MET) return;
  }
}
