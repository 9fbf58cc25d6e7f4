import type { StripeEventQueries, StripeEventRow } from '../../projections/stripeEvents/queries.js';
import type { SubscriptionQueries } from '../../projections/subscriptions/queries.js';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { compositeKey } from '../eventsourcing/compositeKey.js';
import { eachOnce } from '../eachOnce.js';
import type { Position } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { Wake } from '../wake.js';
import type { AccountBilling } from './accountBilling.js';
import type { AccountOfCustomer } from './customers.js';
import { stripeEventDecider, WAITING } from './decideWebhook.js';
import type { WebhookEffect } from './events.js';
import { stripeEventStream } from './events.js';
import type { FailedRefunds } from './failedRefunds.js';
import type { Payments } from './payments.js';
import { PaymentRefused } from './payments.js';
import type { PaymentRecorder } from './paymentRecorder.js';
import type { WebhookReceiver } from './webhooks.js';

/** Looked at together. */
const BATCH = 50;
/** Accounts that are worked on at once. */
const AT_ONCE = 8;
/** So often it asks for events whose webhooks have not come. */
const BACKFILL_MS = 10 * 60_000;
/** The same once it could not. */
const BACKFILL_RETRY_MS = 60_000;
/** So often it looks for what only time has made due. */
const LOOK_MS = 30_000;

/** What was paid is paid back, by us or by somebody in Stripe's dashboard; or that has failed since. */
const REFUND = /^(charge\.refunded|(charge\.)?refund\.(failed|updated))$/;

/** Something was paid. */
const PAID = 'payment_intent.succeeded';
/** A customer has asked the bank to take a payment back. */
const DISPUTE = /^charge\.dispute\./;

/** Types of events that say something of what an account pays for. */
const ABOUT_SUBSCRIPTIONS =
  /^((checkout\.session|customer\.(discount|subscription)|subscription_schedule|invoice|invoice_payment|payment_method)\.)/;

export interface BillingWorkerOptions {
  readonly billing: AccountBilling;
  readonly payments: Payments;
  readonly events: StripeEventQueries;
  readonly subscriptions: Pick<SubscriptionQueries, 'pending' | 'due'>;
  readonly accountOf: AccountOfCustomer;
  readonly receiver: Pick<WebhookReceiver, 'backfill'>;
  /** Takes back what an account has bought by a charge that was paid back; gives it back where that has failed. */
  readonly onRefund: (accountId: string, charge: string) => Promise<void>;
  /** What was paid back has not reached the customer. */
  readonly onRefundFailed: FailedRefunds['record'];
  /** Follows a dispute. @returns the account that has paid, null where none has; undefined for one that is none of ours */
  readonly onDispute: (dispute: string) => Promise<string | null | undefined>;
  /** Records what was paid, or paid back, without an account. */
  readonly recorder: Pick<PaymentRecorder, 'record'>;
  readonly commands: CommandHandler;
  /** By which grace ends. */
  readonly billingClock: Clock;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Does what follows from Stripe's events, what was asked of Stripe and is not done, and what time has made due.
 * The lists of work are read models of the difference (decision 23): a crash forgets nothing. Many accounts at
 * once, one after the other for each; what fails for one holds up nobody else.
 */
export class BillingWorker {
  readonly #wake = new Wake();
  /** When events are fetched next, by the process's clock. */
  #backfillAt = -Infinity;

  constructor(private readonly options: BillingWorkerOptions) {}

  /** There may be something to do. */
  wake(): void {
    this.#wake.call();
  }

  /** Works until it is told to stop. */
  async run(until: AbortSignal): Promise<void> {
    const { onError } = this.options;
    const look = async (): Promise<boolean> => {
      await this.backfillInTime();
      return this.work(until);
    };
    await this.#wake.repeat(until, look, { restMs: LOOK_MS, onError });
  }

