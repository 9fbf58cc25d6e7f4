import { randomUUID } from 'node:crypto';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { mailDecider } from '../../src/mail/decide.js';
import { mailStream } from '../../src/mail/events.js';
import type { Mail } from '../../src/mail/transport.js';
import { MailNotTaken, MailRefused } from '../../src/mail/transport.js';
import { MailCarrier } from '../../src/mail/carrier.js';
import { MAIL } from '../../src/mail/deliveries.js';
import { askForMails } from '../../src/mail/policies.js';
import { Outbox } from '../../src/outgoing/outbox.js';
import { OutgoingWorker } from '../../src/outgoing/worker.js';
import { Outage } from '../../src/outage.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { SignedTokens } from '../../src/secrets/signedTokens.js';
import { InterceptedStore } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const KEY = Buffer.alloc(32, 1);
const CONTEXT = {
  caller: 'test',
  requestHash: 'test',
  at: new Date(NOON),
  environment: 'live',
  correlationId: 'test',
} as const;
const [SECOND, HOUR] = [1_000, 3_600_000];

let database: Awaited<ReturnType<typeof freshSql>>;
let store: InterceptedStore;
let commands: CommandHandler;
let personal: PersonalData;
let now: number;
/** Time as it passes. */
let passed: number;
let outbox: Outbox;
let sent: Mail[];
let errors: unknown[];
/** What the transport does with the next mails. */
let carry: (mail: Mail) => void;
beforeAll(async () => {
  database = await freshSql();
  store = new InterceptedStore(await PostgresEventStore.open(database.sql));
  commands = new CommandHandler(store);
  personal = await PersonalData.open(database.sql, KEY);
  outbox = await Outbox.open(database.sql);
});
afterAll(() => database.remove());
beforeEach(async () => {
  await database.sql.query('DELETE FROM vault.deliveries');
  now = NOON;
  passed = 0;
  sent = [];
  errors = [];
  carry = (mail) => void sent.push(mail);
  store.onAppend = (append) => append();
});

const carrier = (): MailCarrier =>
  new MailCarrier({
    publicUrl: 'https://shop.example',
    commands,
    personal,
    tokens: new SignedTokens(KEY),
    transport: { send: (mail) => Promise.resolve().then(() => carry(mail)), close: () => undefined },
    clock: () => now,
    elapsed: () => passed,
    product: 'Pattern library',
    domain: 'example.com',
    onError: (error) => errors.push(error),
  });

const worker = (): OutgoingWorker =>
  new OutgoingWorker({
    outbox,
    carriers: new Map([[MAIL, carrier()]]),
    clock: () => now,
    elapsed: () => passed,
    onError: (error) => errors.push(error),
  });

/** What the list of deliveries says of a mail. */
const logged = async (id: string) => {
  const [row] = await outbox.log(MAIL, MAIL, { ids: [id] }, 1, undefined);
  const attempts = await outbox.attemptsOf(MAIL, [id], 100);
  return { outcome: row?.outcome, attempts: attempts.map(({ failure, status }) => [failure, status]) };
};

async function ask(userId: string = randomUUID(), sealed?: string): Promise<{ id: string; userId: string }> {
  const id = randomUUID();
  const request = {
    kind: 'verify-email',
    userId,
    to: sealed ?? (await personal.seal(userId, `${userId}@example.com`)),
    expiresAt: new Date(NOON + 80 * HOUR).toISOString(),
  } as const;
  await commands.handle(
    mailDecider,
    mailStream(id),
    { type: 'RequestMail', mail: request },
    { ...CONTEXT, commandId: id },
  );
  const [requested] = await store.readStream(mailStream(id));
  if (!requested) throw new Error('nothing was requested');
  const policy = askForMails(commands, outbox, () => now);
  // Policies react at least once.
  for (let i = 0; i < 2; i++) await policy.react(requested);
  return { id, userId };
}

const outcome = async (id: string): Promise<unknown[]> =>
  (await store.readStream(mailStream(id))).slice(1).map(({ type, data }) => [type, data]);

it('a mail is sent once, to the address that was sealed, with a token that names the user', async () => {
  const { id, userId } = await ask();
  for (let i = 0; i < 3; i++) await worker().drain();
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({
    messageId: `<${id}@example.com>`,
    to: `${userId}@example.com`,
    date: new Date(NOON),
  });
  const token = /^[\w-]+\.[\w-]{43}$/m.exec(sent[0]?.text ?? '')?.[0] ?? '';
  expect(new SignedTokens(KEY).verify('verify-email', token, now)).toBe(userId);
  expect(await outcome(id)).toEqual([['MailSent', { userId }]]);
  expect(await logged(id)).toEqual({ outcome: 'DELIVERED', attempts: [[null, null]] });
});

