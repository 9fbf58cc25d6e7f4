import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Lag } from './following/lag.js';
import type { Batch } from './following/batchObserver.js';

/** From a call that is answered from memory to one that is about to be given up. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const COUNTS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Somebody who follows the order of events, and how far behind it is. */
export interface Follows extends Pick<Batch, 'kind' | 'name'> {
  readonly lag: Lag;
}

/** What is looked at when somebody asks for the metrics, in every process. */
export interface ProjectionSources {
  followers(): Promise<readonly Follows[]>;
  /** The last event that each read model has seen. */
  positions(): readonly (readonly [model: string, position: number])[];
  conflicts(): number;
  parked(): readonly (Pick<Batch, 'kind' | 'name'> & { readonly streams: number })[];
  /** Uses that cannot be counted and that nobody has decided about; undefined while that is not known. */
  parkedUses(): number | undefined;
}

/** The same, in a process that answers calls. */
export interface CallSources {
  keys(): number;
  /** Since the newest proof that keys and sessions in memory are up to date. */
  accessAgeMs(): number;
  journalWaiting(): number;
  /** Whether what decides limits can be asked. */
  limitsUp(): boolean;
}

/** What `/metrics` shows, in the text format of Prometheus; docs/operating.md lists it. */
export class Metrics {
  readonly registry = new Registry();

  readonly costPoints = new Counter({
    name: 'tollgraph_cost_points_total',
    help: 'Cost points of governed calls that stayed spent.',
    registers: [this.registry],
  });

  readonly costOverruns = new Counter({
    name: 'tollgraph_cost_overruns_total',
    help: 'Answers that cost more than was reckoned before; each is a list that did not keep its bound.',
    registers: [this.registry],
  });

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

  readonly invoiceDiffers = new Counter({
    name: 'tollgraph_invoice_differences_total',
    help: 'Invoices of the payment service that are not what our own events say they should be.',
    registers: [this.registry],
  });

  readonly subscriptions = new Gauge({
    name: 'tollgraph_subscriptions',
    help: 'Open subscriptions.',
    registers: [this.registry],
  });

  readonly subscriptionEvents = new Counter({
    name: 'tollgraph_subscription_events_total',
    help: 'Events of subscriptions that were delivered.',
    registers: [this.registry],
  });

