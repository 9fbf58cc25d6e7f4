import { randomUUID } from 'node:crypto';
import { UsageQueries } from '../../projections/usage/queries.js';
import { Amounts } from '../../src/usage/limits/amounts.js';
import { subjectId } from '../../src/usage/events.js';
import { readJournalTail, spentOf } from '../../src/usage/journal/journalTail.js';
import { periodOf } from '../../src/usage/limits/periods.js';
import type { CorrectUsageInput, RecordUsageInput, UseInput } from '../generated/graphql.js';
import {
  AccountAuditLogDocument,
  CorrectUsageDocument,
  IssueKeyDocument,
  LimitsDocument,
  RecordUsageDocument,
  UsesDocument,
} from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { SHARED_REDIS_URL } from '../support/redis.js';

const HOUR = 3_600_000;
const iso = (at: number): string => new Date(at).toISOString();

describe.each([
  ['in process', {}],
  ...(SHARED_REDIS_URL === undefined ? [] : [['through Redis', { REDIS_URL: SHARED_REDIS_URL }] as const]),
] as const)('uses that a back end reports, limits %s', (_name, env) => {
  let t: TestApp;
  /** The key of a back end of the service. */
  let backEnd: string;

  beforeAll(async () => {
    t = await startApp({ env: { ...env, PROFILE: 'videomind' } });
    const operator = await t.customer();
    await t.makeOperator(operator);
    backEnd = (await t.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
  });
  afterAll(() => t.close());

  const record = async (uses: readonly UseInput[], credential = backEnd) => {
    const input: RecordUsageInput = { uses: [...uses] };
    const { data, errors } = await t.query(RecordUsageDocument, { input }, credential);
    if (data?.recordUsage?.__typename !== 'RecordUsagePayload')
      throw new Error(JSON.stringify({ data, errors }));
    return data.recordUsage;
  };
  const statuses = async (uses: readonly UseInput[], credential?: string): Promise<unknown[]> =>
    (await record(uses, credential)).results.map(({ status, refusal }) => refusal?.code ?? status);
  const used = async (secret: string): Promise<Record<string, string>> => {
    const { data } = await t.query(LimitsDocument, {}, secret);
    return Object.fromEntries((data?.account?.limits ?? []).map(({ name, used: spent }) => [name, spent]));
  };
  /** What counters say that are loaded from the ledger and the journal. */
  const loaded = async (accountId: string, meter: string): Promise<number> => {
    await t.caughtUp();
    const period = `month:${new Date().toISOString().slice(0, 7)}`;
    const subject = { accountId, environment: 'live', keyId: undefined } as const;
    const { sql, projector } = t.app.parts;
    const queries = new UsageQueries(sql, projector.access('usage'));
    return (await queries.counters(subject, [period])).amounts.of(meter, period);
  };

  it('are facts: stored before the answer, counted once for ever, also above a limit', async () => {
    const { keyId, accountId, secret } = await t.customer();
    const one = { useId: 'job-1', keyId, meter: 'videos', quantity: 2 };
    const first = await record([one]);
    expect(first).toMatchObject({ results: [{ useId: 'job-1', refusal: null }], replayed: false });
    expect(['ACCEPTED', 'PROVISIONAL']).toContain(first.results[0]?.status);
    expect(await used(secret)).toMatchObject({ 'videos-day': '2', 'requests-hour': '0' });
    // At once, and once the ledger has it.
    expect(await record([one])).toMatchObject({ results: [{ status: 'DUPLICATE' }], replayed: true });
    await t.caughtUp();
    expect(await statuses([one, { ...one, quantity: 3 }])).toEqual(['DUPLICATE', 'USE_ID_REUSED']);
    // The same id in another account is another.
    const other = await t.customer();
    expect(await statuses([{ ...one, keyId: other.keyId }])).not.toContain('DUPLICATE');
    // Two of three are used: of three more, two stand above the limit.
    const more = ['a', 'b', 'c'].map((useId) => ({ useId, accountId, meter: 'videos' }));
    expect((await statuses(more)).slice(1)).toEqual(['OVER_LIMIT', 'OVER_LIMIT']);
    expect(await used(secret)).toMatchObject({ 'videos-day': '5' });
    expect(await loaded(accountId, 'videos')).toBe(5);
  });

  it('count once, however many send them at the same time', async () => {
    const { keyId, accountId, secret } = await t.customer();
    const uses = Array.from({ length: 50 }, (_, i) => ({ useId: `p${i}`, keyId, meter: 'requests' }));
    const answers = await Promise.all(Array.from({ length: 8 }, () => statuses(uses)));
    const stored = answers.flat().filter((status) => status !== 'DUPLICATE');
    expect(stored).toHaveLength(50);
    expect(await loaded(accountId, 'requests')).toBe(50);
    expect(await used(secret)).toMatchObject({ 'requests-hour': '10' });
  });

  it('are taken late and rejected from the future', async () => {
    const { keyId, accountId } = await t.customer();
    const now = Date.now();
    const at = (useId: string, ms: number): UseInput => ({
      useId,
      keyId,
      meter: 'videos',
      at: iso(now + ms),
    });
    const [present, late, tooOld, ahead, future] = await statuses([
      at('present', 0),
      at('late', -5 * 24 * HOUR),
      at('too-old', -8 * 24 * HOUR),
      at('ahead', 4 * 60_000),
      at('future', 6 * 60_000),
    ]);
    expect(['ACCEPTED', 'PROVISIONAL']).toContain(present);
    expect([late, tooOld, future]).toEqual(['LATE', 'USE_TOO_OLD', 'USE_IN_FUTURE']);
    expect(['ACCEPTED', 'PROVISIONAL']).toContain(ahead);
    expect(await loaded(accountId, 'videos')).toBeGreaterThanOrEqual(2);
    // A late one that stands above the limit says both.
    const { results } = await record([{ ...at('late too', -5 * 24 * HOUR), quantity: 3 }, at('over', 0)]);
    expect(results).toMatchObject([
      { status: 'OVER_LIMIT', late: true },
      { status: 'OVER_LIMIT', late: false },
    ]);
  });

  it('are each judged by themselves', async () => {
    const { keyId, accountId } = await t.customer();
    const stranger = await t.customer();
    const good: UseInput = { keyId, meter: 'videos', quantity: 1 };
    const bad: readonly (readonly [what: string, use: UseInput, code: string])[] = [
      ['no id', { ...good }, 'INVALID_INPUT'],
      ['an empty id', { ...good, useId: '' }, 'INVALID_INPUT'],
      ['an id of 1,000 characters', { ...good, useId: 'x'.repeat(1_000) }, 'INVALID_INPUT'],
      ['an id with a NUL', { ...good, useId: 'a\0b' }, 'INVALID_INPUT'],
      ['an id with half a surrogate pair', { ...good, useId: 'a\ud800' }, 'INVALID_INPUT'],
      ['an id that a node minted', { ...good, useId: '1177200e.20261122181858420.0' }, 'USE_ID_REUSED'],
      ['nobody who pays', { useId: 'x1', meter: 'videos' }, 'INVALID_INPUT'],
      ['a key that is not there', { ...good, useId: 'x2', keyId: 'nonsense' }, 'NOT_FOUND'],
      ['a key with a NUL', { ...good, useId: 'x3', keyId: 'a\0' }, 'NOT_FOUND'],
      ['an account that is not there', { useId: 'x4', accountId: 'nonsense', meter: 'videos' }, 'NOT_FOUND'],
      [
        'an account that is not the key’s',
        { ...good, useId: 'x5', accountId: stranger.accountId },
        'INVALID_INPUT',
      ],
      ['no meter', { useId: 'x6', keyId }, 'INVALID_INPUT'],
      ['an unknown meter', { ...good, useId: 'x7', meter: '__proto__' }, 'INVALID_INPUT'],
      ['a negative amount', { ...good, useId: 'x8', quantity: -1 }, 'INVALID_INPUT'],
      ['nothing', { ...good, useId: 'x9', quantity: 0 }, 'INVALID_INPUT'],
      ['nothing, as a text', { ...good, useId: 'x10', quantity: '0' }, 'INVALID_INPUT'],
      ['no number', { ...good, useId: 'x11', quantity: 'NaN' }, 'INVALID_INPUT'],
      ['1e300', { ...good, useId: 'x12', quantity: 1e300 }, 'INVALID_INPUT'],
      ['a text', { ...good, useId: 'x13', quantity: 'many' }, 'INVALID_INPUT'],
      ['an object', { ...good, useId: 'x14', quantity: {} }, 'INVALID_INPUT'],
      ['30 decimals', { ...good, useId: 'x15', quantity: `1.${'0'.repeat(29)}1` }, 'INVALID_INPUT'],
      ['a fraction of a whole', { ...good, useId: 'x16', quantity: 0.5 }, 'INVALID_INPUT'],
      ['more than one use has', { ...good, useId: 'x17', quantity: '1000000000001' }, 'INVALID_INPUT'],
      ['a time without a zone', { ...good, useId: 'x18', at: '2026-11-23T10:15:30' }, 'INVALID_INPUT'],
      ['a time in 1970', { ...good, useId: 'x19', at: '1970-01-01T00:00:00Z' }, 'USE_TOO_OLD'],
      ['a time in 9999', { ...good, useId: 'x20', at: '9999-12-31T23:59:59Z' }, 'USE_IN_FUTURE'],
      ['a day that is none', { ...good, useId: 'x21', at: '2026-02-30T00:00:00Z' }, 'INVALID_INPUT'],
      ['a subject with a NUL', { ...good, useId: 'x22', subject: 'a\0' }, 'INVALID_INPUT'],
      ['an empty subject', { ...good, useId: 'x23', subject: ' ' }, 'INVALID_INPUT'],
      [
        'a bad property',
        { ...good, useId: 'x24', properties: [{ name: 'A b', value: 'x' }] },
        'INVALID_INPUT',
      ],
    ];
    const uses = bad.flatMap(([, use], i) => [use, { ...good, useId: `good-${i}` }]);
    const { results } = await record(uses);
    expect(bad.map(([what], i) => [what, results[2 * i]?.status, results[2 * i]?.refusal?.code])).toEqual(
      bad.map(([what, , code]) => [what, 'REJECTED', code]),
    );
    const others = results.filter((_, i) => i % 2 === 1);
    expect(others.filter(({ status }) => status === 'REJECTED')).toEqual([]);
    // The same over HTTP, and what GraphQL cannot say.
    const odd = [
      { ...good, useId: 5 },
      { ...good, useId: 'y1', quantity: true },
      { ...good, useId: 'y2', quantity: [1] },
      { ...good, useId: 'y3', quantity: -0 },
      { ...good, useId: 'y4', quantity: 1e21 },
      { ...good, useId: 'y5', at: Date.now() },
      { ...good, useId: 'y6', properties: { model: 'x' } },
      { ...good, useId: 'y7', properties: [null] },
      { ...good, useId: 'y8', status: 'REFUSED' },
      { ...good, useId: 'y9', durationMs: '5' },
      { ...good, useId: 'y10', subject: {} },
      null,
      'a use',
      [],
    ];
    const answer = await fetch(`${t.app.url}/v1/usage`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${backEnd}` },
      body: JSON.stringify({ uses: [...bad.map(([, use]) => use), ...odd, { ...good, useId: 'good-0' }] }),
    });
    const { results: told } = (await answer.json()) as {
      results: { status: string; refusal: { code: string } | null }[];
    };
    expect(told.slice(0, -1).map(({ status, refusal }) => [status, refusal?.code])).toEqual([
      ...bad.map(([, , code]) => ['REJECTED', code]),
      ...odd.map(() => ['REJECTED', 'INVALID_INPUT']),
    ]);
    expect(told.at(-1)).toEqual({ useId: 'good-0', status: 'DUPLICATE', late: false, refusal: null });
    // Nothing is lost, and nothing of the bad ones counts.
    expect(await loaded(accountId, 'videos')).toBe(bad.length);
    for (const count of [0, 1_001]) {
      const many = Array.from({ length: count }, (_, i) => ({ ...good, useId: `many-${i}` }));
      const { data } = await t.query(RecordUsageDocument, { input: { uses: many } }, backEnd);
      expect(data?.recordUsage).toMatchObject({ __typename: 'InvalidInput', code: 'INVALID_INPUT' });
    }
    const most = Array.from({ length: 1_000 }, (_, i) => ({ ...good, useId: `most-${i}` }));
    expect((await record(most)).results.every(({ status }) => status !== 'REJECTED')).toBe(true);
    expect(await loaded(accountId, 'videos')).toBe(bad.length + 1_000);
  });

  it('are exact above 2^53, and refused where one of them alone would be', async () => {
    const { keyId, accountId, secret, token } = await t.customer();
    const use = (useId: string, quantity: string): UseInput => ({ useId, keyId, meter: 'videos', quantity });
    for (const quantity of ['9007199254740991', '9223372036854775807', '1000000000000000001']) {
      const [result] = (await record([use(`x-${quantity}`, quantity)])).results;
      expect(result).toMatchObject({ status: 'REJECTED', refusal: { code: 'INVALID_INPUT' } });
      expect(result?.refusal?.message).toContain('1000000000000');
    }
    for (let page = 0; page < 10; page++) {
      const uses = Array.from({ length: 1_000 }, (_, i) => use(`${page}-${i}`, '1000000000000'));
      const answer = await fetch(`${t.app.url}/v1/usage`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${backEnd}` },
        body: JSON.stringify({ uses }),
      });
      const { results } = (await answer.json()) as { results: { status: string }[] };
      expect(results.filter(({ status }) => status === 'REJECTED')).toEqual([]);
    }
    await record([use('one', '1')]);
    const sum = '10000000000000001';
    expect(await used(secret)).toMatchObject({ 'videos-day': sum });
    await t.caughtUp();
    const get = async (path: string): Promise<Record<string, readonly Record<string, unknown>[]>> => {
      const answer = await fetch(`${t.app.url}${path}`, { headers: { authorization: `Bearer ${secret}` } });
      return (await answer.json()) as Record<string, readonly Record<string, unknown>[]>;
    };
    expect((await get('/v1/quota'))['limits']).toContainEqual(
      expect.objectContaining({ name: 'videos-day', used: sum, remaining: '0' }),
    );
    const total = { meter: 'videos', quantity: sum };
    expect((await get('/v1/usage'))['totals']).toContainEqual(total);
    const { data } = await t.raw('{ account { usage { totals { meter quantity } } } }', {}, secret);
    expect(data?.['account']).toMatchObject({
      usage: { totals: expect.arrayContaining([total]) as unknown },
    });
    // Counters that are loaded anew have all digits, too.
    const subject = { accountId, environment: 'live', keyId: undefined } as const;
    const day = periodOf('day', Date.now());
    const ledger = new UsageQueries(t.app.parts.sql, t.app.parts.projector.access('usage'));
    expect((await ledger.counters(subject, [day])).amounts.exactly('videos', day)).toBe(BigInt(sum));
    // A limit may be 2^53 - 1, and nothing that is larger.
    const limited = async (max: string) => {
      const limits = [{ meter: 'videos', window: 'DAY' as const, max }];
      const input = { name: 'large', limits };
      const answer = await t.query(IssueKeyDocument, { input }, token);
      return answer.data?.issueKey;
    };
    const issued = await limited('9007199254740991');
    if (issued?.__typename !== 'IssueKeyPayload') throw new Error(JSON.stringify(issued));
    const { data: shown } = await t.query(LimitsDocument, {}, issued.secret as string);
    expect(shown?.account?.limits).toContainEqual(
      expect.objectContaining({ meter: 'videos', source: 'KEY', max: '9007199254740991' }),
    );
    for (const max of ['9007199254740992', '9223372036854775807']) {
      expect(await limited(max)).toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('come from operators for all, and from others for their own account', async () => {
    const [mine, theirs] = [await t.customer(), await t.customer()];
    const { data } = await t.query(
      IssueKeyDocument,
      { input: { name: 'own', scopes: ['ADMIN'] } },
      mine.token,
    );
    if (data?.issueKey?.__typename !== 'IssueKeyPayload') throw new Error('no key');
    const own = data.issueKey.secret as string;
    const use = (useId: string, payer: Partial<UseInput>): UseInput => ({ useId, meter: 'videos', ...payer });
    const [first, ...rest] = await statuses(
      [
        use('1', { keyId: mine.keyId }),
        use('2', { keyId: theirs.keyId }),
        use('3', { accountId: theirs.accountId }),
        use('4', { keyId: mine.keyId, accountId: theirs.accountId }),
      ],
      own,
    );
    expect(['ACCEPTED', 'PROVISIONAL']).toContain(first);
    expect(rest).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
    const { errors } = await t.query(RecordUsageDocument, { input: { uses: [use('5', {})] } }, mine.secret);
    expect(errors?.[0]?.extensions['code']).toBe('SCOPE_MISSING');
  });

  it('have ids that a customer’s own reports cannot take, and are of the environment of their key', async () => {
    const { keyId, accountId, token, secret } = await t.customer('pro');
    const own = (await t.issueKey(token, 'LIVE', ['ADMIN', 'READ'])).secret;
    const test = await t.issueKey(token, 'TEST', ['ADMIN', 'READ']);
    const use = { useId: 'job-1002', keyId, meter: 'videos' };
    const [mine] = (await record([{ ...use, quantity: 1 }], own)).results;
    expect(mine).toMatchObject({ useId: 'job-1002', refusal: null });
    expect(await statuses([{ ...use, quantity: 1 }], token)).toEqual(['DUPLICATE']);
    // A back end has the id still, and none of a customer's.
    const [billed] = (await record([{ ...use, quantity: 9 }])).results;
    expect(billed).toMatchObject({ useId: 'job-1002', refusal: null });
    expect(billed?.status).not.toBe('DUPLICATE');
    const taken = [{ ...use, useId: 'own.job-1002', quantity: 9 }];
    expect(await statuses(taken)).toEqual(['INVALID_INPUT']);
    expect(await statuses([{ ...use, useId: 'x'.repeat(124) }], own)).not.toContain('INVALID_INPUT');
    expect(await statuses([{ ...use, useId: 'x'.repeat(125) }], own)).toEqual(['INVALID_INPUT']);
    expect(await loaded(accountId, 'videos')).toBe(11);
    // Once the ledger has them, too.
    expect(
      await statuses(
        [
          { ...use, quantity: 1 },
          { ...use, quantity: 2 },
        ],
        own,
      ),
    ).toEqual(['DUPLICATE', 'USE_ID_REUSED']);
    // A test key reports for test keys, all else of the customer for live ones.
    expect(await statuses([{ ...use, useId: 'job-2' }], test.secret)).toEqual(['INVALID_INPUT']);
    expect(await statuses([{ ...use, useId: 'job-2', keyId: test.keyId }], own)).toEqual(['INVALID_INPUT']);
    const tried = [{ ...use, useId: 'job-2', keyId: test.keyId }];
    expect(await statuses(tried, test.secret)).not.toContain('INVALID_INPUT');
    expect(await used(secret)).toMatchObject({ 'videos-day': '11' });
    // What may be reported for one environment alone may be read from the other.
    const quota = await fetch(`${t.app.url}/v1/quota?keyId=key_${test.keyId}`, {
      headers: { authorization: `Bearer ${own}` },
    });
    expect(quota.status).toBe(200);
    // Lists show both, and either is corrected by the id that they show.
    const { data } = await t.query(UsesDocument, { first: 10 }, own);
    const listed = data?.account?.uses?.nodes.map(({ useId }) => useId) ?? [];
    expect(listed).toEqual(expect.arrayContaining(['job-1002', 'own.job-1002', `own.${'x'.repeat(124)}`]));
    for (const [useId, quantity] of [
      ['own.job-1002', '1'],
      [`own.${'x'.repeat(124)}`, '1'],
      ['job-1002', '9'],
    ] as const) {
      const input = { accountId, useId, reason: 'reported wrongly' };
      const corrected = await t.query(CorrectUsageDocument, { input }, backEnd);
      expect(corrected.data?.correctUsage).toMatchObject({
        useId,
        reversed: [{ meter: 'videos', quantity }],
      });
    }
    expect(await loaded(accountId, 'videos')).toBe(0);
  });

  it('name end customers whom the journal does not know', async () => {
    const { keyId, accountId } = await t.customer();
    const use = { keyId, meter: 'videos', subject: 'ada@example.com' };
    await record([
      { ...use, useId: '1', properties: [{ name: 'model', value: 'large' }] },
      { ...use, useId: '2' },
    ]);
    const rows = await t.app.parts.sql.query<{ data: string }>(
      `SELECT data::text FROM store.events WHERE type = 'UsesRecorded' AND data::text LIKE $1`,
      [`%${accountId}%`],
    );
    const text = rows.map(({ data }) => data).join();
    expect(text).not.toContain('ada@example.com');
    const ids = [...text.matchAll(/"subject":\s*"([^"]+)"/g)].map(([, id]) => id);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
    expect(text).toContain('large');
  });

  it('are taken back by operators with a reason, once', async () => {
    const customer = await t.customer('pro');
    const { keyId, accountId, secret } = customer;
    const correct = async (input: Partial<CorrectUsageInput> = {}, credential = backEnd) => {
      const given = { accountId, useId: 'wrong', reason: 'reported twice', ...input };
      const { data, errors } = await t.query(CorrectUsageDocument, { input: given }, credential);
      return data?.correctUsage ?? errors?.[0]?.extensions;
    };
    await record([
      {
        useId: 'wrong',
        keyId,
        meter: 'videos',
        quantity: 5,
        properties: [{ name: 'model', value: 'large' }],
      },
      { useId: 'right', keyId, meter: 'videos', quantity: 2 },
    ]);
    expect(await used(secret)).toMatchObject({ 'videos-day': '7' });
    const commandId = randomUUID();
    const reversed = [{ meter: 'videos', quantity: '5' }];
    expect(await correct({ commandId })).toMatchObject({ useId: 'wrong', reversed, replayed: false });
    expect(await used(secret)).toMatchObject({ 'videos-day': '2' });
    expect(await loaded(accountId, 'videos')).toBe(2);
    // Again it changes nothing, and by another command it is refused.
    expect(await correct({ commandId })).toMatchObject({ reversed, replayed: true });
    expect(await correct()).toMatchObject({ code: 'ALREADY_REVERSED' });
    expect(await correct({ commandId, reason: 'another' })).toMatchObject({ code: 'COMMAND_ID_REUSED' });
    expect(await correct({ useId: 'nonsense' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await correct({ useId: 'a\0' })).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await correct({ reason: ' ' })).toMatchObject({ code: 'INVALID_INPUT' });
    const other = await t.customer();
    expect(await correct({ accountId: other.accountId, useId: 'right' })).toMatchObject({
      code: 'NOT_FOUND',
    });
    // Who pays does not decide that.
    const own = (await t.issueKey(customer.token, 'LIVE', ['ADMIN'])).secret;
    expect(await correct({ useId: 'right' }, own)).toMatchObject({ code: 'OPERATOR_REQUIRED' });
    // Its id stays taken.
    expect(await statuses([{ useId: 'wrong', keyId, meter: 'videos', quantity: 1 }])).toEqual([
      'USE_ID_REUSED',
    ]);
    expect(await used(secret)).toMatchObject({ 'videos-day': '2' });
    expect(await loaded(accountId, 'videos')).toBe(2);
    const { data } = await t.query(AccountAuditLogDocument, {}, customer.token);
    expect(data?.me?.account?.auditLog?.nodes).toContainEqual(
      expect.objectContaining({ action: 'UseReversed', subject: 'use:wrong', reason: 'reported twice' }),
    );
    // Counters that are loaded now, from the ledger and the journal's end, say the same.
    const { sql, projector, store } = t.app.parts;
    const ledger = new UsageQueries(sql, projector.access('usage'));
    const tail = await readJournalTail(store, Date.now() - 120_000, 0, 100);
    const day = periodOf('day', Date.now());
    const subject = { accountId, environment: 'live', keyId: undefined } as const;
    const none = { amounts: new Amounts(), held: new Amounts(), seen: 0 };
    expect(spentOf(tail, subjectId(subject), none, Date.now()).periods.of('videos', day)).toBe(2);
    expect((await ledger.counters(subject, [day])).amounts.of('videos', day)).toBe(2);
  });
});
