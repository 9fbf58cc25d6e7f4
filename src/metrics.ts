import { Counter, Gauge, Registry } from 'prom-client';

/** What `/metrics` shows, in the Prometheus text format. */
export class Metrics {
  readonly registry = new Registry();

  readonly governed = new Counter({
    name: 'tollgraph_governed_calls_total',
    help: 'Governed calls that were answered.',
    registers: [this.registry],
  });

  readonly refused = new Counter({
    name: 'tollgraph_refused_calls_total',
    help: 'Calls that were refused, by code.',
    labelNames: ['code'] as const,
    registers: [this.registry],
  });

  /** A gauge that is read when somebody looks. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** A gauge with one value for each name. */
  gauges(name: string, help: string, label: string, read: () => Iterable<readonly [string, number]>): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        for (const [of, value] of read()) this.set({ [label]: of }, value);
      },
    });
  }
}