  readonly #outageCalls = new Counter({
    name: 'tollgraph_limits_outage_calls_total',
    help: 'Governed calls while Redis was away: allowed by the limits of this node alone, or denied.',
    labelNames: ['decision'] as const,
    registers: [this.registry],
  });

  readonly #limitLoads = new Counter({
    name: 'tollgraph_limits_loads_total',
    help: 'Accounts whose counters were not in Redis and were loaded from the ledger and the journal.',
    registers: [this.registry],
  });

  readonly #ownerlessTakes = new Counter({
    name: 'tollgraph_limits_ownerless_total',
    help: 'Times that counters in Redis were dropped and loaded, since a process had ended without telling what became of a use.',
    registers: [this.registry],
  });

  readonly #deliveries = new Counter({
    name: 'tollgraph_deliveries_total',
    help: 'Webhooks and mails that were delivered, or given up for the reason that the list of deliveries has: EXHAUSTED after three days. Test deliveries are left out.',
    labelNames: ['kind', 'outcome'] as const,
    registers: [this.registry],
  });

  readonly requestSeconds = new Histogram({
    name: 'tollgraph_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer; streams of events are left out.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: SECONDS,
    registers: [this.registry],
  });

  readonly #batchSeconds = new Histogram({
    name: 'tollgraph_batch_duration_seconds',
    help: 'Handling of one batch by a read model, or of one event by a policy.',
    labelNames: ['kind', 'name'] as const,
    buckets: SECONDS,
    registers: [this.registry],
  });

  readonly #batchEvents = new Histogram({
    name: 'tollgraph_batch_events',
    help: 'Events of a batch that matter to its read model or policy.',
    labelNames: ['kind', 'name'] as const,
    buckets: COUNTS,
    registers: [this.registry],
  });

  readonly #flushSeconds = new Histogram({
    name: 'tollgraph_journal_flush_duration_seconds',
    help: 'Append of one batch of the usage journal.',
    buckets: SECONDS,
    registers: [this.registry],
  });

  readonly #flushUses = new Histogram({
    name: 'tollgraph_journal_flush_uses',
    help: 'Uses in one batch of the usage journal.',
    buckets: COUNTS,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    // Zero is there to be seen before the first outage.
    for (const decision of ['allowed', 'denied']) this.#outageCalls.inc({ decision }, 0);
  }

  /** Measures a batch, whether it succeeds or not. */
  async batch<R>({ kind, name, events }: Batch, handle: () => Promise<R>): Promise<R> {
    const end = this.#batchSeconds.startTimer({ kind, name });
    try {
      return await handle();
    } finally {
      end();
      this.#batchEvents.observe({ kind, name }, events.length);
    }
  }

  /** Notes a call that was decided while the shared limits were away. */
  limitsAway(decision: 'allowed' | 'denied'): void {
    this.#outageCalls.inc({ decision });
  }

  /** Notes that the counters of an account were missing. */
  limitsLoaded(): void {
    this.#limitLoads.inc();
  }

  /** Notes that counters were dropped with a take that nobody owned any more. */
  limitsOwnerless(): void {
    this.#ownerlessTakes.inc();
  }

  /** Notes that a webhook or mail was delivered or given up. */
  deliveryEnded(kind: string, outcome: string): void {
    this.#deliveries.inc({ kind, outcome });
  }

  /** Zero is there to be seen before the first one ends: otherwise no rule would notice it. */
  describeDeliveries(kinds: Iterable<string>, outcomes: readonly string[]): void {
    for (const kind of kinds) for (const outcome of outcomes) this.#deliveries.inc({ kind, outcome }, 0);
  }

  /** Notes a flush of the journal. */
  flushed(uses: number, seconds: number): void {
    this.#flushSeconds.observe(seconds);
    this.#flushUses.observe(uses);
  }

  /** Adds what is read when somebody looks. */
  describeProjections(sources: ProjectionSources): void {
    const registers = [this.registry];
    const labelNames = ['kind', 'name'] as const;
    // While the store does not answer nobody knows: no value is better than an old one.
    let looking: Promise<readonly Follows[]> | undefined;
    const followers = (): Promise<readonly Follows[]> =>
      (looking ??= sources
        .followers()
        .catch(() => [])
        .finally(() => (looking = undefined)));
    new Gauge({
      name: 'tollgraph_lag_events',
      help: 'Events that a read model or policy has not handled, counted up to 10,000.',
      labelNames,
      registers,
      async collect() {
        const all = await followers();
        this.reset();
        for (const { kind, name, lag } of all) this.set({ kind, name }, lag.events);
      },
    });
    new Gauge({
      name: 'tollgraph_lag_seconds',
      help: 'Age of the oldest event that a read model or policy has not handled; 0 when there is none, missing where a clock that was ahead has dated it.',
      labelNames,
      registers,
      async collect() {
        const all = await followers();
        this.reset();
        for (const { kind, name, lag } of all) {
          if (lag.seconds !== null) this.set({ kind, name }, lag.seconds);
        }
      },
    });
    new Gauge({
      name: 'tollgraph_parked_streams',
      help: 'Streams that a read model or policy has parked, since one of their events fails.',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { kind, name, streams } of sources.parked()) this.set({ kind, name }, streams);
      },
    });
    new Gauge({
      name: 'tollgraph_parked_uses',
      help: 'Uses that cannot be counted and that no operator has corrected or left out; missing while that is not known.',
      registers,
      collect() {
        const uses = sources.parkedUses();
        if (uses === undefined) this.remove({});
        else this.set(uses);
      },
    });
    new Gauge({
      name: 'tollgraph_read_model_position',
      help: 'Last event that a read model has seen.',
      labelNames: ['model'],
      registers,
      collect() {
        for (const [model, position] of sources.positions()) this.set({ model }, position);
      },
    });
    new Counter({
      name: 'tollgraph_command_conflicts_total',
      help: 'Commands that were decided again after losing a race.',
      registers,
      collect() {
        this.reset();
        this.inc(sources.conflicts());
      },
    });
  }

  /** The same for what only a process that answers calls can tell. */
  describeCalls(sources: CallSources): void {
    const registers = [this.registry];
    new Gauge({
      name: 'tollgraph_keys',
      help: 'Keys in the cache.',
      registers,
      collect() {
        this.set(sources.keys());
      },
    });
    new Gauge({
      name: 'tollgraph_key_cache_age_seconds',
      help: 'Since the keys and sessions in memory were last proven to be up to date; 0 where one process has the store for itself.',
      registers,
      collect() {
        this.set(sources.accessAgeMs() / 1000);
      },
    });
    new Gauge({
      name: 'tollgraph_limits_up',
      help: '1 while what decides limits answers, 0 while Redis is away.',
      registers,
      collect() {
        this.set(sources.limitsUp() ? 1 : 0);
      },
    });
    new Gauge({
      name: 'tollgraph_journal_queue_uses',
      help: 'Uses that wait for the next flush of the usage journal.',
      registers,
      collect() {
        this.set(sources.journalWaiting());
      },
    });
  }
}
