// What Prometheus may ask of an aggregator: counts of what the audit log tells anyway, nothing that comes from a label.

import type { Counter } from 'prom-client';
import { HttpMetrics } from '../http-metrics.ts';

export class AggregatorMetrics extends HttpMetrics {
  readonly queries: Counter<'outcome'>;
  readonly bags: Counter<'kind'>;

  /** @param entries - of the audit log, now */
  constructor(entries: () => number) {
    super();
    this.queries = this.counter('aggregator_queries_total', 'Queries by outcome: answered, or the reason', [
      'outcome',
    ]);
    this.bags = this.counter('aggregator_bags_total', 'Bags answered: released now, or repeated', ['kind']);
    this.gauge('aggregator_log_entries', 'Entries of the audit log', entries);
  }
}
