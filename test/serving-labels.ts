// For tests: an aggregator behind a free port, with a ledger in a folder that is removed.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Aggregator,
  type AggregatorOptions,
  openAggregator,
} from '../src/aggregate/aggregator/index.ts';
import {
  type AggregatorAnswer,
  type AggregatorClient,
  type AggregatorClientOptions,
  createAggregatorClient,
} from '../src/aggregate/index.ts';
import {
  type AggregatorServerOptions,
  createApiKey,
  parseApiKeys,
  type RunningAggregatorServer,
  startAggregatorServer,
} from '../src/server/index.ts';

export interface ServingLabels extends AsyncDisposable {
  aggregator: Aggregator;
  server: RunningAggregatorServer;
  /** Path of the ledger. */
  ledger: string;
  analyst: AggregatorClient;
  auditor: AggregatorClient;
  /** Keys of the two. */
  keys: { analyst: string; auditor: string };
  /** A client with other options. */
  client(options: Partial<AggregatorClientOptions>): AggregatorClient;
  /** POST of a query as it is, by the analyst. */
  post(body: BodyInit, headers?: Record<string, string>): Promise<Response>;
  /** Lines of the log, parsed. */
  log: Record<string, unknown>[];
}

export interface ServeLabelsOptions {
  /** Samples with ids 0, 1, …; their labels. Default: 40 that are 0 and 1 by turns. */
  labels?: ArrayLike<number>;
  aggregator?: Partial<AggregatorOptions>;
  server?: AggregatorServerOptions;
  /** What becomes of an answer on its way from the aggregator to the server. */
  intercept?: (answer: Promise<AggregatorAnswer>) => Promise<AggregatorAnswer>;
}

/** Bags of 4 and more, bounds 0 and 1, ε of 1 a release and 2 in all, unless told otherwise. */
export async function serveLabels(options: ServeLabelsOptions = {}): Promise<ServingLabels> {
  const labels = options.labels ?? Float64Array.from({ length: 40 }, (_, i) => i % 2);
  const folder = mkdtempSync(join(tmpdir(), 'provably-labels-'));
  const ledger = join(folder, 'ledger.db');
  const aggregator = await openAggregator({
    ...{ ledger, minBag: 4, budget: 2, epsilonPerRelease: 1, bounds: [0, 1], grid: 1, cadence: 2 },
    ...{ labels: { ids: Array.from(labels, (_, i) => i), labels }, ...options.aggregator },
  });
  const [analyst, auditor] = [createApiKey('ann', 'analyst'), createApiKey('max', 'auditor')];
  const log: Record<string, unknown>[] = [];
  const { intercept = (answer) => answer } = options;
  const watched: Aggregator = Object.create(aggregator, {
    query: {
      value(...asked: Parameters<Aggregator['query']>) {
        return intercept(aggregator.query(...asked));
      },
    },
  });
  const server = await startAggregatorServer(watched, {
    ...{ port: 0, shutdownTimeout: 5, apiKeys: parseApiKeys(`${analyst.line}\n${auditor.line}`) },
    ...options.server,
    log: (line) => log.push(JSON.parse(line)),
  });
  const client = (given: Partial<AggregatorClientOptions>) =>
    createAggregatorClient({ url: server.url, retries: 0, ...given });
  return {
    ...{ aggregator, server, ledger, client, log },
    keys: { analyst: analyst.key, auditor: auditor.key },
    analyst: client({ apiKey: analyst.key }),
    auditor: client({ apiKey: auditor.key }),
    post: (body, headers) =>
      fetch(`${server.url}/v1/aggregator/query`, {
        ...{ method: 'POST', body },
        headers: { 'content-type': 'application/json', authorization: `Bearer ${analyst.key}`, ...headers },
      }),
    async [Symbol.asyncDispose]() {
      await server.close();
      await aggregator.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Ids `first` … `first + size − 1`. */
export function range(first: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => first + i);
}
