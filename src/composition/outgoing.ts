import { httpWebhooks } from '../adapters/webhooks/http.js';
import { PUBLIC_EVENTS } from '../capabilities.js';
import { Leadership } from '../following/leases.js';
import type { Logger } from '../logger.js';
import type { MailCarrier } from '../mail/carrier.js';
import { MAIL } from '../mail/deliveries.js';
import type { Delivery } from '../outgoing/outbox.js';
import { DELIVERED, EXHAUSTED } from '../outgoing/outbox.js';
import type { Carrier } from '../outgoing/worker.js';
import { OutgoingWorker } from '../outgoing/worker.js';
import type { Shutdown } from '../shutdown.js';
import { WebhookCarrier } from '../webhooks/carrier.js';
import { isTest, WEBHOOK } from '../webhooks/deliveries.js';
import type { RunningProjections } from './projections.js';
import type { Stores } from './stores.js';

const USER_AGENT = 'Tollgraph-Webhooks/1.0';

/** Sends what leaves, in one of the processes that run policies. */
export function sendOutgoing(
  { leases }: RunningProjections,
  { commands, personal, outbox, webhookNetworks, clock, elapsed, telemetry: { metrics } }: Stores,
  mails: MailCarrier,
  log: Logger,
  shutdown: Shutdown,
): void {
  const onError = (error: unknown): void => log.error('something that leaves is not sent yet', error);
  const webhooks = new WebhookCarrier({
    commands,
    personal,
    outbox,
    transport: httpWebhooks({ allowed: webhookNetworks }),
    publicEvents: new Map(Object.values(PUBLIC_EVENTS).map((told) => [told.type, told])),
    clock,
    userAgent: USER_AGENT,
  });
  const carriers = new Map<string, Carrier>([
    [WEBHOOK, webhooks],
    [MAIL, mails],
  ]);
  metrics.describeDeliveries(carriers.keys(), [DELIVERED, EXHAUSTED]);
  const onEnded = (delivery: Delivery, outcome: string): void => {
    if (!isTest(delivery)) metrics.deliveryEnded(delivery.kind, outcome);
  };
  const worker = new OutgoingWorker({ outbox, carriers, clock, elapsed, onError, onEnded });
  const leadership = new Leadership({
    leases,
    name: 'outgoing',
    lead: (_lease, until) => worker.run(until),
    stand: () => Promise.resolve(),
    onError,
  });
  leadership.start();
  shutdown.add('what leaves', () => leadership.stop());
}
