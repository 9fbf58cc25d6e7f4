import { z } from 'zod';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { notThere } from '../eventsourcing/commandHandler.js';
import type { PersonalBodies } from '../blobs/personalBodies.js';
import { SubjectErased } from '../secrets/personalData.js';
import { stripeEventDecider } from './decideWebhook.js';
import { customerSubject, stripeEventStream } from './events.js';

const Customer = z.union([z.string().max(255), z.object({ id: z.string().max(255) })]).nullish();

/** What we need to know of an event of Stripe, whatever else is in it. */
const Envelope = z.object({
  id: z.string().regex(/^evt_\w{1,200}$/),
  object: z.literal('event'),
  type: z.string().min(1).max(200),
  created: z.number().int().nonnegative(),
  livemode: z.boolean(),
  api_version: z.string().max(100).nullish(),
  account: z.string().max(255).nullish(),
  data: z.object({
    object: z.object({
      object: z.string().max(100),
      id: z.string().max(255).nullish(),
      customer: Customer,
    }),
    // A payment method that was detached names its customer here alone.
    previous_attributes: z.object({ customer: Customer }).nullish().catch(null),
  }),
});

/** Whether one of our secrets has signed the bytes, and not long ago. */
export type CheckSignature = (body: Buffer, header: string, nowMs: number) => boolean;

export type Receipt = 'stored' | 'not_signed' | 'not_an_event';

/** Stores events of Stripe before they are answered. What follows from them is done afterwards. */
export class WebhookReceiver {
  constructor(
    private readonly commands: CommandHandler,
    private readonly bodies: PersonalBodies,
    private readonly check: CheckSignature,
  ) {}

  /** @throws Outage while it cannot be stored: Stripe sends it again */
  async receive(body: Buffer, signature: string | undefined, now: number): Promise<Receipt> {
    if (signature === undefined || !this.check(body, signature, now)) return 'not_signed';
    return (await this.store(body, now, false)) ? 'stored' : 'not_an_event';
  }

  /** An event whose webhook has not come, as Stripe lists it. */
  async backfill(event: unknown, now: number): Promise<boolean> {
    return this.store(Buffer.from(JSON.stringify(event)), now, true);
  }

  private async store(body: Buffer, now: number, backfilled: boolean): Promise<boolean> {
    const event = eventOf(body);
    if (!event) return false;
    const { id, type, created, livemode, api_version, account, data } = event;
    const { customer: given, ...object } = data.object;
    const inside = object.object === 'customer' ? object.id : (given ?? data.previous_attributes?.customer);
    const customer = (typeof inside === 'object' ? inside?.id : inside) ?? null;
    const stored = await this.#keep(customer, body);
    await this.commands.handle(
      stripeEventDecider,
      stripeEventStream(id),
      {
        type: 'ReceiveStripeEvent',
        received: {
          eventType: type,
          createdAt: new Date(created * 1000).toISOString(),
          livemode,
          apiVersion: api_version ?? null,
          connectedAccount: account ?? null,
          object: { type: object.object, id: object.id ?? null },
          customer,
          body: stored,
          backfilled,
        },
      },
      {
        commandId: id,
        caller: 'stripe',
        requestHash: id,
        at: new Date(now),
        environment: livemode ? 'live' : 'test',
        correlationId: id,
      },
      { believed: notThere(stripeEventDecider) },
    );
    return true;
  }

  /**
   * A body may be personal, and is kept only where it can be erased: with the key of the customer that it is about.
   * Of others, and of a customer whose data have been erased, nothing is kept but that there was an event.
   */
  async #keep(customer: string | null, body: Buffer) {
    const subject = customerSubject(customer);
    const nothing = { hash: '', bytes: body.byteLength, subject };
    if (customer === null) return nothing;
    try {
      return { ...(await this.bodies.put(subject, body)), subject };
    } catch (error) {
      if (!(error instanceof SubjectErased)) throw error;
      return nothing;
    }
  }
}

function eventOf(body: Buffer): z.infer<typeof Envelope> | undefined {
  try {
    return Envelope.safeParse(JSON.parse(body.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
