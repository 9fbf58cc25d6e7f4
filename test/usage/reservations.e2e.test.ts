import { randomUUID } from 'node:crypto';
import { UsageQueries } from '../../projections/usage/queries.js';
import type { MeterQuantityInput, ReserveUsageInput, VerifyKeyInput } from '../generated/graphql.js';
import {
  LimitsDocument,
  ReleaseReservationDocument,
  ReserveUsageDocument,
  SettleReservationDocument,
  UsesDocument,
  VerifyKeyDocument,
} from '../generated/graphql.js';
import { periodOf } from '../../src/usage/limits/periods.js';
import { kill, ready, spawnProduct } from '../process/product.js';
import { rootWithoutPatterns } from '../process/root.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import { SHARED_REDIS_URL } from '../support/redis.js';
import { until } from '../support/until.js';

const videos = (quantity: number): MeterQuantityInput[] => [{ meter: 'videos', quantity }];

describe.each([
  ['in process', {}],
  ...(SHARED_REDIS_URL === undefined ? [] : [['through Redis', { REDIS_URL: SHARED_REDIS_URL }] as const]),
] as const)('a reservation, limits %s', (_name, env) => {
  let place: Place;
  let t: TestApp;
  let backEnd: string;

  const begin = async (): Promise<void> => {
    t = await startApp({ place, env: { ...env, PROFILE: 'videomind' } });
  };
  beforeAll(async () => {
    place = await freshPlace({ ready: true });
    await begin();
    const operator = await t.customer();
    await t.makeOperator(operator);
    backEnd = (await t.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
  });
  afterAll(async () => {
    await t.close();
    await place.remove();
  });

  const reserve = async (input: Omit<ReserveUsageInput, 'endpoint'>, credential = backEnd) => {
    const variables = { input: { endpoint: '/analyse', ...input } };
    const { data, errors } = await t.query(ReserveUsageDocument, variables, credential);
    if (!data?.reserveUsage) throw new Error(JSON.stringify(errors));
    return data.reserveUsage;
  };
  const reserved = async (input: Omit<ReserveUsageInput, 'endpoint'>, credential = backEnd) => {
    const answer = await reserve(input, credential);
    if (answer.__typename !== 'ReserveUsagePayload') throw new Error(JSON.stringify(answer));
    return answer;
  };
  const settle = async (
    reservationId: string,
    quantities: MeterQuantityInput[] = [],
    credential = backEnd,
  ) => {
    const input = { reservationId, quantities };
    const { data, errors } = await t.query(SettleReservationDocument, { input }, credential);
    if (!data?.settleReservation) throw new Error(JSON.stringify(errors));
    return data.settleReservation;
  };
  const release = async (reservationId: string, credential = backEnd) => {
    const { data } = await t.query(ReleaseReservationDocument, { input: { reservationId } }, credential);
    return data?.releaseReservation;
  };
  const verify = async (input: VerifyKeyInput) => {
    const { data, errors } = await t.query(VerifyKeyDocument, { input }, backEnd);
    if (data?.verifyKey?.__typename !== 'VerifyKeyPayload') throw new Error(JSON.stringify(data ?? errors));
    return data.verifyKey;
  };
  const used = async (secret: string): Promise<number> => {
    const { data } = await t.query(LimitsDocument, {}, secret);
    return Number(data?.account?.limits?.find(({ name }) => name === 'videos-day')?.used);
  };

  it('holds what it takes, and gives back what the work did not come to', async () => {
    const { keyId, secret } = await t.customer('pro');
    const { reservation, limits } = await reserved({ keyId, quantities: videos(10) });
    expect(reservation).toMatchObject({
      status: 'RESERVED',
      held: [{ meter: 'videos', quantity: '10' }],
      settled: [],
    });
    expect(limits).toEqual([{ name: 'videos-day', used: '10', remaining: '20' }]);
    expect(await used(secret)).toBe(10);
    const answer = { status: 'SETTLED', held: [], settled: [{ meter: 'videos', quantity: '4' }] };
    expect(await settle(reservation.id, videos(4))).toMatchObject({ reservation: answer, replayed: false });
    expect(await used(secret)).toBe(4);
    // Sent again, it answers the same and takes nothing.
    expect(await settle(reservation.id, videos(4))).toMatchObject({ reservation: answer, replayed: true });
    expect(await settle(reservation.id, videos(5))).toMatchObject({ code: 'RESERVATION_ENDED' });
    expect(await release(reservation.id)).toMatchObject({ code: 'RESERVATION_ENDED' });
    expect(await used(secret)).toBe(4);
    // It may come to more than was reserved, and to more than the limit: that counts all the same.
    const more = await reserved({ keyId, quantities: videos(1) });
    expect(await settle(more.reservation.id, videos(40))).toMatchObject({ replayed: false });
    expect(await used(secret)).toBe(44);
    expect(await reserve({ keyId, quantities: videos(1) })).toMatchObject({
      __typename: 'LimitReached',
      code: 'QUOTA_EXCEEDED',
    });
  });

  it('is the same for the same command, and of another content none', async () => {
    const { keyId, secret } = await t.customer('pro');
    const commandId = randomUUID();
    const all = await Promise.all(
      Array.from({ length: 6 }, () => reserved({ keyId, quantities: videos(3), commandId })),
    );
    expect(new Set(all.map(({ reservation }) => reservation.id)).size).toBe(1);
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await used(secret)).toBe(3);
    expect(await reserve({ keyId, quantities: videos(4), commandId })).toMatchObject({
      code: 'COMMAND_ID_REUSED',
    });
    const id = all[0]?.reservation.id as string;
    const ends = await Promise.all([settle(id, videos(1)), settle(id, videos(1)), settle(id, videos(1))]);
    expect(ends.filter((end) => 'replayed' in end && !end.replayed)).toHaveLength(1);
    expect(await used(secret)).toBe(1);
    expect(await reserved({ keyId, quantities: videos(3), commandId })).toMatchObject({
      replayed: true,
      reservation: { status: 'SETTLED' },
    });
    expect(await used(secret)).toBe(1);
  });

  it('comes from verifyKey, which spends for good where it is not asked to reserve', async () => {
    const { secret, keyId } = await t.customer('pro');
    const commandId = randomUUID();
    const spend = { endpoint: '/analyse', quantities: videos(5), reserve: true };
    const first = await verify({ secret, spend, commandId });
    expect(first).toMatchObject({ valid: true, keyId: `key_${keyId}`, reservation: { status: 'RESERVED' } });
    expect(await verify({ secret, spend, commandId })).toMatchObject({ useId: first.useId });
    expect(await used(secret)).toBe(5);
    await settle(first.reservation?.id as string, videos(2));
    expect(await used(secret)).toBe(2);
    const final = { endpoint: '/analyse', quantities: videos(1) };
    const again = randomUUID();
    const spent = await verify({ secret, spend: final, commandId: again });
    expect(await verify({ secret, spend: final, commandId: again })).toMatchObject({
      useId: spent.useId,
      reservation: null,
    });
    expect(await used(secret)).toBe(3);
  });

  it('ends by itself, and can be settled still', async () => {
    const { keyId, secret } = await t.customer('pro');
    const { reservation } = await reserved({ keyId, quantities: videos(7), expiresInSeconds: 1 });
    const { sql, projector } = t.app.parts;
    const ledger = new UsageQueries(sql, projector.access('usage'));
    const phases = async () => (await ledger.reservation(reservation.id)).map(({ phase }) => phase);
    await until(async () => (await phases()).includes('expired'));
    expect(await used(secret)).toBe(0);
    expect(await settle(reservation.id, videos(6))).toMatchObject({ reservation: { status: 'SETTLED' } });
    expect(await used(secret)).toBe(6);
  });

  it('is nobody else’s', async () => {
    const [mine, theirs] = [await t.customer('pro'), await t.customer('pro')];
    const own = (await t.issueKey(mine.token, 'LIVE', ['ADMIN'])).secret;
    const { reservation } = await reserved({ keyId: theirs.keyId, quantities: videos(1) });
    const { reservation: other } = await reserved({ keyId: mine.keyId, quantities: videos(2) });
    // As a node it is found by whoever pays, and by operators.
    const operator = await t.customer('pro');
    await t.makeOperator(operator);
    const reader = (await t.issueKey(mine.token, 'LIVE', ['READ', 'ADMIN'])).secret;
    const seenBy = async (credential: string): Promise<unknown> => {
      const ids = [reservation.id, other.id, 'res_unknown'];
      const query =
        'query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Reservation { status held { meter quantity } } } }';
      const { data, errors } = await t.raw(query, { ids }, credential);
      return data?.['nodes'] ?? errors;
    };
    const [first, second] = [
      { id: reservation.id, status: 'RESERVED', held: [{ meter: 'videos', quantity: '1' }] },
      { id: other.id, status: 'RESERVED', held: [{ meter: 'videos', quantity: '2' }] },
    ];
    expect(await seenBy(operator.token)).toEqual([first, second, null]);
    expect(await seenBy(reader)).toEqual([null, second, null]);
    expect(await seenBy(mine.secret)).toEqual([null, null, null]);
    expect(await settle(reservation.id, [], own)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await settle('nonsense', [], own)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await reserve({ keyId: theirs.keyId, quantities: videos(1) }, own)).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await reserve({ keyId: mine.keyId, quantities: videos(1) }, own)).toMatchObject({
      replayed: false,
    });
    expect(await reserve({ keyId: mine.keyId, quantities: [] }, own)).toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(await reserve({ keyId: mine.keyId, quantities: [...videos(1), ...videos(2)] }, own)).toMatchObject(
      {
        code: 'INVALID_INPUT',
      },
    );
  });

  it('is ended by the back end that made it, whoever pays and sees its id', async () => {
    const { keyId, secret, token } = await t.customer('pro');
    const own = (await t.issueKey(token, 'LIVE', ['ADMIN', 'READ'])).secret;
    const test = await t.issueKey(token, 'TEST', ['ADMIN', 'READ']);
    const { reservation } = await reserved({ keyId, quantities: videos(5), expiresInSeconds: 1 });
    const verified = await verify({
      secret,
      spend: { endpoint: '/analyse', quantities: videos(2), reserve: true },
    });
    const customers = [own, token, test.secret];
    for (const credential of customers) {
      expect(await release(reservation.id, credential)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await settle(verified.reservation?.id as string, videos(0), credential)).toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    const listed = async (): Promise<string | undefined> => {
      const { data } = await t.query(UsesDocument, { first: 10 }, own);
      return data?.account?.uses?.nodes.map(({ useId }) => useId).find((id) => id === reservation.id);
    };
    // The customer's own looks would meet the guard of their account.
    const { sql, projector } = t.app.parts;
    const ledger = new UsageQueries(sql, projector.access('usage'));
    await until(async () =>
      (await ledger.reservation(reservation.id)).some(({ phase }) => phase === 'expired'),
    );
    expect(await listed()).toBe(reservation.id);
    for (const credential of customers) {
      expect(await release(reservation.id, credential)).toMatchObject({ code: 'NOT_FOUND' });
    }
    // Nor by an id like those of a customer's own.
    expect(await release(reservation.id.replace('res_', 'res_own_'), own)).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await settle(reservation.id, videos(5))).toMatchObject({ replayed: false });
    expect(await used(secret)).toBe(7);
  });

  it('that a customer has made is ended by the customer, in its environment, and by operators', async () => {
    const { keyId, secret, token } = await t.customer('pro');
    const own = (await t.issueKey(token, 'LIVE', ['ADMIN'])).secret;
    const test = await t.issueKey(token, 'TEST', ['ADMIN']);
    const commandId = randomUUID();
    const mine = await reserved({ keyId, quantities: videos(3), commandId }, own);
    expect(await reserved({ keyId, quantities: videos(3), commandId }, own)).toMatchObject({
      replayed: true,
    });
    expect(await release(mine.reservation.id, test.secret)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await settle(mine.reservation.id, videos(1), own)).toMatchObject({ replayed: false });
    const other = await reserved({ keyId, quantities: videos(4) }, token);
    expect(await release(other.reservation.id)).toMatchObject({ reservation: { status: 'RELEASED' } });
    expect(await used(secret)).toBe(1);
    // Test keys take from test limits, and all others of the customer from live ones.
    const refused = { __typename: 'InvalidInput', code: 'INVALID_INPUT' };
    expect(await reserve({ keyId, quantities: videos(1) }, test.secret)).toMatchObject(refused);
    expect(await reserve({ keyId: test.keyId, quantities: videos(1) }, own)).toMatchObject(refused);
    expect(await used(secret)).toBe(1);
    const tried = await reserved({ keyId: test.keyId, quantities: videos(2) }, test.secret);
    expect(await release(tried.reservation.id, own)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await release(tried.reservation.id, test.secret)).toMatchObject({
      reservation: { status: 'RELEASED' },
    });
  });

  it('outlives the process: what is stored is held, and can be ended', async () => {
    const { keyId, secret } = await t.customer('pro');
    const commandId = randomUUID();
    const first = await reserved({ keyId, quantities: videos(9), commandId });
    const second = await reserved({ keyId, quantities: videos(2) });
    await t.close();
    await begin();
    expect(await used(secret)).toBe(11);
    expect(await reserved({ keyId, quantities: videos(9), commandId })).toMatchObject({ replayed: true });
    await settle(first.reservation.id, videos(1));
    expect(await release(second.reservation.id)).toMatchObject({ reservation: { status: 'RELEASED' } });
    expect(await used(secret)).toBe(1);
    await t.close();
    await begin();
    expect(await used(secret)).toBe(1);
    expect(await settle(first.reservation.id, videos(1))).toMatchObject({ replayed: true });
  });

  it('outlives a process that is killed, whatever it was doing', async () => {
    const { keyId, accountId, secret } = await t.customer('pro');
    await t.close();
    const root = await rootWithoutPatterns();
    const node = spawnProduct(place, root.path, { ...env, PROFILE: 'videomind', BILLING: 'off' });
    const url = await ready(node);
    const post = async (path: string, body: object): Promise<{ reservation: { id: string } }> => {
      const answer = await fetch(`${url}/v1/reservations${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${backEnd}` },
        body: JSON.stringify(body),
      });
      return (await answer.json()) as { reservation: { id: string } };
    };
    const take = async (quantity: number, more: object = {}): Promise<string> => {
      const body = { keyId, endpoint: '/analyse', quantities: videos(quantity), ...more };
      return (await post('', body)).reservation.id;
    };
    const [kept, lapsing, settled, torn] = [
      await take(9),
      await take(4, { expiresInSeconds: 1 }),
      await take(5),
      await take(8),
    ];
    await post(`/${settled}/settle`, { quantities: videos(2) });
    // Whether this one arrives nobody knows.
    const tearing = post(`/${torn}/settle`, { quantities: videos(1) }).catch(() => undefined);
    await kill(node);
    await tearing;
    await root.remove();
    await begin();
    expect(await settle(kept, videos(6))).toMatchObject({ reservation: { status: 'SETTLED' } });
    expect(await settle(settled, videos(2))).toMatchObject({ replayed: true });
    expect(await settle(torn, videos(1))).toMatchObject({ reservation: { status: 'SETTLED' } });
    const { sql, projector } = t.app.parts;
    const ledger = new UsageQueries(sql, projector.access('usage'));
    await until(async () => (await ledger.reservation(lapsing)).some(({ phase }) => phase === 'expired'));
    await t.caughtUp();
    const day = periodOf('day', Date.now());
    const subject = { accountId, environment: 'live', keyId: undefined } as const;
    const counted = await ledger.counters(subject, [day]);
    expect([counted.amounts.of('videos', day), counted.held.of('videos', day)]).toEqual([9, 0]);
    expect(await used(secret)).toBe(9);
  });
});
