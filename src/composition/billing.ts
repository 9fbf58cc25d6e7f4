import type { FastifyInstance } from 'fastify';
import type { Queries } from '../../projections/index.js';
import { accountDecider } from '../accounts/decideAccount.js';
import { userDecider } from '../accounts/decideUser.js';
import { accountStream, userStream } from '../accounts/events.js';
import { billingCommands } from '../admin/billing.js';
import type { AdminCommands } from '../admin/server.js';
import { AccountBilling } from '../billing/accountBilling.js';
import type { Coupon } from '../billing/decideCoupon.js';
import type { PriceList } from '../billing/decide.js';
import { accountOfCustomer } from '../billing/customers.js';
import { FailedRefunds } from '../billing/failedRefunds.js';
import { priceListOf } from '../billing/offers.js';
import { InvoiceNumbers } from '../billing/invoiceNumbers.js';
import { InvoiceRecorder } from '../billing/invoiceRecorder.js';
import { OnePayment } from '../billing/onePayment.js';
import { Reconciliation } from '../billing/reconcile.js';
import type { Shelf } from '../billing/payments.js';
import type { Desk } from '../billing/resolvers.js';
import type { CreditDesk } from '../credits/desk.js';
import type { DisputePayments } from '../disputes/desk.js';
import { DisputeDesk } from '../disputes/desk.js';
import { PaymentRecorder } from '../billing/paymentRecorder.js';
import type { CreditPayments } from '../credits/payments.js';
import { WebhookReceiver } from '../billing/webhooks.js';
import { BillingWorker } from '../billing/worker.js';
import type { Config } from '../config.js';
import { fold } from '../eventsourcing/decider.js';
import { Leadership } from '../following/leases.js';
import type { StripePlace } from '../http/stripeWebhooks.js';
import { serveStripeWebhooks } from '../http/stripeWebhooks.js';
import { shownId } from '../graphql/kit/ids.js';
import type { Logger } from '../logger.js';
import type { Money } from '../money/money.js';
import type { OverageInvoices } from '../overage/invoices.js';
import type { Profile } from '../plans/profile.js';
import { billingTermsOf, isCouponOver, numberingOf } from '../plans/profile.js';
import { PersonalBodies } from '../blobs/personalBodies.js';
import type { Shutdown } from '../shutdown.js';
import type { RunningProjections } from './projections.js';
import type { Stores } from './stores.js';

/** Payments, where anybody takes them. */
export interface Billing {
  readonly desk: Desk;
  readonly receiver: WebhookReceiver;
  readonly priceList: () => PriceList;
  readonly coupons: () => readonly Coupon[];
  readonly graceDays: () => number;
  /** Takes payments for single things at a price. */
  readonly onePayment: (price: Money) => OnePayment;
  /** Puts use above limits on invoices. */
  readonly overageInvoices: OverageInvoices;
  /** Sells credits. */
  readonly creditPayments: CreditPayments;
  readonly disputePayments: DisputePayments;
  /** @param places of the profile, at which Stripe's events are taken beside our own */
  serve(fastify: FastifyInstance, places: readonly StripePlace[]): Promise<void>;
}

export async function openBilling(
  stores: Stores,
  { billing: config, paymentReturnUrl: returnUrl }: Config,
  { invoices }: Queries,
  log: Logger,
  profile: () => Profile,
): Promise<Billing | undefined> {
  const { sql, personal, store, storeId, commands, telemetry, clock, billingClock } = stores;
  const { secretKey, webhookSecrets, apiBase, priceIds } = config;
  if (config.mode === 'off' || secretKey === undefined) return undefined;
  // Loaded only where it is wanted.
  const { stripePayments } = await import('../adapters/stripe/payments.js');
  const { signatureCheck } = await import('../adapters/stripe/signature.js');
  const { stripeClient } = await import('../adapters/stripe/client.js');
  const { stripeCredits } = await import('../adapters/stripe/credits.js');
  const { stripeDisputes } = await import('../adapters/stripe/disputes.js');
  const { stripeOverage } = await import('../adapters/stripe/overage.js');
  const client = stripeClient({
    secretKey,
    ...(apiBase !== undefined && { address: addressOf(apiBase) }),
  });
  const priceList = (): PriceList => priceListOf(profile());
  const payments = stripePayments({
    secretKey,
    live: secretKey.split('_')[1] === 'live',
    installation: storeId,
    profile: profile().name,
    priceIds,
    offers: () => priceList().offers,
    ...(apiBase !== undefined && { address: addressOf(apiBase) }),
  });
  const coupons = (): readonly Coupon[] => profile().coupons ?? [];
  const graceDays = (): number => billingTermsOf(profile()).graceDays;
  const numbers = new InvoiceNumbers(store, {
    live: payments.live,
    numbering: () => numberingOf(profile()),
    find: (series, invoiceIds) => invoices.numbers(series, invoiceIds),
    clock,
  });
  const recorder = new InvoiceRecorder({
    commands,
    payments,
    numbers,
    onDifference: ({ invoiceId, accountId }) => {
      telemetry.metrics.invoiceDiffers.inc();
      const account = shownId('Account', accountId);
      log.warn(`the invoice ${invoiceId} of ${account} differs from our events: operator.invoiceDifferences`);
    },
    clock,
  });
  const billing = new AccountBilling({
    commands,
    payments,
    invoices: recorder,
    priceList,
    coupons,
    graceDays,
    returnUrl,
    emailOf: (accountId) => ownersEmail(stores, accountId),
    clock,
    billingClock,
  });
  const receiver = new WebhookReceiver(
    commands,
    await PersonalBodies.open(sql, personal),
    signatureCheck(webhookSecrets),
  );
  return {
    desk: { billing, payments, now: billingClock, returnUrl },
    receiver,
    priceList,
    coupons,
    graceDays,
    overageInvoices: stripeOverage(client),
    creditPayments: stripeCredits(client),
    disputePayments: stripeDisputes(client, storeId),
    onePayment: (price) => new OnePayment(payments, commands, clock, price),
    serve: (fastify, places) => {
      const receive: WebhookReceiver['receive'] = (...event) => receiver.receive(...event);
      return serveStripeWebhooks(fastify, { receive, clock, log }, places);
    },
  };
}

