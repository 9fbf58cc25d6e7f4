import { randomUUID } from 'node:crypto';
import type { Use } from '../../src/usage/events.js';

/** A use of one request, as the governor makes it: keys in the order of their names. */
export function newUse(over: Partial<Use> = {}): Use {
  const at = over.at ?? Date.UTC(2026, 10, 22, 12);
  return {
    actualCost: null,
    address: null,
    at,
    costVersion: null,
    durationUs: 250,
    endpoint: '/graphql',
    environment: 'live',
    estimatedCost: null,
    id: `a.${randomUUID()}`,
    key: 'key',
    meters: { requests: 1 },
    method: 'POST',
    operation: 'Pattern',
    patterns: [],
    periods: ['day:2026-11-22', 'month:2026-11'],
    planVersion: 1,
    refusal: null,
    rootFields: ['pattern'],
    source: null,
    status: 'ok',
    ...over,
  };
}
