import { randomUUID } from 'node:crypto';
import { teams } from '../../projections/teams/model.js';
import { TeamQueries } from '../../projections/teams/queries.js';
import { Projector } from '../../src/following/projector.js';
import { accountDecider } from '../../src/accounts/decideAccount.js';
import { userDecider } from '../../src/accounts/decideUser.js';
import { accountStream, userStream } from '../../src/accounts/events.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { Decider } from '../../src/eventsourcing/decider.js';
import type { DomainEvent, Position } from '../../src/eventsourcing/event.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { EventReader } from '../../src/following/reader.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import type { Sql } from '../../src/sql/sql.js';
import { teamDecider } from '../../src/teams/decide.js';
import type { Role, TeamEvent } from '../../src/teams/events.js';
import { teamStream } from '../../src/teams/events.js';
import { InviteMember } from '../../src/teams/invite.js';
import { endMemberships, endTeam, eraseInvited } from '../../src/teams/policies.js';
import { freshSql } from '../support/database.js';

const LONG = 60_000;
const KEY = Buffer.alloc(32, 1);
const NOW = new Date('2026-11-23T12:00:00Z');

let database: Awaited<ReturnType<typeof freshSql>>;
let sql: Sql;
let store: PostgresEventStore;
let commands: CommandHandler;
let personal: PersonalData;
let reader: EventReader;
let projector: Projector;
let queries: TeamQueries;
let runner: PolicyRunner;

beforeAll(async () => {
  database = await freshSql();
  sql = database.sql;
  store = await PostgresEventStore.open(sql);
  commands = new CommandHandler(store);
  personal = await PersonalData.open(sql, KEY);
  reader = new EventReader(store);
  projector = await Projector.open(sql, reader, [teams], () => undefined);
  projector.start();
  queries = new TeamQueries(sql, projector.access('teams'));
  const asOf = (ask: (id: string) => Promise<string[]>) => async (id: string, position: Position) => {
    expect(await projector.reached('teams', position, LONG)).toBe(true);
    return ask(id);
  };
  runner = await PolicyRunner.open(
    sql,
    reader,
    [
      endTeam(commands),
      endMemberships(
        commands,
        asOf((id) => queries.joined(id)),
      ),
      eraseInvited(
        personal,
        asOf((id) => queries.invited(id)),
      ),
    ],
    () => undefined,
  );
});
afterAll(async () => {
  reader.close();
  await runner.stop();
  await projector.stop();
  await database.remove();
});

async function send<S, C, E extends DomainEvent>(
  decider: Decider<S, C, E>,
  stream: string,
  command: C,
): Promise<void> {
  const context = { commandId: randomUUID(), caller: 'test', requestHash: 'x', at: NOW } as const;
  const result = await commands.handle(decider, stream, command, {
    ...context,
    environment: 'live',
    correlationId: 'test',
  });
  if (result.kind === 'refused') throw new Error(result.refusal.code);
}

async function newUser(): Promise<{ userId: string; accountId: string }> {
  const [userId, accountId] = [randomUUID(), randomUUID()];
  await send(accountDecider, accountStream(accountId), { type: 'OpenAccount', ownerId: userId });
  const sealed = { accountId, email: 'v1:x:x', name: 'v1:x:x' };
  await send(userDecider, userStream(userId), { type: 'RegisterUser', user: sealed });
  return { userId, accountId };
}
type User = Awaited<ReturnType<typeof newUser>>;

const deleteAccount = ({ userId, accountId }: User) =>
  send(accountDecider, accountStream(accountId), {
    type: 'DeleteAccount',
    ownerId: userId,
    emailHash: 'hash',
    by: `user:${userId}`,
  });

