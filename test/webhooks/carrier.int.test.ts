import { randomUUID } from 'node:crypto';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { as } from '../../src/eventsourcing/event.js';
import { Outbox } from '../../src/outgoing/outbox.js';
import { OutgoingWorker } from '../../src/outgoing/worker.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { WAITS, WebhookCarrier } from '../../src/webhooks/carrier.js';
import { endpointDecider } from '../../src/webhooks/decide.js';
import { eventFor, testFor, WEBHOOK } from '../../src/webhooks/deliveries.js';
import type { WebhookDeliveryEvent, WebhookEndpointEvent } from '../../src/webhooks/events.js';
import { deliveryStream, endpointStream } from '../../src/webhooks/events.js';
import { mintSecret } from '../../src/webhooks/signature.js';
import type { WebhookRequest } from '../../src/webhooks/transport.js';
import { publicEvents } from '../../src/keys/publicEvents.js';
import { InterceptedStore, newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const KEY = Buffer.alloc(32, 1);
const RULES = { plainHttp: false, eventTypes: ['key.issued'] };

let database: Awaited<ReturnType<typeof freshSql>>;
let store: InterceptedStore;
let commands: CommandHandler;
let personal: PersonalData;
let outbox: Outbox;
let now: number;
let posted: WebhookRequest[];
let errors: unknown[];
/** What the receiver answers. */
let answer: () => { status: number } | { failure: 'TIMED_OUT' };
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
  posted = [];
  errors = [];
  answer = () => ({ status: 200 });
  store.onAppend = (append) => append();
});

const worker = (): OutgoingWorker => {
  const carrier = new WebhookCarrier({
    commands,
    personal,
    outbox,
    transport: {
      post: (request) => {
        posted.push(request);
        return Promise.resolve(answer());
      },
    },
    publicEvents: new Map(Object.values(publicEvents).map((told) => [told.type, told])),
    clock: () => now,
    userAgent: 'test',
  });
  return new OutgoingWorker({
    outbox,
    carriers: new Map([[WEBHOOK, carrier]]),
    clock: () => now,
    onError: (error) => errors.push(error),
  });
};
const context = (commandId: string = randomUUID()) => ({
  commandId,
  caller: 'test',
  requestHash: commandId,
  at: new Date(now),
  environment: 'live' as const,
  correlationId: 'test',
});
const asking = { accountId: 'account', operator: false, by: 'user:test' };

/** An endpoint, and an event that was asked to be delivered to it. */
async function endpoint(): Promise<{ id: string }> {
  const id = randomUUID();
  const url = 'https://example.com/hook';
  await commands.handle(
    endpointDecider,
    endpointStream(id),
    {
      type: 'CreateWebhookEndpoint',
      asking,
      allAccounts: false,
      url: { plain: url, sealed: await personal.seal(id, url) },
      eventTypes: ['*'],
      secret: await personal.seal(id, mintSecret()),
      present: 0,
      rules: RULES,
    },
    context(),
  );
  return { id };
}

async function issued(endpointId: string): Promise<string> {
  const stream = `key-${randomUUID()}`;
  const data = { accountId: 'account', name: 'CI', environment: 'live', scopes: ['read'], expiresAt: null };
  const key = { hash: 'h', pepperId: 'p', prefix: 'sk_', last4: 'abcd', limits: [], metadata: [] };
  await store.append(stream, -1, [
    newEvent({ type: 'KeyIssued', data: JSON.stringify({ ...data, ...key }) }),
  ]);
  const [event] = await store.readStream(stream);
  const told = publicEvents.KeyIssued;
  if (!event || !told) throw new Error('there is no event');
  const asked = eventFor(endpointId, event, told, 1);
  await outbox.ask([asked], new Date(now));
  return asked.id;
}

const outcome = async (id: string): Promise<unknown[]> =>
  (await store.readStream(deliveryStream(id))).map((stored) => {
    const { type, data } = as<WebhookDeliveryEvent>(stored);
    return [type, data.round, data.attempts, 'reason' in data ? data.reason : null];
  });
const disabled = async (id: string): Promise<string | undefined> => {
  const last = (await store.readStream(endpointStream(id))).at(-1);
  const event = last && as<WebhookEndpointEvent>(last);
  return event?.type === 'WebhookEndpointDisabled' ? event.data.reason : undefined;
};

/** Does what is due until nothing will be any more. */
async function run(): Promise<number[]> {
  const times: number[] = [];
  for (;;) {
    const before = posted.length;
    await worker().drain();
    if (posted.length > before) times.push(now);
    const due = await outbox.nextDue(new Date(now));
    if (!due) return times;
    now = due.getTime();
  }
}

