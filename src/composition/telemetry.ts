import type { Config } from '../config.js';
import { lagOf } from '../eventsourcing/lag.js';
import type { Watch } from '../eventsourcing/watch.js';
import type { Logger } from '../logger.js';
import type { Follows } from '../metrics.js';
import { Metrics } from '../metrics.js';
import { traceBatches } from '../telemetry/batches.js';
import type { Tracing } from '../telemetry/tracing.js';
import type { Access } from './access.js';
import type { Metering } from './metering.js';
import type { Projections } from './projections.js';
import type { Shutdown } from './shutdown.js';
import type { Stores } from './stores.js';

/** What tells people how the process is doing. */
export interface Telemetry {
  readonly metrics: Metrics;
  /** Undefined where nothing is traced. */
  readonly tracing: Tracing | undefined;
  /** Stands round every batch of a read model and every event of a policy. */
  readonly watch: Watch;
}

export async function openTelemetry(
  config: Config,
  node: string,
  log: Logger,
  shutdown: Shutdown,
): Promise<Telemetry> {
  const metrics = new Metrics();
  const tracing = await openTracing(config, node, log);
  if (!tracing) return { metrics, tracing, watch: (batch, handle) => metrics.batch(batch, handle) };
  shutdown.add('traces', () => tracing.close());
  const traced = traceBatches(tracing);
  return {
    metrics,
    tracing,
    watch: (batch, handle) => metrics.batch(batch, () => traced(batch, handle)),
  };
}

/** Loaded only where traces are wanted: without them no context is followed and no span made. */
async function openTracing(config: Config, node: string, log: Logger): Promise<Tracing | undefined> {
  if (!config.tracing) return undefined;
  const adapter = await import('../adapters/opentelemetry/tracing.js');
  return adapter.openTracing(config.tracing, node, log);
}

/** How far behind the read models and policies of this process are. */
export async function followersOf({ store, clock }: Stores, projections: Projections): Promise<Follows[]> {
  const now = clock();
  return Promise.all(
    projections.handled().map(async ({ kind, name, position }) => ({
      kind,
      name,
      lag: await lagOf(store, position, now),
    })),
  );
}

/** What every process tells. */
export function describeProjections(metrics: Metrics, projections: Projections, stores: Stores): void {
  metrics.describeProjections({
    followers: () => followersOf(stores, projections),
    positions: () => projections.models.states().map(({ model, checkpoint }) => [model, checkpoint] as const),
    parked: () => projections.parked(),
    conflicts: () => stores.commands.conflicts,
  });
}

/** What only a process that answers calls can tell. */
export function describeCalls(metrics: Metrics, access: Access, metering: Metering): void {
  metrics.describeCalls({
    keys: () => access.keys.size,
    accessAgeMs: () => access.recency.ageMs,
    journalWaiting: () => metering.journal.waiting,
    limitsUp: metering.limitsUp,
  });
}
