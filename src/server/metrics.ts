// What Prometheus may ask of a server of a model.

import type { Counter, Histogram } from 'prom-client';
import type { TextGenerator } from '../llm/index.ts';
import { HttpMetrics } from './http-metrics.ts';

export class ServerMetrics extends HttpMetrics {
  readonly promptTokens: Counter;
  readonly cachedTokens: Counter;
  readonly outputTokens: Counter;
  readonly texts: Counter<'finish'>;
  readonly firstToken: Histogram;
  readonly interToken: Histogram;

  /** @param generator - whose load is told when it is asked for */
  constructor(generator: TextGenerator) {
    super();
    this.promptTokens = this.counter('prompt_tokens_total', 'Tokens of prompts taken in');
    this.cachedTokens = this.counter('cached_prompt_tokens_total', 'Of those, read from kept prefixes');
    this.outputTokens = this.counter('output_tokens_total', 'Tokens made');
    this.texts = this.counter('texts_total', 'Texts that came to their end', ['finish']);
    this.firstToken = this.histogram(
      'time_to_first_token_seconds',
      'From the request to its first token, waiting included',
    );
    this.interToken = this.histogram(
      'inter_token_seconds',
      'Between two tokens of a text, as they were made',
    );
    const load = (key: keyof TextGenerator['load']) => () => generator.load[key];
    this.gauge('requests_waiting', 'Prompts that wait or are being read', load('waiting'));
    this.gauge('texts_active', 'Texts that grow', load('active'));
    this.gauge('cache_bytes', 'Bytes of keys and values of texts that grow', load('cacheBytes'));
    this.gauge('prefix_cache_bytes', 'Bytes of kept prefixes', load('prefixBytes'));
  }
}