  /** Stores events that Stripe has tried to send in vain. */
  async backfill(): Promise<void> {
    const { payments, receiver, clock } = this.options;
    for (const event of await payments.undelivered()) await receiver.backfill(event, clock());
  }

  /** The same where it is time for it. What can't be fetched holds up nothing that has come. */
  async backfillInTime(now = performance.now()): Promise<void> {
    if (now < this.#backfillAt) return;
    this.#backfillAt = now + BACKFILL_MS;
    try {
      await this.backfill();
    } catch (error) {
      this.#backfillAt = now + BACKFILL_RETRY_MS;
      this.options.onError(error);
    }
  }

  /** Does all that there is, each once. @returns whether there is something to try again later */
  async work(until?: AbortSignal): Promise<boolean> {
    const { events, subscriptions, billing, billingClock, onError } = this.options;
    const common = { atOnce: AT_ONCE, onError };
    const idsOf = (accountId: string): string[] => [accountId];
    // They come by the thousand: the list goes on behind the last one, whatever became of those before it.
    let after: Position = START;
    const handled = await eachOnce(
      {
        ...common,
        list: async () => {
          const waiting = await events.pending(after, BATCH);
          after = waiting.at(-1)?.position ?? after;
          return byCustomer(waiting);
        },
        work: (group) => this.#handle(group),
      },
      until,
    );
    const settled = await eachOnce(
      {
        ...common,
        list: (without) => subscriptions.pending(BATCH, without),
        idsOf,
        work: (accountId) => billing.settle(accountId),
      },
      until,
    );
    const timely = await eachOnce(
      {
        ...common,
        list: (without) => subscriptions.due(new Date(billingClock()), BATCH, without),
        idsOf,
        work: (accountId) => billing.followTime(accountId),
      },
      until,
    );
    return handled || settled || timely;
  }

  /**
   * Each event is a signal alone: Stripe is asked once for all that are about one customer, once for each
   * invoice, and once more for its refunds. @throws the first failure, once the others are done
   */
  async #handle({ customer, livemode, events }: EventsOfCustomer): Promise<void> {
    const { payments, billing, accountOf } = this.options;
    const isFollowed = ({ type }: StripeEventRow): boolean =>
      livemode === payments.live &&
      customer !== null &&
      (REFUND.test(type) || ABOUT_SUBSCRIPTIONS.test(type));
    const accountId = customer !== null && events.some(isFollowed) ? await accountOf(customer) : undefined;
    if (accountId !== undefined) await billing.settle(accountId);

    const once = onceEach();
    const done = await Promise.allSettled(
      events.map(async (event) => {
        const { effect, accountId: about } = await this.#follow(event, accountId, isFollowed(event), once);
        await this.#confirm(event, effect, about);
      }),
    );
    for (const result of done) if (result.status === 'rejected') throw result.reason;
  }

