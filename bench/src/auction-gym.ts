// A checkout of amzn/auction-gym (Apache-2.0), fetched for measuring only: nothing of it is ours, and nothing is kept in the repository.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = 'https://github.com/amzn/auction-gym';
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), '.auction-gym');

/** Where it lies: PROVABLY_AUCTION_GYM, or a clone made now. Undefined where it cannot be fetched. */
export function auctionGym(): string | undefined {
  const given = process.env.PROVABLY_AUCTION_GYM;
  if (given) return given;
  if (existsSync(join(folder, 'src/AuctionAllocation.py'))) return folder;
  console.error(`bench: fetching ${SOURCE} …`);
  // Nobody is there to be asked for a password.
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' };
  const { status } = spawnSync('git', ['clone', '--quiet', '--depth', '1', SOURCE, folder], {
    env,
    stdio: ['ignore', 'ignore', 'ignore'],
    timeout: 60_000,
  });
  return status === 0 ? folder : undefined;
}
