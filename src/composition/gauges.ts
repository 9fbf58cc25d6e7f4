import { lagOf } from '../following/lag.js';
import type { Follows, Metrics } from '../metrics.js';
import type { Access } from './access.js';
import type { Metering } from './metering.js';
import type { Projections } from './projections.js';
import type { Stores } from './stores.js';

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
    parkedUses: () => projections.parkedUses(),
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
