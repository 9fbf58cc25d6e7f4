import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { canonicalJson } from '../../src/canonicalJson.js';
import { batchJson } from '../../src/usage/journal/batch.js';
import type { Use } from '../../src/usage/events.js';
import { completeUse, useJson } from '../../src/usage/journal/useJson.js';
import { useRecord } from '../../src/usage/journal/useRecord.js';
import { newUse } from './uses.js';

it('a use is read back from its JSON as it was, whatever it says', () => {
  const said = fc.record(
    {
      actualCost: fc.constantFrom(null, 0, 12),
      durationUs: fc.constantFrom(0, 250),
      endpoint: fc.constantFrom('', '/graphql'),
      environment: fc.constantFrom<Use['environment']>('live', 'test'),
      key: fc.constantFrom('', 'k1'),
      meters: fc.constantFrom<Use['meters']>({}, { requests: 0 }, { cost: 5, requests: 1 }),
      operation: fc.constantFrom(null, '', 'Read'),
      overLimit: fc.constant(true as const),
      patterns: fc.constantFrom([], ['p1']),
      periods: fc.constantFrom([], ['month:2026-11']),
      phase: fc.constantFrom<Use['phase'] & string>('reserved', 'final'),
      properties: fc.constantFrom<Use['properties'] & object>({}, { model: '' }),
      refusal: fc.constantFrom(null, { amount: 1, code: 'X', count: 0, limit: 'l', used: 0 }),
      replaces: fc.constantFrom<Use['meters']>({}, { videos: 1 }),
      rootFields: fc.constantFrom([], ['pattern']),
      source: fc.constantFrom(null, ''),
      status: fc.constantFrom<Use['status']>('ok', 'error', 'refused'),
      subject: fc.constantFrom('', 's1'),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(said, (over) => {
      const use = useRecord({ ...newUse(), ...over });
      const json = useJson(use);
      expect(json).toBe(canonicalJson(JSON.parse(json)));
      expect(completeUse(JSON.parse(json) as Use)).toEqual(use);
    }),
  );
});

it('takes at most 250 bytes of the journal for a use that a back end reports', () => {
  const use = useRecord({
    at: Date.UTC(2026, 10, 29),
    id: '1764444444444000-999',
    key: randomUUID(),
    meters: { videos: 1 },
    periods: ['day:2026-11-29', 'month:2026-11'],
    phase: 'final',
    planVersion: 1,
  });
  const account = randomUUID();
  const uses = Array.from({ length: 512 }, () => ({ account, json: useJson(use) }));
  const bytes = Buffer.byteLength(batchJson(uses, { node: 'n', start: 's' }));
  expect(bytes / uses.length).toBeLessThanOrEqual(250);
});