async function invite(to: User, by: User, role: Role = 'developer', email = `${to.userId}@example.com`) {
  const invite = new InviteMember(commands, personal, KEY, (text) => `hash of ${text}`);
  const result = await invite.execute(
    { accountId: by.accountId, invitedBy: by.userId, email, role },
    { commandId: randomUUID(), at: NOW, correlationId: 'test' },
  );
  const event = result.kind === 'accepted' ? result.events.at(-1) : undefined;
  if (event?.type !== 'MemberInvited') throw new Error('not invited');
  return event.data;
}

async function join(to: User, by: User, role?: Role): Promise<void> {
  const { invitationId, emailHash } = await invite(to, by, role);
  const { userId } = to;
  const answer = { invitationId, userId, emailHashes: [emailHash], verified: true, at: NOW };
  await send(teamDecider, teamStream(by.accountId), { type: 'AcceptInvitation', ...answer });
}

/** Lets the policies and the read model do all that there is to do. */
async function settle(): Promise<void> {
  runner.start();
  for (let head = 0; head < (await store.head());) {
    head = await store.head();
    expect(await runner.reached(head, LONG)).toBe(true);
  }
  expect(await projector.reached('teams', await store.head(), LONG)).toBe(true);
}

const typesOf = async ({ accountId }: User): Promise<string[]> =>
  (await store.readStream(teamStream(accountId))).map(({ type }) => type);
const membersOf = async ({ accountId }: User): Promise<[string, Role][]> =>
  (await queries.members(accountId, 100, undefined)).map(({ user_id, role }) => [user_id, role]);

it('members and invitations are shown as the streams say, the one who opened the account first', async () => {
  const [ada, bob, cat] = [await newUser(), await newUser(), await newUser()];
  await join(bob, ada);
  await join(cat, bob, 'viewer').catch(() => undefined);
  await invite(cat, ada, 'billing');
  await settle();
  expect(new Map(await membersOf(ada))).toEqual(
    new Map([
      [ada.userId, 'owner'],
      [bob.userId, 'developer'],
    ]),
  );
  const waiting = await queries.invitations(ada.accountId, NOW, 10, undefined);
  expect(waiting).toMatchObject([{ role: 'billing', invited_by: ada.userId }]);
  expect(await personal.unseal(waiting[0]?.email ?? '')).toBe(`${cat.userId}@example.com`);
  // Not any more when it is over.
  const week = new Date(NOW.getTime() + 7 * 24 * 3_600_000);
  expect(await queries.invitations(ada.accountId, week, 10, undefined)).toEqual([]);
  expect(await queries.over(week)).toContain(waiting[0]?.id);
  expect((await queries.accountsOf(bob.userId, 10, undefined)).map((row) => row.owner_id).sort()).toEqual(
    [ada.userId, bob.userId].sort(),
  );
});

it('the e-mail of an invitation is erased once it is accepted or withdrawn, and stays until then', async () => {
  const [ada, bob, cat, dan] = [await newUser(), await newUser(), await newUser(), await newUser()];
  const [withdrawn, waiting] = [await invite(bob, ada), await invite(cat, ada)];
  await join(dan, ada);
  await send(teamDecider, teamStream(ada.accountId), {
    type: 'WithdrawInvitation',
    actorId: ada.userId,
    invitationId: withdrawn.invitationId,
  });
  await settle();
  expect(await personal.unseal(withdrawn.email)).toBeNull();
  expect(await personal.unseal(waiting.email)).toBe(`${cat.userId}@example.com`);
  const accepted = (await store.readStream(teamStream(ada.accountId))).find(
    ({ type, data }) => type === 'MemberInvited' && (data as typeof waiting).emailHash.includes(dan.userId),
  );
  expect(await personal.unseal((accepted?.data as typeof waiting).email)).toBeNull();
});

it('an account that is deleted loses its members and invitations', async () => {
  const [ada, bob, cat] = [await newUser(), await newUser(), await newUser()];
  await join(bob, ada, 'owner');
  const { email } = await invite(cat, ada);
  await deleteAccount(ada);
  await settle();
  expect((await typesOf(ada)).at(-1)).toBe('TeamEnded');
  expect(await membersOf(ada)).toEqual([]);
  expect(await queries.invitations(ada.accountId, NOW, 10, undefined)).toEqual([]);
  expect(await personal.unseal(email)).toBeNull();
  expect(await membersOf(bob)).toEqual([[bob.userId, 'owner']]);
});