describe('delivering webhooks', () => {
  it('goes on for three days, with longer and longer waits, then gives up and disables the endpoint', async () => {
    const { id } = await endpoint();
    const delivery = await issued(id);
    answer = () => ({ failure: 'TIMED_OUT' });
    const times = await run();
    expect(times).toHaveLength(WAITS.length + 1);
    times.slice(1).forEach((time, index) => {
      const wait = time - (times[index] as number);
      expect(wait).toBeGreaterThanOrEqual(WAITS[index] as number);
      expect(wait).toBeLessThan(1.1 * (WAITS[index] as number));
    });
    const days = ((times.at(-1) as number) - NOON) / 86_400_000;
    expect(days).toBeGreaterThan(2.9);
    expect(days).toBeLessThan(3.3);
    expect(await outcome(delivery)).toEqual([['WebhookGivenUp', 1, 11, 'EXHAUSTED']]);
    expect(await disabled(id)).toBe('FAILING');
    expect(new Set(posted.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivery]));
    // What is asked for now is pointless, and said so.
    const next = await issued(id);
    await run();
    expect(await outcome(next)).toEqual([['WebhookGivenUp', 1, 0, 'ENDPOINT_DISABLED']]);
    expect(errors).toEqual([]);
  });

  it('does not disable an endpoint that has received something meanwhile, or was seen to', async () => {
    const { id } = await endpoint();
    const delivery = await issued(id);
    answer = () => ({ status: 500 });
    await worker().drain();
    const second = await issued(id);
    answer = () => ({ status: 204 });
    await worker().drain();
    expect(await outcome(second)).toEqual([['WebhookDelivered', 1, 1, null]]);
    answer = () => ({ status: 500 });
    await run();
    expect(await outcome(delivery)).toMatchObject([['WebhookGivenUp', 1, 11, 'EXHAUSTED']]);
    expect(await disabled(id)).toBeUndefined();
  });

  it('disables at once what is gone', async () => {
    const { id } = await endpoint();
    const delivery = await issued(id);
    answer = () => ({ status: 410 });
    await run();
    expect(posted).toHaveLength(1);
    expect(await outcome(delivery)).toEqual([['WebhookGivenUp', 1, 1, 'GONE']]);
    expect(await disabled(id)).toBe('GONE');
  });

  it('attempts a test once, and disables nothing by it', async () => {
    const { id } = await endpoint();
    const asked = testFor(id, 'account', 'command', new Date(now));
    await outbox.ask([asked], new Date(now));
    answer = () => ({ status: 500 });
    await run();
    expect(posted).toHaveLength(1);
    expect(await outcome(asked.id)).toEqual([['WebhookGivenUp', 1, 1, 'EXHAUSTED']]);
    expect(await disabled(id)).toBeUndefined();
  });

  it('delivers again, the very same, where it was killed before the record; and not after it', async () => {
    const { id } = await endpoint();
    const delivery = await issued(id);
    store.onAppend = () => Promise.reject(new Error('killed'));
    await worker().drain();
    store.onAppend = (append) => append();
    expect(errors).toHaveLength(1);
    await run();
    expect(posted).toHaveLength(2);
    const [first, second] = posted as [WebhookRequest, WebhookRequest];
    expect(second.body).toBe(first.body);
    expect(second.headers['webhook-id']).toBe(delivery);
    expect(await outcome(delivery)).toEqual([['WebhookDelivered', 1, 1, null]]);
    // The event is there and the row is not: as after a crash between the two.
    await database.sql.query(
      'UPDATE vault.deliveries SET due_at = began_at, outcome = NULL, ended_at = NULL',
    );
    await run();
    expect(posted).toHaveLength(2);
    expect(await outcome(delivery)).toHaveLength(1);
  });

  it('sends nothing to a deleted endpoint', async () => {
    const { id } = await endpoint();
    const delivery = await issued(id);
    await commands.handle(
      endpointDecider,
      endpointStream(id),
      { type: 'DeleteWebhookEndpoint', asking },
      context(),
    );
    await run();
    expect(posted).toEqual([]);
    expect(await outcome(delivery)).toEqual([['WebhookGivenUp', 1, 0, 'ENDPOINT_DELETED']]);
  });

  it('signs with both secrets while they overlap, and with the new one alone afterwards', async () => {
    const { id } = await endpoint();
    const signatures = (): number => (posted.at(-1)?.headers['webhook-signature'] ?? '').split(' ').length;
    const secret = await personal.seal(id, mintSecret());
    const rotate = {
      type: 'RotateWebhookSecret',
      asking,
      secret,
      overlapSeconds: 60,
      at: new Date(now),
    } as const;
    await commands.handle(endpointDecider, endpointStream(id), rotate, context());
    await issued(id);
    await worker().drain();
    expect(signatures()).toBe(2);
    now += 60_000;
    await issued(id);
    await worker().drain();
    expect(signatures()).toBe(1);
  });
});
