import type { Metrics } from '../metrics.js';
import type { Access } from './access.js';
import type { Projections } from './projections.js';
import type { Stores } from './stores.js';

/** What every process tells. */
export function describeProjections(metrics: Metrics, { models }: Projections, { commands }: Stores): void {
  metrics.gauges('tollgraph_read_model_position', 'Last event a read model has seen.', 'model', () =>
    models.states().map(({ model, checkpoint }) => [model, checkpoint] as const),
  );
  metrics.gauge(
    'tollgraph_command_conflicts',
    'Commands decided again after losing a race.',
    () => commands.conflicts,
  );
}

/** What only a process that answers calls can tell. */
export function describeAccess(metrics: Metrics, { keys }: Access): void {
  metrics.gauge('tollgraph_keys', 'Keys in the cache.', () => keys.size);
}
