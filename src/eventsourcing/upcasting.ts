/** Lifts data of one schema version to the next; `from[n]` lifts version n to n + 1. */
type Upcasters = Readonly<Record<string, Readonly<Record<number, (data: never) => object>>>>;

/**
 * Stored events are never rewritten: when the data of an event type changes, its schema version goes
 * up in SCHEMA_VERSIONS and the lift from the old version is added here. Nothing has changed so far.
 */
const UPCASTERS: Upcasters = {};

export const CURRENT_SCHEMA_VERSION = 1;

/** @throws Error for data from a newer program: guessing would corrupt what is folded from it. */
export function upcast(type: string, version: number, data: object): object {
  let lifted = data;
  for (let v = version; v < CURRENT_SCHEMA_VERSION; v++) {
    const lift = UPCASTERS[type]?.[v];
    if (lift) lifted = lift(lifted as never);
  }
  if (version > CURRENT_SCHEMA_VERSION) {
    throw new Error(`${type} has schema version ${version}; this program knows ${CURRENT_SCHEMA_VERSION}`);
  }
  return lifted;
}
