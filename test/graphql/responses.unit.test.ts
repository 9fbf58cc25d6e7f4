import fc from 'fast-check';
import type { Result } from '../../src/graphql/transport/responses.js';
import { limitRefusal, textOf } from '../../src/graphql/transport/responses.js';
import { Metrics } from '../../src/metrics.js';
import type { CostExtension } from '../../src/graphql/cost/report.js';

const points = fc.nat();

const cost: fc.Arbitrary<CostExtension> = fc.record(
  {
    requestedQueryCost: points,
    actualQueryCost: fc.option(points),
    throttleStatus: fc.option(
      fc.record({
        maximumAvailable: points,
        currentlyAvailable: points,
        restoreRate: fc.double({ min: 0, max: 1e9, noNaN: true }),
      }),
    ),
    policies: fc.array(
      fc.record({
        id: fc.stringMatching(/^[a-z][a-z0-9-]*$/),
        meter: fc.constantFrom('requests' as const, 'cost' as const),
        window: fc.constantFrom('minute' as const, 'month' as const),
        amount: points,
        remaining: points,
        resetAt: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      }),
      { maxLength: 4 },
    ),
    version: fc.stringMatching(/^[0-9]+-[0-9a-f]{12}$/),
    fields: fc.array(fc.record({ path: fc.string(), count: points, points })),
  },
  { requiredKeys: ['requestedQueryCost', 'actualQueryCost', 'throttleStatus', 'policies', 'version'] },
);

const result: fc.Arbitrary<Result> = fc.record(
  {
    errors: fc.array(fc.record({ message: fc.string({ unit: 'grapheme' }) }), { minLength: 1 }),
    data: fc.option(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ stringUnit: 'grapheme' }))),
    extensions: fc.record({ cost }),
  },
  { requiredKeys: [] },
);

test('what is written by hand is what JSON.stringify writes', () => {
  fc.assert(
    fc.property(result, (result) => {
      expect(textOf(result)).toBe(JSON.stringify(result));
    }),
    { numRuns: 500 },
  );
});

test('parts that are not there are left out', () => {
  expect(textOf({})).toBe('{}');
  expect(textOf({ data: null })).toBe('{"data":null}');
});

test('a limit that refuses tells what is used to the last digit', () => {
  const limit = { id: 'seconds-day', meter: 'seconds', window: 'day', amount: 2 ** 53 - 1 } as const;
  const usedExactly = 9_007_199_254_740_991_234n;
  const standing = { limit, remaining: 0, resetAt: Infinity, at: 0, windowMs: 86_400_000 };
  const refused = (used: object) =>
    limitRefusal(
      new Metrics(),
      {
        code: 'QUOTA_EXCEEDED',
        limit: { used: Number(usedExactly), ...standing, ...used },
        retryAfterMs: undefined,
      },
      {
        requestedQueryCost: 1,
        actualQueryCost: null,
        throttleStatus: null,
        policies: [],
        version: '1-0f0f0f0f0f0f',
      },
    ).result.errors?.[0]?.extensions;
  expect(refused({ usedExactly })).toEqual({
    code: 'QUOTA_EXCEEDED',
    limit: 'seconds-day',
    amount: '9007199254740991',
    window: 'day',
    used: '9007199254740991234',
  });
  expect(refused({ used: 12 })).toMatchObject({ used: '12' });
});
