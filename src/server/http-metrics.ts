// What Prometheus may ask of any server. One registry a server, so that two in one process do not mix.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestReport } from './request-life.ts';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export class HttpMetrics {
  private readonly registry = new Registry();
  private readonly requests: Counter<'route' | 'method' | 'status'>;
  private readonly durations: Histogram<'route'>;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.requests = this.counter('http_requests_total', 'Requests answered', ['route', 'method', 'status']);
    this.durations = this.histogram('http_request_duration_seconds', 'First byte in to last byte out', [
      'route',
    ]);
  }

  count({ route, method, status, milliseconds }: RequestReport): void {
    this.requests.inc({ route, method, status: String(status) });
    this.durations.observe({ route }, milliseconds / 1000);
  }

  /** The text format of Prometheus. */
  async text(): Promise<{ body: string; type: string }> {
    return { body: await this.registry.metrics(), type: this.registry.contentType };
  }

  protected counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name: `provably_${name}`, help, labelNames, registers: [this.registry] });
  }

  /** Of seconds. */
  protected histogram<L extends string>(name: string, help: string, labelNames: L[] = []): Histogram<L> {
    const registers = [this.registry];
    return new Histogram({ name: `provably_${name}`, help, labelNames, registers, buckets: seconds });
  }

  /** @param value - asked when somebody looks */
  protected gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      ...{ name: `provably_${name}`, help, registers: [this.registry] },
      collect() {
        this.set(value());
      },
    });
  }
}