  /**
   * Does what follows from one event.
   * @param accountId whose customer it is about
   * @param followed whether events like it are followed
   */
  async #follow(
    event: StripeEventRow,
    accountId: string | undefined,
    followed: boolean,
    once: Once,
  ): Promise<Done> {
    const { payments, billing } = this.options;
    if (event.livemode !== payments.live) return { effect: 'other_mode', accountId: null };
    try {
      const apart = await this.#ofNobody(event, once);
      if (apart) return apart;
      if (!followed) return NOTHING;
      if (accountId === undefined) return { effect: 'unknown_customer', accountId: null };
      if (REFUND.test(event.type))
        return { ...(await this.#followRefund(event, accountId, once)), accountId };
      const invoice = invoiceOf(event);
      if (invoice !== undefined) {
        await once(`invoice ${invoice}`, () => billing.recordInvoice(accountId, invoice, event.id, false));
      }
      return { effect: 'applied', accountId };
    } catch (error) {
      // What is not there any more, e.g. a draft that was deleted, never comes back.
      if (error instanceof PaymentRefused && error.code === 'resource_missing') return NOTHING;
      throw error;
    }
  }

  /**
   * What a charge has paid is taken back, as much of it as was paid back by now.
   * @param known whose it was; undefined where the event does not say it
   */
  async #followRefund(
    { id: toldBy, object_type: about, object_id: id }: StripeEventRow,
    known: string | undefined,
    once: Once,
  ): Promise<Done> {
    const { payments, billing, recorder, accountOf, onRefund, onRefundFailed } = this.options;
    const refund = about === 'refund' && id !== null ? await payments.refund(id) : undefined;
    const charge = about === 'refund' ? refund?.charge : id;
    if (id === null || charge == null) return NOTHING;
    const payer = refund?.customer;
    const accountId = known ?? (payer === undefined ? undefined : await accountOf(payer)) ?? null;
    if (accountId !== null) {
      await once(`refund ${charge}`, async () => {
        await onRefund(accountId, charge);
        const invoice = await payments.invoiceOfCharge(charge);
        if (invoice !== undefined) await billing.recordInvoice(accountId, invoice, toldBy, true);
      });
    } else if (!(await recorder.record({ charge }))) return NOTHING;
    if (refund?.failed === true) {
      const { amount, currency, payment = null, reason = null } = refund;
      await onRefundFailed(id, { accountId, amount, currency, reason, charge, payment });
    }
    return { effect: 'applied', accountId };
  }

  /** What events are about that do not name a customer; undefined for all others. */
  async #ofNobody(event: StripeEventRow, once: Once): Promise<Done | undefined> {
    const { onDispute, recorder } = this.options;
    const { type, customer, object_id: id } = event;
    if (id === null || customer !== null) return undefined;
    if (DISPUTE.test(type)) {
      const accountId = await onDispute(id);
      return accountId === undefined ? NOTHING : { effect: 'applied', accountId };
    }
    if (type === PAID) {
      return { effect: (await recorder.record({ intent: id })) ? 'applied' : 'none', accountId: null };
    }
    return REFUND.test(type) ? this.#followRefund(event, undefined, once) : undefined;
  }

  async #confirm(event: StripeEventRow, effect: WebhookEffect, accountId: string | null): Promise<void> {
    const { commands, clock } = this.options;
    await commands.handle(
      stripeEventDecider,
      stripeEventStream(event.id),
      { type: 'HandleStripeEvent', effect, accountId },
      byPolicy('billing', `handle:${event.id}`, {
        at: clock(),
        about: event.id,
        environment: event.livemode ? 'live' : 'test',
      }),
      { believed: WAITING },
    );
  }
}

/** What was done about an event. */
interface Done {
  readonly effect: WebhookEffect;
  readonly accountId: string | null;
}
const NOTHING: Done = { effect: 'none', accountId: null };

/** Does what has one name once, however many events of a batch ask for it. */
type Once = (name: string, work: () => Promise<void>) => Promise<void>;

function onceEach(): Once {
  const begun = new Map<string, Promise<void>>();
  return (name, work) => {
    const done = begun.get(name) ?? work();
    begun.set(name, done);
    return done;
  };
}

interface EventsOfCustomer {
  readonly customer: string | null;
  readonly livemode: boolean;
  readonly events: StripeEventRow[];
}

function byCustomer(events: readonly StripeEventRow[]): EventsOfCustomer[] {
  const groups = new Map<string, EventsOfCustomer>();
  for (const event of events) {
    const { customer, livemode } = event;
    const name = compositeKey(customer ?? '', String(livemode));
    const group = groups.get(name) ?? { customer, livemode, events: [] };
    group.events.push(event);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** The invoice that an event is about. The preview of one has no id that could be asked for. */
function invoiceOf({ object_type: about, object_id: id, type }: StripeEventRow): string | undefined {
  if (about !== 'invoice' || type === 'invoice.upcoming' || type === 'invoice.deleted') return undefined;
  return id ?? undefined;
}
