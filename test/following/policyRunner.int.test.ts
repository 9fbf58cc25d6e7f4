import { randomUUID } from 'node:crypto';
import { accountDecider } from '../../src/accounts/decideAccount.js';
import { userDecider } from '../../src/accounts/decideUser.js';
import type { EmailEvent } from '../../src/accounts/events.js';
import { accountStream, emailStream, userStream } from '../../src/accounts/events.js';
import { openAccount } from '../../src/accounts/policies.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM, StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import type { Policy } from '../../src/eventsourcing/policy.js';
import { causedBy } from '../../src/eventsourcing/policy.js';
import { NotYet } from '../../src/outage.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { EventReader } from '../../src/following/reader.js';
import { freshSql } from '../support/database.js';
import { deferred, InterceptedStore, newEvent, newStream } from '../eventsourcing/fixtures.js';

const LONG = 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: InterceptedStore;
beforeAll(async () => {
  database = await freshSql();
  store = new InterceptedStore(await PostgresEventStore.open(database.sql));
});
afterAll(() => database.remove());
beforeEach(() => {
  store.onAppend = (append) => append();
});

async function run(
  policies: readonly Policy[],
  onError: (error: unknown) => void = (error) => {
    throw error;
  },
): Promise<{ runner: PolicyRunner; stop: () => Promise<void> }> {
  const reader = new EventReader(store);
  const runner = await PolicyRunner.open(database.sql, reader, policies, (_policy, error) => onError(error), {
    retryMs: [1, 1],
  });
  runner.start();
  return {
    runner,
    stop: async () => {
      reader.close();
      await runner.stop();
    },
  };
}

async function registerEmail(): Promise<
  Extract<EmailEvent, { type: 'EmailRegistered' }>['data'] & { position: Position }
> {
  const data = {
    userId: randomUUID(),
    accountId: randomUUID(),
    email: 'v1:sealed',
    name: 'v1:sealed',
    passwordHash: 'v1:sealed',
  };
  const event = newEvent({ type: 'EmailRegistered', data: JSON.stringify(data) });
  const { position } = await store.append(emailStream(randomUUID()), NO_STREAM, [event]);
  return { ...data, position };
}

async function typesOf(stream: string): Promise<string[]> {
  return (await store.readStream(stream)).map(({ type }) => type);
}

it('a registered e-mail gets its account and its user', async () => {
  const { runner, stop } = await run([openAccount(new CommandHandler(store))]);
  const { userId, accountId, position } = await registerEmail();
  expect(await runner.reached(position, LONG)).toBe(true);
  await stop();

  const [opened] = await store.readStream(accountStream(accountId));
  expect(opened).toMatchObject({ type: 'AccountOpened', data: { ownerId: userId } });
  const [registered] = await store.readStream(userStream(userId));
  expect(registered).toMatchObject({ type: 'UserRegistered', data: { accountId } });
  const [cause] = await store.readAll(position - 1, 1, 1_000);
  expect(registered?.metadata).toMatchObject({ causationId: cause?.id, caller: 'policy:open-account' });
});

it('a policy that fails half way is completed on the next start, without doubling', async () => {
  const failed = deferred();
  store.onAppend = (append, events) =>
    events.some(({ type }) => type === 'UserRegistered')
      ? Promise.reject(new StoreUnavailable('away'))
      : append();
  const first = await run([openAccount(new CommandHandler(store))], () => failed.resolve());
  const { userId, accountId, position } = await registerEmail();
  await failed.promise;
  await first.stop();
  expect(await first.runner.reached(position, 0)).toBe(false);
  expect(await typesOf(accountStream(accountId))).toEqual(['AccountOpened']);
  expect(await typesOf(userStream(userId))).toEqual([]);

  store.onAppend = (append) => append();
  const second = await run([openAccount(new CommandHandler(store))]);
  expect(await second.runner.reached(position, LONG)).toBe(true);
  await second.stop();
  expect(await typesOf(accountStream(accountId))).toEqual(['AccountOpened']);
  expect(await typesOf(userStream(userId))).toEqual(['UserRegistered']);
});

it('an event that comes again after a lost checkpoint adds nothing', async () => {
  const commands = new CommandHandler(store);
  const first = await run([openAccount(commands)]);
  const { userId, accountId, position } = await registerEmail();
  expect(await first.runner.reached(position, LONG)).toBe(true);
  await first.stop();

  await database.sql.query('DELETE FROM read.policies');
  const head = await store.head();
  const second = await run([openAccount(commands)]);
  expect(await second.runner.reached(head, LONG)).toBe(true);
  await second.stop();
  expect(await store.head()).toBe(head);
  expect(await typesOf(accountStream(accountId))).toEqual(['AccountOpened']);
  expect(await typesOf(userStream(userId))).toEqual(['UserRegistered']);
});

