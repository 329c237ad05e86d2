// The work of `provably serve --labels` and `provably aggregate serve`.

import { openAggregator } from '../../aggregate/aggregator/index.ts';
import { startAggregatorServer, writeLine } from '../../server/index.ts';
import type { CliContext } from '../context.ts';
import { given } from '../given.ts';
import { announceAndWait, type NetworkFlags, readApiKeys } from '../network-flags.ts';
import { showProgress } from '../progress.ts';
import { readLabelTable } from './label-table.ts';
import { type AggregatorFlags, requireAggregatorFlags } from './serve-flags.ts';

/** Serves until the context's signal says to stop; then ends when every charge is on disk. */
export async function runAggregatorServe(
  flags: AggregatorFlags & NetworkFlags,
  context: CliContext,
): Promise<void> {
  const { stderr, signal } = context;
  const { labels: path, id, label, person, ...chosen } = requireAggregatorFlags(flags);
  const { table, bounds, grid, minBag, epsilon: budget, epsilonPerRelease = budget } = chosen;
  const { minEpsilon, maxBags, onRepeat, cadence, ledger, head: kept } = chosen;
  const apiKeys = await readApiKeys(flags.apiKeysFile);
  // Without a terminal, standard error is a log of JSON lines.
  using progress = showProgress(context, { quiet: flags.quiet || !stderr.isTTY });
  const labels = await readLabelTable(path, { id, label, person }, signal);
  await using aggregator = await openAggregator(
    {
      ...{ labels, ledger, bounds, minBag, budget, epsilonPerRelease },
      ...given({ table, grid, minEpsilon, maxBags, onRepeat, cadence, head: kept }),
    },
    { signal, onProgress: progress.report },
  );
  progress.clear();
  const log = (line: string) => stderr.write(line);
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {}); // said when it is waited for
  const { host, port, maxBody, requestTimeout, shutdownTimeout, corsOrigin: corsOrigins } = flags;
  await using server = await startAggregatorServer(aggregator, {
    ...{ host, port, maxBody, shutdownTimeout, apiKeys, ...given({ requestTimeout, corsOrigins }) },
    ...{ ...(flags.quiet ? {} : { log }), onFailure: failure.reject },
  });
  if (apiKeys.length === 0) {
    writeLine(log, 'warn', 'open', {
      message: `every program on this machine can spend the budget and read the audit log at ${server.url}: there are no API keys. Make them with \`provably api-key --role analyst\` and \`--role auditor\`, and name their file with --api-keys-file.`,
    });
  }
  const { url } = server;
  const info = aggregator.info();
  const { head } = aggregator;
  const stopped = announceAndWait(
    flags,
    context,
    { url, ...info, head },
    `${info.samples} labels at ${url}/v1/aggregator: bags of ${info.minBag} or more, ε ${info.epsilonPerRelease} a release, ${info.budget} a person; ledger ${ledger}, entry ${head.entry}, head ${head.hash}`,
  );
  // Without a ledger there is nothing to go on with: who looks after the process may start it anew.
  await Promise.race([stopped, failure.promise]);
  await server.close();
  writeLine(log, 'info', 'stopped', { ...aggregator.head });
}
