import type { UnjudgedUse } from '../../src/usage/reports/reportedUse.js';
import { judgeUse } from '../../src/usage/reports/reportedUse.js';
import { contentOf } from '../../src/usage/events.js';
import { metersOf } from '../../src/plans/profile.js';

// What a back end tells of a call that it has answered.

const judge = (call: UnjudgedUse, operator = true) => {
  const use = { useId: 'u1', accountId: 'a1', meter: 'requests', ...call };
  return judgeUse(use, { meters: metersOf({}), now: 0, operator, lateWindowMs: 0 });
};

it('is taken as it is, and left out where nothing was told', () => {
  expect(judge({})).toMatchObject({ call: {} });
  const call = {
    endpoint: ' /v1/data ',
    method: 'POST',
    source: 'wiki',
    durationMs: 1.2345,
    status: 'ERROR',
  };
  expect(judge(call)).toMatchObject({
    call: { endpoint: '/v1/data', method: 'POST', source: 'wiki', durationUs: 1235, status: 'error' },
  });
  expect(judge({ durationMs: 1e300 })).toMatchObject({ call: { durationUs: 86_400_000_000 } });
});

it.each<[string, UnjudgedUse]>([
  ['endpoint', { endpoint: '' }],
  ['endpoint', { endpoint: 'x'.repeat(201) }],
  ['endpoint', { endpoint: 1 }],
  ['source', { source: 'a\0' }],
  ['method', { method: 'post' }],
  ['method', { method: 7 }],
  ['durationMs', { durationMs: -1 }],
  ['durationMs', { durationMs: NaN }],
  ['durationMs', { durationMs: '5' }],
  ['status', { status: 'refused' }],
  ['status', { status: 200 }],
])('is refused by its field: %s of %j', (field, call) => {
  expect(judge(call)).toMatchObject({ code: 'INVALID_INPUT', field });
});

it('is part of what a use says: another call under the same id is another use', () => {
  const use = { environment: 'live', key: '', meters: { requests: 1 } } as const;
  const plain = contentOf(use);
  expect(contentOf({ ...use, endpoint: '', method: '', source: null, durationUs: 0, status: 'ok' })).toBe(
    plain,
  );
  const calls = [
    { endpoint: '/a' },
    { method: 'GET' },
    { source: '/a' },
    { durationUs: 1 },
    { status: 'error' },
    { status: 'timeout' },
  ] as const;
  expect(new Set([plain, ...calls.map((call) => contentOf({ ...use, ...call }))]).size).toBe(
    calls.length + 1,
  );
});

it('has an id that no customer can take from a back end, and that is never longer than readers take', () => {
  expect(judge({ useId: 'job-1' })).toMatchObject({ useId: 'job-1', id: 'job-1' });
  expect(judge({ useId: 'job-1' }, false)).toMatchObject({ useId: 'job-1', id: 'own.job-1' });
  expect(judge({ useId: 'own.job-1' })).toMatchObject({ code: 'INVALID_INPUT', field: 'useId' });
  expect(judge({ useId: 'own.job-1' }, false)).toMatchObject({ id: 'own.own.job-1' });
  expect(judge({ useId: 'x'.repeat(128) })).toMatchObject({ id: 'x'.repeat(128) });
  expect(judge({ useId: 'x'.repeat(124) }, false)).toMatchObject({ id: `own.${'x'.repeat(124)}` });
  expect(judge({ useId: 'x'.repeat(125) }, false)).toMatchObject({ code: 'INVALID_INPUT', field: 'useId' });
});