it('waits for what is not there yet, and tells nobody', async () => {
  let waits = 2;
  const waiting: Policy = {
    name: 'waits',
    handles: new Set(['Noted']),
    react: () => (waits-- > 0 ? Promise.reject(new NotYet('not there yet')) : Promise.resolve()),
  };
  const { runner, stop } = await run([waiting]);
  const { position } = await store.append(newStream(), NO_STREAM, [newEvent({ type: 'Noted' })]);
  expect(await runner.reached(position, LONG)).toBe(true);
  await stop();
  expect(waits).toBe(-1);
});

it('a policy goes on behind its checkpoint and is not given earlier events again', async () => {
  const seen: string[][] = [[], []];
  const recorder = (into: string[]): Policy => ({
    name: 'recorder',
    handles: new Set(['EmailRegistered']),
    react: async (event) => void into.push(event.id),
  });
  const first = await run([recorder(seen[0] as string[])]);
  expect(await first.runner.reached((await registerEmail()).position, LONG)).toBe(true);
  await first.stop();
  const second = await run([recorder(seen[1] as string[])]);
  expect(await second.runner.reached((await registerEmail()).position, LONG)).toBe(true);
  await second.stop();
  expect(seen[0]?.length).toBeGreaterThan(0);
  expect(seen[1]).toHaveLength(1);
  expect(seen[0]).not.toContain(seen[1]?.[0]);
});

it('a command that an event causes is the same command each time', async () => {
  const { position } = await registerEmail();
  const [event] = await store.readAll(position - 1, 1, 1_000);
  if (!event) throw new Error('the event is not there');
  const commands = new CommandHandler(store);
  const context = causedBy(event, 'test');
  const stream = accountStream(randomUUID());
  const first = await commands.handle(accountDecider, stream, { type: 'OpenAccount', ownerId: 'a' }, context);
  expect(
    await commands.handle(accountDecider, stream, { type: 'OpenAccount', ownerId: 'a' }, context),
  ).toMatchObject({
    kind: 'accepted',
    replayed: true,
    position: first.kind === 'accepted' ? first.position : undefined,
  });
  // One cause may command several streams under one command id.
  const other = await commands.handle(
    userDecider,
    userStream(randomUUID()),
    { type: 'RegisterUser', user: { accountId: 'a', email: 'v1:sealed', name: 'v1:sealed' } },
    context,
  );
  expect(other).toMatchObject({ kind: 'accepted', replayed: false });
});

describe('an event that a policy cannot handle', () => {
  let poisoned: Set<string>;
  let reacted: string[];
  const fragile: Policy = {
    name: 'fragile',
    handles: new Set(['Noted']),
    react: async ({ id }) => {
      if (poisoned.has(id)) throw new TypeError('cannot react');
      reacted.push(id);
    },
  };
  beforeEach(async () => {
    poisoned = new Set();
    reacted = [];
  });

  it('is parked with the later events of its stream; the rest flows, and a replay makes it good', async () => {
    const { runner, stop } = await run([fragile]);
    expect(await runner.reached(await store.head(), LONG)).toBe(true);
    reacted = [];
    const [before, bad, behind, other, later] = Array.from({ length: 5 }, () => newEvent());
    if (!before || !bad || !behind || !other || !later) throw new Error('five events');
    poisoned.add(bad.id);
    const ill = newStream();
    await store.append(ill, NO_STREAM, [before, bad, behind]);
    const { position } = await store.append(newStream(), NO_STREAM, [other]);
    expect(await runner.reached(position, LONG)).toBe(true);
    expect(reacted).toEqual([before.id, other.id]);
    const [parked] = await runner.parked();
    expect(parked).toMatchObject({
      subject: 'policy fragile',
      stream: ill,
      events: 2,
      reason: 'TypeError: cannot react',
    });
    if (!parked) throw new Error('nothing is parked');
    expect(runner.parkedStreams()).toEqual([{ policy: 'fragile', streams: 1 }]);

    // A restart does not forget it.
    await stop();
    const second = await run([fragile]);
    const last = await store.append(ill, 2, [later]);
    expect(await second.runner.reached(last.position, LONG)).toBe(true);
    expect(reacted).toEqual([before.id, other.id]);

    expect(await second.runner.unpark(parked)).toMatchObject({ replayed: 0, remaining: 3 });
    poisoned.clear();
    expect(await second.runner.unpark(parked)).toMatchObject({ replayed: 3, remaining: 0 });
    expect(reacted.slice(-3)).toEqual([bad.id, behind.id, later.id]);
    expect(await second.runner.parked()).toEqual([]);
    await second.stop();
  });

  it('is left out for good when an operator skips it', async () => {
    const { runner, stop } = await run([fragile]);
    const [bad, behind] = [newEvent(), newEvent()];
    poisoned.add(bad.id);
    const { position } = await store.append(newStream(), NO_STREAM, [bad, behind]);
    expect(await runner.reached(position, LONG)).toBe(true);
    const [parked] = await runner.parked();
    if (!parked) throw new Error('nothing is parked');
    const skip = { all: false, by: 'operator', reason: 'a test' };
    expect(await runner.unpark(parked, skip)).toMatchObject({ skipped: 1, replayed: 1, remaining: 0 });
    expect(reacted.at(-1)).toBe(behind.id);
    expect(reacted).not.toContain(bad.id);
    await stop();
  });
});
