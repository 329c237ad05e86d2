// The ways to labels at the command line: a column of the table with its ledger, or an aggregator.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  type BagQuery,
  createAggregatorClient,
  type LedgerState,
  ledgerFromJSON,
  localBagQuery,
  PrivacyLedger,
} from '../../aggregate/index.ts';
import { crc32 } from '../../core/crc32.ts';
import { DataError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../report/index.ts';
import { UsageError } from '../failure.ts';
import { toJson } from '../output.ts';
import type { BoostFlags } from './boost.ts';
import type { KeptRun } from './boost-state.ts';
import { parseJson } from './parse-json.ts';
import type { AnalystTable } from './table.ts';

/** Bags in one request: a request that breaks is sent again as a whole. */
const MOST_BAGS = 500;

export interface Labels {
  query: BagQuery;
  /** ε that each answer is charged; undefined: exact or simulated, and nothing is promised. */
  epsilon: number | undefined;
  /** ε that the person who spent most has spent over all runs, after the answers; with a ledger. */
  spent?: () => number;
}

/** Undefined when labels are answered by others later. */
export async function openLabels(
  table: AnalystTable,
  family: KeptRun['family'],
  flags: BoostFlags,
  signal: AbortSignal,
): Promise<Labels | undefined> {
  if (flags.label !== undefined) return localLabels(table, family, flags, flags.label);
  if (flags.aggregator !== undefined) return remoteLabels(table, flags, flags.aggregator, signal);
  return undefined;
}

async function localLabels(
  table: AnalystTable,
  family: KeptRun['family'],
  flags: BoostFlags,
  label: string,
): Promise<Labels> {
  const { epsilon, bounds, simulate, seed = 0, ledger: path, budget } = flags;
  const labels = await table.numbers(label);
  if (epsilon === undefined || bounds === undefined) {
    return { query: localBagQuery(labels, { mode: 'exact' }), epsilon: undefined };
  }
  // One step is enough for labels 0 and 1, and needs the least noise. The family says so, never the labels: that would tell about them.
  const grid = family === 'logistic' && bounds[0] === 0 && bounds[1] === 1 ? 1 : undefined;
  const release = { epsilon, bounds, grid };
  if (simulate) {
    const query = localBagQuery(labels, { mode: { simulate: { ...release, seed } } });
    return { query, epsilon: undefined };
  }
  if (path === undefined) return { query: localBagQuery(labels, { mode: { secure: release } }), epsilon };
  const ids = await table.ids();
  let written = await textOf(path);
  const ledger = openLedger(path, written, ids, { epsilon, budget });
  const query = localBagQuery(labels, { mode: { secure: release }, ledger });
  return {
    epsilon,
    spent: () => ledger.largestSpend,
    async query(bags, stage, options) {
      const answers = await query(bags, stage, options);
      if ((await textOf(path)) !== written) {
        throw new DataError(
          `${path} was written by another run meanwhile; expected one run at a time, since neither knows what the other spends. Run again, or ask an aggregator.`,
        );
      }
      // Charged on disk before anybody sees the answers.
      written = `${toJson({ format: 'provably privacy ledger', version: 1, ids: fingerprint(ids), ledger })}\n`;
      await writeFileAtomically(path, written);
      return answers;
    },
  };
}

/** Text of a file; undefined where there is none. */
async function textOf(path: string): Promise<string | undefined> {
  return existsSync(path) ? await readFile(path, 'utf8') : undefined;
}

const ledgerFile = z.strictObject({
  format: z.literal('provably privacy ledger'),
  version: z.literal(1),
  ids: z.number(),
  ledger: z.looseObject({ budget: z.number() }),
});

function openLedger(
  path: string,
  text: string | undefined,
  ids: readonly string[],
  { epsilon, budget }: { epsilon: number; budget: number | undefined },
): PrivacyLedger {
  if (text === undefined) {
    return new PrivacyLedger({
      samples: ids.length,
      budget: budget ?? epsilon,
      nameOf: (sample) => ids[sample],
    });
  }
  const parsed = ledgerFile.safeParse(parseJson(path, text));
  if (!parsed.success) {
    throw new DataError(`${path} is no ledger of boost.\n${z.prettifyError(parsed.error)}`);
  }
  if (parsed.data.ids !== fingerprint(ids)) {
    throw new DataError(
      `${path} is the ledger of other rows, or of another order of them; expected the table that it was made for.`,
    );
  }
  const ledger = ledgerFromJSON(parsed.data.ledger as unknown as LedgerState);
  if (budget !== undefined && budget !== ledger.budget) {
    throw new UsageError(
      `--budget ${budget}: ${path} was made for a budget of ${ledger.budget}, which stays. Leave --budget out.`,
    );
  }
  return ledger;
}

/** CRC-32 of the names in order. */
function fingerprint(ids: readonly string[]): number {
  return crc32(new TextEncoder().encode(JSON.stringify(ids)));
}

async function remoteLabels(
  table: AnalystTable,
  { apiKeyFile, insecure, epsilon }: BoostFlags,
  url: string,
  signal: AbortSignal,
): Promise<Labels> {
  const apiKey = apiKeyFile === undefined ? undefined : await readKey(apiKeyFile);
  const connection = { url, apiKey, insecure, signal };
  const { epsilonPerRelease, maxBags } = await createAggregatorClient(connection).info({ signal });
  const client = createAggregatorClient({ ...connection, maxBags: Math.min(MOST_BAGS, maxBags) });
  const charged = epsilon ?? epsilonPerRelease;
  return { query: client.bagQuery(await table.sampleIds(), charged), epsilon: charged };
}

async function readKey(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new DataError(`${path} cannot be read (${cause.code}); expected the API key of an analyst.`, {
      cause,
    });
  });
  return text.trim();
}
