import { canonicalJson } from '../../canonicalJson.js';
import type { StoredEvent } from '../../eventsourcing/event.js';
import { rawUse, usesOf } from './readUses.js';

/**
 * Why a batch cannot be corrected like that: a use that an operator has decided counts by that decision, and
 * would count twice if its batch had it as one that can be counted; at another place it would be taken for
 * one that nobody has decided.
 * @param decided places of uses that were corrected or left out
 * @returns undefined where it can
 */
export function batchProblem(
  batch: StoredEvent,
  corrected: StoredEvent,
  decided: readonly number[],
): string | undefined {
  const moved = decided.find((place) => !staysAt(place, batch, corrected));
  if (moved === undefined) return undefined;
  return (
    `The use ${batch.id}#${moved} has been decided already, and would count twice. ` +
    'Leave it in the batch at its place and as it is; what was decided of it stands.'
  );
}

function staysAt(place: number, batch: StoredEvent, corrected: StoredEvent): boolean {
  try {
    const { bad } = usesOf(corrected);
    if (!bad.some(({ index }) => index === place)) return false;
    return canonicalJson(rawUse(corrected, place)) === canonicalJson(rawUse(batch, place));
  } catch {
    // One of them is no batch at all.
    return false;
  }
}
