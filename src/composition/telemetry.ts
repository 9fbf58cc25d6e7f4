import type { Config } from '../config.js';
import type { BatchObserver } from '../following/batchObserver.js';
import type { Logger } from '../logger.js';
import { Metrics } from '../metrics.js';
import { traceBatches } from '../telemetry/batches.js';
import type { Tracing } from '../telemetry/tracing.js';
import type { Shutdown } from '../shutdown.js';

/** What tells people how the process is doing. */
export interface Telemetry {
  readonly metrics: Metrics;
  /** Undefined where nothing is traced. */
  readonly tracing: Tracing | undefined;
  /** Stands round every batch of a read model and every event of a policy. */
  readonly observe: BatchObserver;
}

export async function openTelemetry(
  config: Config,
  node: string,
  log: Logger,
  shutdown: Shutdown,
): Promise<Telemetry> {
  const metrics = new Metrics();
  const tracing = await openTracing(config, node, log);
  if (!tracing) return { metrics, tracing, observe: (batch, handle) => metrics.batch(batch, handle) };
  shutdown.add('traces', () => tracing.close());
  const traced = traceBatches(tracing);
  return {
    metrics,
    tracing,
    observe: (batch, handle) => metrics.batch(batch, () => traced(batch, handle)),
  };
}

/** Loaded only where traces are wanted: without them no context is followed and no span made. */
async function openTracing(config: Config, node: string, log: Logger): Promise<Tracing | undefined> {
  if (!config.tracing) return undefined;
  const adapter = await import('../adapters/opentelemetry/tracing.js');
  return adapter.openTracing(config.tracing, node, log);
}
