import { randomUUID } from 'node:crypto';
import { allSessionsDecider } from '../../src/sessions/decideAllSessions.js';
import { sessionDecider } from '../../src/sessions/decideSession.js';
import { userDecider } from '../../src/accounts/decideUser.js';
import { sessionStream } from '../../src/sessions/events.js';
import { userStream } from '../../src/accounts/events.js';
import { RefreshSession } from '../../src/sessions/refreshSession.js';
import { REFRESH_MS, RefreshTokens, REPEAT_MS } from '../../src/sessions/refreshTokens.js';
import { SESSION_SECONDS, Sessions } from '../../src/sessions/sessions.js';
import { SigningKeys } from '../../src/sessions/signingKeys.js';
import { StartSession } from '../../src/sessions/startSession.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { freshSql } from '../support/database.js';

// Without the policy that tidies refresh tokens up: they have to be refused all the same.

const NOON = Date.parse('2026-11-22T12:00:00Z');
let database: Awaited<ReturnType<typeof freshSql>>;
let store: EventStore;
let commands: CommandHandler;
let sessions: Sessions;
let start: StartSession;
let refresh: RefreshSession;
const deleted = new Set<string>();
beforeAll(async () => {
  database = await freshSql();
  const { sql } = database;
  store = await PostgresEventStore.open(sql);
  commands = new CommandHandler(store);
  sessions = new Sessions(await SigningKeys.open(sql, Buffer.alloc(32, 3), SESSION_SECONDS * 1000));
  const tokens = await RefreshTokens.open(sql, Buffer.alloc(32, 5));
  start = new StartSession(commands, sessions, tokens);
  refresh = new RefreshSession(commands, sessions, tokens, (accountId) => deleted.has(accountId));
});
afterAll(() => database.remove());

const at = (now: number, commandId: string = randomUUID()) => ({
  commandId,
  caller: 'test',
  requestHash: 'test',
  at: new Date(now),
  environment: 'live' as const,
  correlationId: 'test',
});

async function signedIn() {
  const owner = { userId: randomUUID(), accountId: randomUUID(), epoch: 0 };
  const registered = { accountId: owner.accountId, email: 'v1:e', name: 'v1:n' };
  await commands.handle(
    userDecider,
    userStream(owner.userId),
    { type: 'RegisterUser', user: registered },
    at(NOON),
  );
  const started = await start.execute(owner, 'password', at(NOON));
  if (started.kind === 'refused' || !started.tokens) throw new Error('no session');
  const check = await sessions.verify(started.tokens.sessionToken, new Date(NOON));
  if (check.kind === 'refused') throw new Error(check.code);
  return { ...check.session, ...started.tokens };
}

const codeOf = async (token: string, now: number): Promise<string> => {
  const result = await refresh.execute(token, at(now));
  return result.kind === 'refused' ? result.code : 'refreshed';
};

it('goes on with the same session, in its epoch, for fifteen minutes more', async () => {
  const session = await signedIn();
  const result = await refresh.execute(session.refreshToken, at(NOON + 1_000));
  if (result.kind === 'refused') throw new Error(result.code);
  expect(result.tokens.expiresAt).toEqual(new Date(NOON + 1_000 + SESSION_SECONDS * 1000));
  const { userId, accountId, sessionId, epoch } = session;
  expect(await sessions.verify(result.tokens.sessionToken, new Date(NOON + 1_000))).toEqual({
    kind: 'session',
    session: { userId, accountId, sessionId, epoch },
  });
});

it('ends with its session', async () => {
  const { sessionId, refreshToken } = await signedIn();
  const end = { type: 'EndSession', reason: 'signed_out' } as const;
  await commands.handle(sessionDecider, sessionStream(sessionId), end, at(NOON));
  expect(await codeOf(refreshToken, NOON + 1)).toBe('REFRESH_TOKEN_INVALID');
});

it('ends with the epoch of its user', async () => {
  const { userId, accountId, refreshToken } = await signedIn();
  await commands.handle(allSessionsDecider, userStream(userId), { type: 'EndSessions', accountId }, at(NOON));
  expect(await codeOf(refreshToken, NOON + 1)).toBe('REFRESH_TOKEN_INVALID');
});

it('ends with the account, and with the user’s data', async () => {
  const [one, two] = [await signedIn(), await signedIn()];
  deleted.add(one.accountId);
  expect(await codeOf(one.refreshToken, NOON + 1)).toBe('REFRESH_TOKEN_INVALID');
  const confirm = { type: 'ConfirmErasure', accountId: two.accountId } as const;
  await commands.handle(userDecider, userStream(two.userId), confirm, at(NOON));
  expect(await codeOf(two.refreshToken, NOON + 1)).toBe('REFRESH_TOKEN_INVALID');
});

it('ends by itself after thirty days without', async () => {
  const [one, two] = [await signedIn(), await signedIn()];
  expect(await codeOf(one.refreshToken, NOON + REFRESH_MS - 1)).toBe('refreshed');
  expect(await codeOf(two.refreshToken, NOON + REFRESH_MS)).toBe('REFRESH_TOKEN_INVALID');
});

it('of a used token ends the session by an event that says why, once, however many come', async () => {
  const { sessionId, refreshToken } = await signedIn();
  expect(await codeOf(refreshToken, NOON)).toBe('refreshed');
  const late = NOON + REPEAT_MS;
  const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(refreshToken, late)));
  expect(codes.filter((code) => code === 'refreshed')).toEqual([]);
  const events = await store.readStream(sessionStream(sessionId));
  expect(events.map(({ type }) => type)).toEqual(['SessionStarted', 'SessionEnded']);
  expect(events[1]?.data).toMatchObject({ reason: 'refresh_token_reused' });
});
