import { storedJson } from '../../eventsourcing/json.js';
import type { Use } from '../events.js';
import { useRecord } from './useRecord.js';

/** From this version of its events on, a use's JSON leaves out what is not said of it. */
export const LEAVES_OUT = 2;

const NEEDED = { at: 0, id: '', key: '', meters: {}, periods: [], planVersion: 0 };
/** Of a use that a back end reports this is most of what there is. */
const UNSAID: ReadonlyMap<string, unknown> = new Map(
  Object.entries(useRecord(NEEDED)).filter(([name]) => !Object.hasOwn(NEEDED, name)),
);

/** A use as its batch has it: canonical (RFC 8785), since its keys stand in the order of their names. */
export function useJson(use: Use): string {
  const said: Record<string, unknown> = {};
  for (const name in use) {
    const value = use[name as keyof Use];
    if (!isUnsaid(name, value)) said[name] = value;
  }
  return storedJson(said);
}

function isUnsaid(name: string, value: unknown): boolean {
  const unsaid = UNSAID.get(name);
  if (unsaid === undefined) return false;
  return Array.isArray(value) ? value.length === 0 : value === unsaid;
}

/** The use whose JSON was read. */
export const completeUse = (json: Use): Use => useRecord(json);
