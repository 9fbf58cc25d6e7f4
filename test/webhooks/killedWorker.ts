import { httpWebhooks } from '../../src/adapters/webhooks/http.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { Networks } from '../../src/ipAddress.js';
import { Outbox } from '../../src/outgoing/outbox.js';
import { OutgoingWorker } from '../../src/outgoing/worker.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { WebhookCarrier } from '../../src/webhooks/carrier.js';
import { WEBHOOK } from '../../src/webhooks/deliveries.js';
import { InterceptedStore } from '../eventsourcing/fixtures.js';
import { openSql } from '../support/database.js';

// A process that delivers what is due at a place, and is killed before or after it has recorded that:
// `killedWorker <before|after|never> <place as JSON>`.
const [when, place] = process.argv.slice(2) as [string, string];
const { dataDir, databaseUrl } = JSON.parse(place) as { dataDir: string; databaseUrl?: string };

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

const sql = await openSql({ dataDir, databaseUrl, remove: async () => undefined });
const store = new InterceptedStore(await PostgresEventStore.open(sql));
store.onAppend = async (append, events) => {
  const here = events.some(({ type }) => type === 'WebhookDelivered');
  if (here && when === 'before') return die();
  const result = await append();
  return here && when === 'after' ? die() : result;
};
const commands = new CommandHandler(store);
const outbox = await Outbox.open(sql);
const carrier = new WebhookCarrier({
  commands,
  personal: await PersonalData.open(sql, Buffer.alloc(32, 1)),
  outbox,
  transport: httpWebhooks({ allowed: new Networks(['127.0.0.0/8']) }),
  publicEvents: new Map(),
  clock: Date.now,
  userAgent: 'test',
});
const onError = (error: unknown): void => {
  throw error;
};
await new OutgoingWorker({
  outbox,
  carriers: new Map([[WEBHOOK, carrier]]),
  clock: Date.now,
  onError,
}).drain();
await sql.close();