it('a team that is begun while its account is deleted ends too', async () => {
  const [ada, bob] = [await newUser(), await newUser()];
  await deleteAccount(ada);
  // The policies have done with the deletion by then.
  await settle();
  const { email } = await invite(bob, ada);
  await settle();
  expect(await typesOf(ada)).toEqual(['TeamCreated', 'MemberInvited', 'TeamEnded']);
  expect(await personal.unseal(email)).toBeNull();
});

it('a user whose own account is deleted is a member nowhere, also where they join at that moment', async () => {
  const [ada, bob, cat] = [await newUser(), await newUser(), await newUser()];
  await join(cat, ada, 'admin');
  await join(cat, bob);
  await deleteAccount(cat);
  await settle();
  const dan = await newUser();
  await join(cat, dan);
  await settle();
  for (const other of [ada, bob, dan]) {
    expect(await membersOf(other)).toEqual([[other.userId, 'owner']]);
    expect((await typesOf(other)).at(-1)).toBe('MemberRemoved');
  }
});

it('of parallel commands against each other each is judged by what came before it', async () => {
  const [ada, bob, cat] = [await newUser(), await newUser(), await newUser()];
  await join(bob, ada, 'owner');
  await join(cat, ada, 'owner');
  const stream = teamStream(ada.accountId);
  const results = await Promise.allSettled([
    send(teamDecider, stream, { type: 'RemoveMember', actorId: bob.userId, userId: cat.userId }),
    send(teamDecider, stream, { type: 'RemoveMember', actorId: cat.userId, userId: bob.userId }),
    send(teamDecider, stream, { type: 'RemoveMember', actorId: bob.userId, userId: ada.userId }),
    send(teamDecider, stream, { type: 'LeaveTeam', userId: ada.userId }),
  ]);
  expect(
    results
      .slice(0, 2)
      .map(({ status }) => status)
      .sort(),
  ).toEqual(['fulfilled', 'rejected']);
  expect(results.slice(2).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await settle();
  expect((await membersOf(ada)).map(([, role]) => role)).toEqual(['owner', 'owner']);
});

it('a member who goes and comes back on one page of events is there, in the new role', async () => {
  const t = (table: string): string => `read.one_page_${table}`;
  await sql.script(teams.create(t));
  const joined = (role: Role): TeamEvent => ({
    type: 'InvitationAccepted',
    data: { invitationId: `i-${role}`, userId: 'bob', role },
  });
  const removed: TeamEvent = { type: 'MemberRemoved', data: { userId: 'bob', by: 'user:ada' } };
  const changed: TeamEvent = {
    type: 'MemberRoleChanged',
    data: { userId: 'bob', role: 'admin', by: 'user:ada' },
  };
  let revision = 0;
  const pages: TeamEvent[][] = [[joined('viewer')], [changed, removed, joined('billing')], [removed]];
  const roles: unknown[] = [];
  for (const page of pages) {
    const stored = page.map(({ type, data }) => {
      const metadata = JSON.stringify({ schemaVersion: 1, at: NOW.toISOString(), environment: 'live' });
      const id = randomUUID();
      return new StoredEvent(++revision, 'team-a1', revision, id, type, JSON.stringify(data), metadata);
    });
    await sql.transaction(teams.fold(stored, t));
    roles.push(...(await sql.query(`SELECT role, revision FROM ${t('members')}`)));
  }
  expect(roles).toEqual([
    { role: 'viewer', revision: 1 },
    { role: 'billing', revision: 4 },
    { role: null, revision: 5 },
  ]);
});

it('all of it is rebuilt row for row', async () => {
  await settle();
  expect(await projector.rebuild('teams')).toMatchObject({ differing: [] });
});
