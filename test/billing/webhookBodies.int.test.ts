import { randomUUID } from 'node:crypto';
import { accountDecider } from '../../src/accounts/decideAccount.js';
import { accountStream } from '../../src/accounts/events.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { billingDecider } from '../../src/billing/decide.js';
import type { StripeEventEvent } from '../../src/billing/events.js';
import { stripeEventStream } from '../../src/billing/events.js';
import { eraseCustomer } from '../../src/billing/policies.js';
import { WebhookReceiver } from '../../src/billing/webhooks.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { Decider } from '../../src/eventsourcing/decider.js';
import type { DomainEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import { subscriptionStream } from '../../src/plans/events.js';
import { PersonalBodies } from '../../src/blobs/personalBodies.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { allEvents } from '../crash/facts.js';
import { freshSql } from '../support/database.js';

const NOW = Date.parse('2027-01-17T12:00:00Z');
const EMAIL = 'ann@example.com';

let database: Awaited<ReturnType<typeof freshSql>>;
let store: PostgresEventStore;
let commands: CommandHandler;
let personal: PersonalData;
let bodies: PersonalBodies;
let receiver: WebhookReceiver;
beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  commands = new CommandHandler(store);
  personal = await PersonalData.open(database.sql, Buffer.alloc(32, 1));
  bodies = await PersonalBodies.open(database.sql, personal);
  receiver = new WebhookReceiver(commands, bodies, () => true);
});
afterAll(() => database.remove());

async function send<S, C, E extends DomainEvent>(
  decider: Decider<S, C, E>,
  stream: string,
  command: C,
): Promise<void> {
  const context = { commandId: randomUUID(), caller: 'test', requestHash: 'test', correlationId: 'test' };
  const sent = await commands.handle(decider, stream, command, {
    ...context,
    at: new Date(NOW),
    environment: 'live',
  });
  expect(sent.kind).toBe('accepted');
}

let handled = 0;
/** Lets the policy see what is new. */
async function follow(): Promise<void> {
  const policy = eraseCustomer(commands, personal);
  const all = await allEvents(store);
  for (const event of all.slice(handled)) if (policy.handles.has(event.type)) await policy.react(event);
  handled = all.length;
}

let events = 0;
/** Stores a webhook. @returns its body as it can be read, which is asked for again each time */
async function receive(object: object, more: object = {}): Promise<() => Promise<string | null>> {
  const id = `evt_${++events}`;
  const envelope = { id, object: 'event', type: 'customer.updated', created: 1_800_000_000, livemode: false };
  const body = JSON.stringify({ ...envelope, data: { object: { ...object, email: EMAIL }, ...more } });
  expect(await receiver.receive(Buffer.from(body), 'signed', NOW)).toBe('stored');
  const [stored] = await commands.load(stripeEventStream(id));
  if (!stored) throw new Error('nothing was stored');
  const { data } = as<Extract<StripeEventEvent, { type: 'StripeEventReceived' }>>(stored);
  return async () => (await bodies.get(data.body.subject, data.body.hash))?.toString() ?? null;
}

const ownerOf = (accountId: string): string => `owner of ${accountId}`;

async function account(): Promise<string> {
  const accountId = randomUUID();
  await send(accountDecider, accountStream(accountId), { type: 'OpenAccount', ownerId: ownerOf(accountId) });
  await send(billingDecider, subscriptionStream(accountId), { type: 'RequestCustomer', by: 'test' });
  return accountId;
}

const recordCustomer = (accountId: string, customer: string): Promise<void> =>
  send(billingDecider, subscriptionStream(accountId), { type: 'RecordCustomer', customer });

const close = (accountId: string): Promise<void> =>
  send(accountDecider, accountStream(accountId), {
    type: 'DeleteAccount',
    ownerId: ownerOf(accountId),
    emailHash: 'hash',
    by: 'test',
  });

it('reads what Stripe has written of a customer until the account is deleted, and never again', async () => {
  const [ann, bob] = [await account(), await account()];
  await recordCustomer(ann, 'cus_ann');
  await recordCustomer(bob, 'cus_bob');
  const bodies = [
    await receive({ object: 'customer', id: 'cus_ann' }),
    await receive({ object: 'invoice', id: 'in_1', customer: 'cus_ann' }),
    await receive({ object: 'charge', id: 'ch_1', customer: { id: 'cus_ann' } }),
    // A card that was taken from a customer: it names the owner, and belongs to nobody any more.
    await receive(
      { object: 'payment_method', id: 'pm_1', customer: null },
      { previous_attributes: { customer: 'cus_ann' } },
    ),
  ];
  const others = await receive({ object: 'customer', id: 'cus_bob' });
  await follow();
  for (const body of bodies) expect(await body()).toContain(EMAIL);

  await close(ann);
  await follow();
  for (const body of bodies) expect(await body()).toBeNull();
  expect(await others()).toContain(EMAIL);
  // What comes late is stored as a fact alone.
  const late = await receive({ object: 'customer', id: 'cus_ann', deleted: true });
  expect(await late()).toBeNull();
});

it('erases it also where the customer becomes known after the account was deleted', async () => {
  const accountId = await account();
  await close(accountId);
  await follow();
  const early = await receive({ object: 'customer', id: 'cus_late' });
  await recordCustomer(accountId, 'cus_late');
  await follow();
  expect(await early()).toBeNull();
  expect(await (await receive({ object: 'invoice', id: 'in_2', customer: 'cus_late' }))()).toBeNull();
});

it('keeps no body that is about no customer: nobody could erase it', async () => {
  const dispute = await receive({ object: 'dispute', id: 'dp_1', evidence: { customer_name: 'Ann' } });
  expect(await dispute()).toBeNull();
  const [{ count } = { count: -1 }] = await database.sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM vault.blobs WHERE subject LIKE '%nobody%'`,
  );
  expect(count).toBe(0);
});
