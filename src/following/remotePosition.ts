import type { Position } from '../eventsourcing/event.js';
import type { EventReader } from './reader.js';

/**
 * Where a follower in another process stands. It stores no checkpoint for every event that did not matter
 * to it, so it has handled what lies between its checkpoint and the next event that matters.
 */
export async function remotePosition(
  reader: EventReader,
  checkpoint: Position,
  handles: ReadonlySet<string>,
): Promise<Position> {
  for (let handled = checkpoint; ;) {
    const page = await reader.page(handled);
    for (const event of page) {
      if (handles.has(event.type)) return handled;
      handled = event.position;
    }
    if (page.length === 0) return handled;
  }
}