it('a crash between sending and its event sends it again, the very same; one behind the event does not', async () => {
  const { id, userId } = await ask();
  store.onAppend = () => Promise.reject(new Error('killed'));
  await worker().drain();
  store.onAppend = (append) => append();
  now += 60 * SECOND;
  await worker().drain();
  expect(sent).toHaveLength(2);
  expect(sent[1]).toEqual(sent[0]);
  expect(await outcome(id)).toEqual([['MailSent', { userId }]]);

  await database.sql.query('UPDATE vault.deliveries SET due_at = $1, outcome = NULL, ended_at = NULL', [
    new Date(now),
  ]);
  await worker().drain();
  expect(sent).toHaveLength(2);
  expect(await outcome(id)).toHaveLength(1);
});

it('is sent once by a process that can record nothing for a while, and looked at later each time', async () => {
  const { id, userId } = await ask();
  const { sql } = database;
  await sql.script(`
    CREATE FUNCTION vault.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'cannot execute UPDATE' USING ERRCODE = '25006'; END $$;
    CREATE TRIGGER read_only BEFORE UPDATE ON vault.deliveries EXECUTE FUNCTION vault.refuse();`);
  let looks = 0;
  store.onAppend = async (append) => {
    if (++looks < 4) throw new Outage('no quorum');
    await sql.script('DROP TRIGGER read_only ON vault.deliveries; DROP FUNCTION vault.refuse();');
    return append();
  };
  const one = worker();
  for (const [afterMs, expected] of [
    [0, 1],
    [5 * SECOND - 1, 1],
    [1, 2],
    [10 * SECOND - 1, 2],
    [1, 3],
    [20 * SECOND, 4],
  ] as const) {
    passed += afterMs;
    await one.drain();
    expect([looks, sent.length]).toEqual([expected, 1]);
  }
  expect(await outcome(id)).toEqual([['MailSent', { userId }]]);
  expect(await logged(id)).toEqual({ outcome: 'DELIVERED', attempts: [[null, null]] });
});

it('one that cannot be made is attempted like one that is not taken', async () => {
  const { id } = await ask(randomUUID(), 'never sealed');
  await worker().drain();
  expect(await logged(id)).toEqual({ outcome: null, attempts: [['NOT_MADE', null]] });
  const [row] = await due();
  expect(row?.due_at.getTime()).toBeGreaterThanOrEqual(NOON + 5 * SECOND);
  expect(errors).toHaveLength(1);
});

it('what the server does not take now is tried again later, and keeps nobody else waiting', async () => {
  const [first, second] = [await ask(), await ask()];
  carry = (mail) => {
    if (mail.to.startsWith(first.userId)) throw new MailNotTaken('busy', 450);
    sent.push(mail);
  };
  await worker().drain();
  expect([await outcome(first.id), await outcome(second.id)]).toEqual([
    [],
    [['MailSent', { userId: second.userId }]],
  ]);
  expect(errors).toHaveLength(1);
  carry = (mail) => void sent.push(mail);
  await worker().drain();
  expect(await outcome(first.id)).toEqual([]);
  now += 6 * SECOND;
  await worker().drain();
  expect(await outcome(first.id)).toEqual([['MailSent', { userId: first.userId }]]);
  expect((await logged(first.id)).attempts).toEqual([
    [null, null],
    ['NOT_TAKEN', 450],
  ]);
});

it('a server that is away for three days is tried that long, and not longer', async () => {
  const { id, userId } = await ask();
  carry = () => {
    throw new Error('ECONNREFUSED');
  };
  const began = now;
  let tried = 0;
  for (let [row] = await due(); row; [row] = await due()) {
    now = row.due_at.getTime();
    await worker().drain();
    tried++;
  }
  expect(await outcome(id)).toEqual([['MailFailed', { userId, reason: 'exhausted' }]]);
  expect(tried).toBe(77);
  expect((now - began) / HOUR).toBeGreaterThan(71);
  expect((now - began) / HOUR).toBeLessThan(80);
});

const due = (): Promise<{ due_at: Date }[]> =>
  database.sql.query('SELECT due_at FROM vault.deliveries WHERE due_at IS NOT NULL');

