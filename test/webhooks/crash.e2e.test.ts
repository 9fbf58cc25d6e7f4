import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { Outbox } from '../../src/outgoing/outbox.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { endpointDecider } from '../../src/webhooks/decide.js';
import { testFor } from '../../src/webhooks/deliveries.js';
import { deliveryStream, endpointStream } from '../../src/webhooks/events.js';
import { mintSecret } from '../../src/webhooks/signature.js';
import type { Place } from '../support/database.js';
import { freshPlace, openSql } from '../support/database.js';
import type { Receiver } from './receiver.js';
import { startReceiver } from './receiver.js';

const ENTRY = fileURLToPath(new URL('./killedWorker.js', import.meta.url));

let place: Place;
let receiver: Receiver;
beforeEach(async () => {
  place = await freshPlace();
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver.close();
  await place.remove();
});

/** Asks for a delivery to an endpoint of the receiver. */
async function ask(): Promise<{ id: string; secret: string }> {
  const sql = await openSql(place);
  const commands = new CommandHandler(await PostgresEventStore.open(sql));
  const personal = await PersonalData.open(sql, Buffer.alloc(32, 1));
  const [endpointId, secret, at] = [randomUUID(), mintSecret(), new Date()];
  await commands.handle(
    endpointDecider,
    endpointStream(endpointId),
    {
      type: 'CreateWebhookEndpoint',
      asking: { accountId: 'account', operator: false, by: 'user:test' },
      allAccounts: false,
      url: { plain: `${receiver.url}/`, sealed: await personal.seal(endpointId, `${receiver.url}/`) },
      eventTypes: ['*'],
      secret: await personal.seal(endpointId, secret),
      present: 0,
      rules: { plainHttp: true, eventTypes: [] },
    },
    { commandId: 'create', caller: 'test', requestHash: '', at, environment: 'live', correlationId: 'test' },
  );
  const asked = testFor(endpointId, 'account', 'command', at);
  await (await Outbox.open(sql)).ask([asked], at);
  await sql.close();
  return { id: asked.id, secret };
}

/** Delivers in a process of its own. @returns the signal that has ended it */
async function deliver(when: 'before' | 'after' | 'never'): Promise<string | null> {
  const { dataDir, databaseUrl } = place;
  const args = [ENTRY, when, JSON.stringify({ dataDir, databaseUrl })];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return signal;
}

async function outcomes(id: string): Promise<string[]> {
  const sql = await openSql(place);
  const events = await (await PostgresEventStore.open(sql)).readStream(deliveryStream(id));
  await sql.close();
  return events.map(({ type }) => type);
}

it('killed between a delivery and its record, it is delivered again under the same id', async () => {
  const { id, secret } = await ask();
  expect(await deliver('before')).toBe('SIGKILL');
  expect(receiver.received).toHaveLength(1);
  expect(await deliver('never')).toBeNull();
  expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([id, id]);
  for (const { body, headers } of receiver.received) new Webhook(secret).verify(body, headers);
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  expect(await outcomes(id)).toEqual(['WebhookDelivered']);
});

it('killed after its record, it is not delivered again', async () => {
  const { id } = await ask();
  expect(await deliver('after')).toBe('SIGKILL');
  expect(await deliver('never')).toBeNull();
  expect(receiver.received).toHaveLength(1);
  expect(await outcomes(id)).toEqual(['WebhookDelivered']);
});
