import { randomUUID } from 'node:crypto';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { mailDecider } from '../../src/mail/decide.js';
import { mailStream } from '../../src/mail/events.js';
import type { Mail } from '../../src/mail/transport.js';
import { MailRefused } from '../../src/mail/transport.js';
import { MailWorker } from '../../src/mail/worker.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { SignedTokens } from '../../src/secrets/signedTokens.js';
import { InterceptedStore } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const KEY = Buffer.alloc(32, 1);
const NEVER = new AbortController().signal;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: InterceptedStore;
let commands: CommandHandler;
let personal: PersonalData;
let now: number;
/** Time as it passes. */
let passed: number;
let asked: string[];
let sent: Mail[];
let errors: unknown[];
/** What the transport does with the next mails. */
let carry: (mail: Mail) => void;
beforeAll(async () => {
  database = await freshSql();
  store = new InterceptedStore(await PostgresEventStore.open(database.sql));
  commands = new CommandHandler(store);
  personal = await PersonalData.open(database.sql, KEY);
});
afterAll(() => database.remove());
beforeEach(() => {
  now = NOON;
  passed = 0;
  asked = [];
  sent = [];
  errors = [];
  carry = (mail) => void sent.push(mail);
  store.onAppend = (append) => append();
});

const worker = (): MailWorker =>
  new MailWorker({
    publicUrl: 'https://shop.example',
    commands,
    personal,
    tokens: new SignedTokens(KEY),
    transport: { send: (mail) => Promise.resolve().then(() => carry(mail)), close: () => undefined },
    // As a read model that is behind: what is done stands in it too.
    pending: (limit, without) => Promise.resolve(asked.filter((id) => !without.includes(id)).slice(0, limit)),
    clock: () => now,
    elapsed: () => passed,
    product: 'Pattern library',
    domain: 'example.com',
    onError: (error) => errors.push(error),
  });

async function ask(userId: string = randomUUID()): Promise<{ id: string; userId: string }> {
  const id = randomUUID();
  const request = {
    kind: 'verify-email',
    userId,
    to: await personal.seal(userId, `${userId}@example.com`),
    expiresAt: new Date(NOON + 3_600_000).toISOString(),
  } as const;
  await commands.handle(
    mailDecider,
    mailStream(id),
    { type: 'RequestMail', mail: request },
    {
      commandId: id,
      caller: 'test',
      requestHash: 'test',
      at: new Date(NOON),
      environment: 'live',
      correlationId: 'test',
    },
  );
  asked.push(id);
  return { id, userId };
}

const outcome = async (id: string): Promise<unknown[]> =>
  (await store.readStream(mailStream(id))).slice(1).map(({ type, data }) => [type, data]);

it('a mail is sent once, to the address that was sealed, with a token that names the user', async () => {
  const { id, userId } = await ask();
  for (let i = 0; i < 3; i++) expect(await worker().sendAll(NEVER)).toBe(false);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({
    messageId: `<${id}@example.com>`,
    to: `${userId}@example.com`,
    date: new Date(NOON),
  });
  const token = /^[\w-]+\.[\w-]{43}$/m.exec(sent[0]?.text ?? '')?.[0] ?? '';
  expect(new SignedTokens(KEY).verify('verify-email', token, now)).toBe(userId);
  expect(await outcome(id)).toEqual([['MailSent', { userId }]]);
});

it('a crash between sending and confirming sends it again, the very same', async () => {
  const { id, userId } = await ask();
  store.onAppend = () => Promise.reject(new Error('killed'));
  expect(await worker().sendAll(NEVER)).toBe(true);
  store.onAppend = (append) => append();
  now += 60_000;
  expect(await worker().sendAll(NEVER)).toBe(false);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toEqual(sent[0]);
  expect(await outcome(id)).toEqual([['MailSent', { userId }]]);
});

it('what the server does not take now is tried again later, and keeps nobody else waiting', async () => {
  const [first, second] = [await ask(), await ask()];
  carry = (mail) => {
    if (mail.to.startsWith(first.userId)) throw new Error('450');
    sent.push(mail);
  };
  expect(await worker().sendAll(NEVER)).toBe(true);
  expect([await outcome(first.id), await outcome(second.id)]).toEqual([
    [],
    [['MailSent', { userId: second.userId }]],
  ]);
  expect(errors).toHaveLength(1);
  carry = (mail) => void sent.push(mail);
  expect(await worker().sendAll(NEVER)).toBe(false);
  expect(await outcome(first.id)).toEqual([['MailSent', { userId: first.userId }]]);
});

it('what can never be sent is given up, with the reason', async () => {
  const [refused, erased, late] = [await ask(), await ask(), await ask()];
  await personal.erase([erased.userId]);
  carry = (mail) => {
    if (mail.to.startsWith(refused.userId)) throw new MailRefused('550');
    sent.push(mail);
  };
  asked = [refused.id, erased.id];
  expect(await worker().sendAll(NEVER)).toBe(false);
  asked = [late.id];
  now = NOON + 3_600_000;
  const one = worker();
  expect(await one.sendAll(NEVER)).toBe(true);
  passed = 3_600_000;
  expect(await one.sendAll(NEVER)).toBe(false);
  const reasons = await Promise.all([refused, erased, late].map(({ id }) => outcome(id)));
  expect(reasons).toEqual([
    [['MailFailed', { userId: refused.userId, reason: 'refused' }]],
    [['MailFailed', { userId: erased.userId, reason: 'erased' }]],
    [['MailFailed', { userId: late.userId, reason: 'expired' }]],
  ]);
  expect(sent).toEqual([]);
});

it('a clock that is ahead for a while gives up no mail', async () => {
  const { id, userId } = await ask();
  const one = worker();
  for (const ahead of [3_600_000, 86_400_000]) {
    now = NOON + ahead;
    // To be looked at again, though nobody wakes the worker.
    expect(await one.sendAll(NEVER)).toBe(true);
    passed += 1_000_000;
  }
  expect(await outcome(id)).toEqual([]);
  now = NOON;
  expect(await one.sendAll(NEVER)).toBe(false);
  expect(sent).toHaveLength(1);
  expect(await outcome(id)).toEqual([['MailSent', { userId }]]);
});

it('works whenever it is woken, until it is told to stop', async () => {
  const stop = new AbortController();
  const running = worker();
  const done = running.run(stop.signal);
  let arrived: (mail: Mail) => void = () => undefined;
  for (let i = 0; i < 3; i++) {
    const next = new Promise<Mail>((resolve) => (arrived = resolve));
    carry = (mail) => arrived(mail);
    const { userId } = await ask();
    running.wake();
    expect((await next).to).toBe(`${userId}@example.com`);
  }
  stop.abort();
  await done;
  expect(errors).toEqual([]);
});