/** What an operator asks of payments, in the process that runs policies. */
export function operateBilling(
  { subscriptions }: Queries,
  { commands }: Stores,
  taken: Billing | undefined,
): AdminCommands {
  if (!taken) return billingCommands(undefined);
  const { desk, priceList, coupons, graceDays } = taken;
  const { billing, payments, now } = desk;
  const accounts = (after: string, limit: number): Promise<string[]> => subscriptions.customers(after, limit);
  const reconciliation = new Reconciliation({ billing, payments, commands, graceDays, accounts });
  const shelf = (): Shelf => {
    const at = new Date(now()).toISOString();
    return { ...priceList(), coupons: coupons().filter((one) => !isCouponOver(one, at)) };
  };
  return billingCommands({ reconciliation, payments, shelf });
}

/** Works on what payments have left to do, in one of the processes that run policies. */
export function workBilling(
  { models, leases }: RunningProjections,
  { stripeEvents, subscriptions }: Queries,
  { commands, clock }: Stores,
  { desk: { billing, payments, now }, receiver, disputePayments }: Billing,
  { credits }: { readonly credits: Pick<CreditDesk, 'followRefund' | 'followDispute'> },
  log: Logger,
  shutdown: Shutdown,
): BillingWorker {
  const onError = (error: unknown): void => log.error('what a payment leads to is not done yet', error);
  const accountOf = accountOfCustomer({ subscriptions, payments, billing });
  const disputes = new DisputeDesk({
    commands,
    payments: disputePayments,
    accountOf,
    onCredits: (accountId, disputed) => credits.followDispute(accountId, disputed),
    onOpened: (id, what) =>
      log.warn(
        what === 'dispute'
          ? `a customer disputes a payment: ${id}, operator.disputes`
          : `a bank asks about a payment, and may take it back: ${id}, operator.disputes`,
      ),
    clock,
  });
  const failed = new FailedRefunds(commands, clock, payments.live, (id) =>
    log.warn(`the refund ${id} has failed: the customer does not have the money, give it back another way`),
  );
  const worker = new BillingWorker({
    onDispute: disputes.follow,
    recorder: new PaymentRecorder(payments, commands, clock),
    billing,
    payments,
    receiver,
    onRefund: (accountId, charge) => credits.followRefund(accountId, charge),
    onRefundFailed: failed.record,
    events: stripeEvents.asTheyStand,
    subscriptions,
    accountOf,
    commands,
    billingClock: now,
    clock,
    onError,
  });
  models.onChanged('stripeEvents', () => worker.wake());
  models.onChanged('subscriptions', () => worker.wake());
  const leadership = new Leadership({
    leases,
    name: 'billing',
    lead: (_lease, until) => worker.run(until),
    stand: () => Promise.resolve(),
    onError,
  });
  leadership.start();
  shutdown.add('billing', () => leadership.stop());
  return worker;
}

/** Of the user who opened the account; null where there is none, or it has been erased. */
async function ownersEmail({ commands, personal }: Stores, accountId: string): Promise<string | null> {
  const { ownerId } = fold(accountDecider, await commands.load(accountStream(accountId)));
  if (ownerId === undefined) return null;
  const { email } = fold(userDecider, await commands.load(userStream(ownerId)));
  return email === undefined ? null : personal.unseal(email);
}

function addressOf(base: string) {
  const { hostname: host, port, protocol } = new URL(base);
  const secure = protocol === 'https:';
  return { host, port: Number(port || (secure ? 443 : 80)), protocol: secure ? 'https' : 'http' } as const;
}