it('what can never be sent is given up, with the reason', async () => {
  const [refused, erased] = [await ask(), await ask()];
  await personal.erase([erased.userId]);
  carry = (mail) => {
    if (mail.to.startsWith(refused.userId)) throw new MailRefused('unknown', 550);
    sent.push(mail);
  };
  await worker().drain();
  const late = await ask();
  now = NOON + 80 * HOUR;
  const one = worker();
  await one.drain();
  expect(await outcome(late.id)).toEqual([]);
  passed = HOUR;
  await one.drain();
  const reasons = await Promise.all([refused, erased, late].map(({ id }) => outcome(id)));
  expect(reasons).toEqual([
    [['MailFailed', { userId: refused.userId, reason: 'refused' }]],
    [['MailFailed', { userId: erased.userId, reason: 'erased' }]],
    [['MailFailed', { userId: late.userId, reason: 'expired' }]],
  ]);
  expect(sent).toEqual([]);
  expect(await logged(refused.id)).toEqual({ outcome: 'REFUSED', attempts: [['REFUSED', 550]] });
});

it('a clock that is ahead for a while gives up no mail, and delays it no longer than it is ahead', async () => {
  const { id, userId } = await ask();
  const one = worker();
  for (const ahead of [80, 200]) {
    now = NOON + ahead * HOUR;
    await one.drain();
    passed += 1_000_000;
  }
  expect(await outcome(id)).toEqual([]);
  now = NOON;
  await one.drain();
  expect(sent).toHaveLength(1);
  expect(await outcome(id)).toEqual([['MailSent', { userId }]]);
});

it('is sent once more where an operator has asked for it', async () => {
  const { id, userId } = await ask();
  carry = () => {
    throw new MailRefused('unknown', 550);
  };
  await worker().drain();
  carry = (mail) => void sent.push(mail);
  const command = { ...CONTEXT, commandId: 'again' };
  await commands.handle(mailDecider, mailStream(id), { type: 'ReplayMail', now }, command);
  const replayed = (await store.readStream(mailStream(id))).at(-1);
  if (!replayed) throw new Error('nothing was replayed');
  const policy = askForMails(commands, outbox, () => now);
  for (let i = 0; i < 2; i++) {
    await policy.react(replayed);
    await worker().drain();
  }
  expect(sent).toHaveLength(1);
  expect(await outcome(id)).toEqual([
    ['MailFailed', { userId, reason: 'refused' }],
    ['MailReplayed', { userId }],
    ['MailSent', { userId }],
  ]);
  expect((await logged(id)).outcome).toBe('DELIVERED');
});

it('is sent once more where that is asked for before the list says that it has ended, or has forgotten it', async () => {
  const { id } = await ask();
  carry = () => {
    throw new MailRefused('unknown', 550);
  };
  const policy = askForMails(commands, outbox, () => now);
  const again = async (commandId: string): Promise<void> => {
    carry = (mail) => void sent.push(mail);
    const command = { ...CONTEXT, commandId };
    await commands.handle(mailDecider, mailStream(id), { type: 'ReplayMail', now }, command);
    const replayed = await store.readLast(mailStream(id));
    if (!replayed) throw new Error('nothing was replayed');
    for (let i = 0; i < 2; i++) await policy.react(replayed);
  };
  store.onAppend = async (append) => {
    store.onAppend = (other) => other();
    const appended = await append();
    await again('first');
    return appended;
  };
  await worker().drain();
  expect(sent).toHaveLength(1);
  await database.sql.query('DELETE FROM vault.deliveries');
  await again('second');
  await worker().drain();
  expect(sent).toHaveLength(2);
  expect((await outcome(id)).map((event) => (event as [string])[0])).toEqual([
    'MailFailed',
    'MailReplayed',
    'MailSent',
    'MailReplayed',
    'MailSent',
  ]);
  expect((await logged(id)).outcome).toBe('DELIVERED');
  expect(errors).toEqual([]);
});

it('is not asked for once it has ended, as where an older version has sent it', async () => {
  const { id } = await ask();
  await worker().drain();
  await database.sql.query('DELETE FROM vault.deliveries');
  const policy = askForMails(commands, outbox, () => now);
  for (const event of await store.readStream(mailStream(id))) await policy.react(event);
  expect(await due()).toEqual([]);
});

it('works whenever something is asked for, until it is told to stop', async () => {
  const stop = new AbortController();
  const done = worker().run(stop.signal);
  let arrived: (mail: Mail) => void = () => undefined;
  for (let i = 0; i < 3; i++) {
    const next = new Promise<Mail>((resolve) => (arrived = resolve));
    carry = (mail) => arrived(mail);
    const { userId } = await ask();
    expect((await next).to).toBe(`${userId}@example.com`);
  }
  stop.abort();
  await done;
  expect(errors).toEqual([]);
});
