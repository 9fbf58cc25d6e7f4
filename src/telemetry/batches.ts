import type { BatchObserver } from '../following/batchObserver.js';
import type { Tracing } from './tracing.js';

/**
 * A span for each batch whose events come from traces: part of the first one's trace, so that it is
 * recorded whenever that is, and linked to all of them.
 */
export function traceBatches(tracing: Tracing): BatchObserver {
  return ({ kind, name, events }, handle) => {
    const causes = [...new Set(events.flatMap(({ metadata }) => metadata.traceparent ?? []))];
    const [parent] = causes;
    if (parent === undefined) return handle();
    return tracing.run(
      {
        name: `process ${name}`,
        kind: 'consumer',
        parent,
        links: causes,
        attributes: {
          'messaging.system': 'tollgraph',
          'messaging.operation.type': 'process',
          'messaging.operation.name': kind === 'policy' ? 'react' : 'project',
          'messaging.destination.name': 'events',
          'messaging.consumer.group.name': name,
          'messaging.batch.message_count': events.length,
        },
      },
      handle,
    );
  };
}
