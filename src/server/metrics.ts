// What Prometheus may ask for. One registry a server, so that two in one process do not mix.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { TextGenerator } from '../llm/index.ts';
import type { RequestReport } from './request-life.ts';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export class ServerMetrics {
  readonly promptTokens: Counter;
  readonly cachedTokens: Counter;
  readonly outputTokens: Counter;
  readonly texts: Counter<'finish'>;
  readonly firstToken: Histogram;
  readonly interToken: Histogram;
  private readonly registry = new Registry();
  private readonly requests: Counter<'route' | 'method' | 'status'>;
  private readonly durations: Histogram<'route'>;

  /** @param generator - whose load is told when it is asked for */
  constructor(generator: TextGenerator) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
      new Counter({ name: `provably_${name}`, help, labelNames, registers });
    const histogram = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
      new Histogram({ name: `provably_${name}`, help, labelNames, registers, buckets: seconds });
    this.requests = counter('http_requests_total', 'Requests answered', ['route', 'method', 'status']);
    this.durations = histogram('http_request_duration_seconds', 'First byte in to last byte out', ['route']);
    this.promptTokens = counter('prompt_tokens_total', 'Tokens of prompts taken in');
    this.cachedTokens = counter('cached_prompt_tokens_total', 'Of those, read from kept prefixes');
    this.outputTokens = counter('output_tokens_total', 'Tokens made');
    this.texts = counter('texts_total', 'Texts that came to their end', ['finish']);
    this.firstToken = histogram(
      'time_to_first_token_seconds',
      'From the request to its first token, waiting included',
    );
    this.interToken = histogram('inter_token_seconds', 'Between two tokens of a text, as they were made');
    const gauges: [name: string, help: string, value: (load: TextGenerator['load']) => number][] = [
      ['requests_waiting', 'Prompts that wait or are being read', ({ waiting }) => waiting],
      ['texts_active', 'Texts that grow', ({ active }) => active],
      ['cache_bytes', 'Bytes of keys and values of texts that grow', ({ cacheBytes }) => cacheBytes],
      ['prefix_cache_bytes', 'Bytes of kept prefixes', ({ prefixBytes }) => prefixBytes],
    ];
    for (const [name, help, value] of gauges) {
      new Gauge({
        ...{ name: `provably_${name}`, help, registers },
        collect() {
          this.set(value(generator.load));
        },
      });
    }
  }

  count({ route, method, status, milliseconds }: RequestReport): void {
    this.requests.inc({ route, method, status: String(status) });
    this.durations.observe({ route }, milliseconds / 1000);
  }

  /** The text format of Prometheus. */
  async text(): Promise<{ body: string; type: string }> {
    return { body: await this.registry.metrics(), type: this.registry.contentType };
  }
}
