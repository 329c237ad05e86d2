// The kernel of auctions against NumPy (rows sorted at once) and against the auction loop of amzn/auction-gym, which check nothing either; one row
// is runAuctions with all its checks. Error: largest difference of an advertiser's spend, relative to the peer's.

import { availableParallelism } from 'node:os';
import { auctionTotals } from '../../../../src/autobidding/auction/run-auctions.ts';
import { createMarket, runAuctions, type Setting } from '../../../../src/autobidding/index.ts';
import { createRng } from '../../../../src/core/rng.ts';
import type { Backend } from '../../../../src/kernels/index.ts';
import { auctionGym } from '../../auction-gym.ts';
import { type Case, type Contest, timed } from '../../measure.ts';
import { PythonPeer } from '../../peer.ts';
import { threadsText } from '../../threads.ts';

const PARTICIPANTS = 8;
const ADVERTISERS = 24;
const DISCOUNTS = [1, 0.7, 0.5, 0.35];
/** Sums of up to 10⁶ payments in two orders. */
const MOST_ERROR = 1e-9;

export async function* kernelCases(): AsyncGenerator<Case> {
  const auctions = 1_000_000;
  const size = `P=${PARTICIPANTS} S=${DISCOUNTS.length} m=${auctions}`;
  const million = { unit: 'M/s', work: auctions / 1e6 };
  for (const format of ['gsp', 'vcg'] as const) {
    for (const threads of availableParallelism() > 1 ? [1, 2] : [1]) {
      yield {
        name: `auctions/s ${format} ${size} ${threadsText(threads)} vs NumPy (vectorised argsort)`,
        ...million,
        setUp: () => againstNumpy(format, auctions, { threads }),
      };
    }
  }
  for (const backend of ['wasm', 'ts'] as const) {
    yield {
      name: `auctions/s gsp ${size} ${backend} 1 thread vs NumPy (vectorised argsort)`,
      ...million,
      setUp: () => againstNumpy('gsp', auctions, { threads: 1, backend }),
    };
  }
  if (availableParallelism() > 1) {
    yield {
      name: `auctions/s gsp ${size} 2 threads vs our 1 thread`,
      ...million,
      rounds: 11,
      setUp: () => threadsContest(auctions),
    };
  }
  const folder = auctionGym();
  if (!folder) {
    console.error(
      'bench: amzn/auction-gym cannot be fetched here, so its case is skipped. PROVABLY_AUCTION_GYM names a checkout.',
    );
    return;
  }
  const few = 50_000;
  yield {
    name: `auctions/s gsp P=${PARTICIPANTS} S=${DISCOUNTS.length} m=${few} 1 thread vs amzn/auction-gym's auction loop`,
    ...{ unit: 'M/s', work: few / 1e6 },
    setUp: () => againstAuctionGym(few, folder),
  };
}

/** Lognormal bids of eight advertisers of 24. */
function randomSetting(
  format: 'gsp' | 'vcg',
  auctions: number,
  discounts: readonly number[] = DISCOUNTS,
): Setting {
  const rng = createRng(1);
  const auction = Uint32Array.from({ length: auctions * PARTICIPANTS }, (_, row) =>
    Math.floor(row / PARTICIPANTS),
  );
  // Three apart, from a random one on: eight different ones.
  let first = 0;
  const advertiser = auction.map((_, row) => {
    if (row % PARTICIPANTS === 0) first = rng.integer(ADVERTISERS);
    return (first + 3 * (row % PARTICIPANTS)) % ADVERTISERS;
  });
  const value = Float64Array.from(auction, () => Math.exp(0.6 * rng.normal()));
  const market = createMarket({ auction, advertiser, value }, { discounts, advertisers: ADVERTISERS });
  return { market, buckets: { count: 1, ofEntry: new Uint16Array(value.length) }, rules: { format } };
}

async function againstNumpy(format: 'gsp' | 'vcg', auctions: number, ours: Ours): Promise<Contest> {
  const setting = randomSetting(format, auctions);
  return contest(setting, ours, async (peer) => {
    await load(peer, setting);
    return { command: 'run_numpy', args: { format } };
  });
}

/** Its slots all count in full and its prices are second prices, so ours are told the same. */
async function againstAuctionGym(auctions: number, folder: string): Promise<Contest> {
  const setting = randomSetting(
    'gsp',
    auctions,
    DISCOUNTS.map(() => 1),
  );
  return contest(setting, { threads: 1, repeats: 20 }, async (peer) => {
    await load(peer, setting);
    await peer.call('load_auction_gym', { folder });
    return { command: 'run_auction_gym', args: { slots: DISCOUNTS.length } };
  });
}

async function load(peer: PythonPeer, { market }: Setting): Promise<void> {
  await peer.call('load', {
    bids: peer.share('bids', market.values),
    advertisers: peer.share('advertisers', market.advertiserOf),
    participants: PARTICIPANTS,
    discounts: [...market.discounts],
  });
}

interface Ours {
  threads: number;
  /** Runs that one round times, so that it is not too short to be timed. Default 1. */
  repeats?: number;
  /** Default: the fastest. */
  backend?: Backend;
  /** The public function with its checks, not the kernel alone. Default false. */
  checked?: boolean;
}

async function contest(
  setting: Setting,
  { threads, repeats = 1, backend, checked = false }: Ours,
  prepare: (peer: PythonPeer) => Promise<{ command: string; args: Record<string, string | number> }>,
): Promise<Contest> {
  const peer = new PythonPeer('auctions', 1);
  const { command, args } = await prepare(peer);
  const before = process.env.PROVABLY_KERNELS;
  if (backend) process.env.PROVABLY_KERNELS = backend;
  const bids = setting.market.values;
  // The optimum is another question, so nobody is asked for it.
  const run = () =>
    checked
      ? runAuctions(setting, { bids }, { threads, optimum: 0 })
      : auctionTotals(setting, bids, { threads });
  return {
    async check() {
      const { totals } = await run();
      await peer.call(command, args);
      await peer.call('write_spend', { path: peer.pathOf('spend') });
      const error = new Float64Array(peer.read('spend')).reduce(
        (most, spend, i) => Math.max(most, Math.abs(totals.spend[i] - spend) / spend),
        0,
      );
      if (!(error <= MOST_ERROR)) throw new Error(`spend differs from the peer's by ${error} of it`);
      return error;
    },
    async ours() {
      const seconds = await timed(async () => {
        for (let r = 0; r < repeats; r++) await run();
      });
      return seconds / repeats;
    },
    peer: () => peer.call<number>(command, args),
    async [Symbol.asyncDispose]() {
      if (before === undefined) delete process.env.PROVABLY_KERNELS;
      else process.env.PROVABLY_KERNELS = before;
      await peer[Symbol.asyncDispose]();
    },
  };
}

async function threadsContest(auctions: number): Promise<Contest> {
  const setting = randomSetting('gsp', auctions);
  const run = (threads: number) =>
    runAuctions(setting, { bids: setting.market.values }, { threads, optimum: 0 });
  return {
    async check() {
      const [one, two] = [await run(1), await run(2)];
      if (one.profit !== two.profit) throw new Error(`2 threads give ${two.profit}, 1 thread ${one.profit}`);
      return 0;
    },
    ours: () => timed(() => run(2)),
    peer: () => timed(() => run(1)),
    async [Symbol.asyncDispose]() {},
  };
}
