import type Stripe from 'stripe';
import type { Offer } from '../../billing/decide.js';
import { PaymentRefused } from '../../billing/payments.js';
import { asked } from './errors.js';
import { idOf } from './ids.js';

/** Which request a schedule was written for, in its metadata. */
const REQUEST = 'tollgraph_request';

/** How often a schedule is made anew that somebody else releases meanwhile. */
const MAX_RACES = 3;

type Phase = Stripe.SubscriptionScheduleUpdateParams.Phase;

export interface ChangeAtPeriodEnd {
  readonly subscription: string;
  /** The prices at Stripe: the one that is paid now, and the one to come. */
  readonly from: string;
  readonly price: string;
  /** When it comes, in seconds. */
  readonly periodEnd: number;
  readonly interval: Offer['interval'];
  /** Left out, the discounts stay as they are. */
  readonly discounts?: Phase['discounts'];
}

/** Changes that come when a period is over: Stripe keeps them in a schedule of the subscription. */
export function stripeSchedules(stripe: Stripe) {
  /** The schedule that a subscription has; undefined where it has none. */
  const attachedTo = async (subscription: string): Promise<Stripe.SubscriptionSchedule | undefined> => {
    const found = await asked(() => stripe.subscriptions.retrieve(subscription, { expand: ['schedule'] }));
    return found.schedule === null || typeof found.schedule === 'string' ? undefined : found.schedule;
  };

  /** The same, made where there is none. */
  const openFor = async (subscription: string, key: string): Promise<Stripe.SubscriptionSchedule> => {
    const attached = await attachedTo(subscription);
    if (attached) return attached;
    try {
      return await asked(() =>
        stripe.subscriptionSchedules.create({ from_subscription: subscription }, { idempotencyKey: key }),
      );
    } catch (error) {
      // Another process may have made one in the meantime.
      const other = error instanceof PaymentRefused ? await attachedTo(subscription) : undefined;
      if (!other) throw error;
      return other;
    }
  };

  /** Both in one call, so that a schedule that names a request has all that the request asks for. */
  const write = async (
    { id, phases, current_phase: current }: Stripe.SubscriptionSchedule,
    { from, price, periodEnd, interval, discounts }: ChangeAtPeriodEnd,
    key: string,
  ): Promise<void> => {
    const running = phases.find(({ start_date: start }) => start === current?.start_date);
    if (!running?.items.some((item) => idOf(item.price) === from)) {
      throw new PaymentRefused('resource_missing', 'The schedule does not have what is to change.', false);
    }
    const kept = termsOf(running);
    await asked(() =>
      stripe.subscriptionSchedules.update(
        id,
        {
          end_behavior: 'release',
          metadata: { [REQUEST]: key },
          phases: [
            {
              ...kept,
              start_date: running.start_date,
              end_date: periodEnd,
              ...(running.trial_end !== null && { trial_end: running.trial_end }),
            },
            {
              ...kept,
              items: kept.items.map((item) => (item.price === from ? { ...item, price } : item)),
              // Then the subscription goes on by itself.
              duration: { interval, interval_count: 1 },
              proration_behavior: 'none',
              ...(discounts !== undefined && { discounts }),
            },
          ],
        },
        { idempotencyKey: `${key}:phases:${id}` },
      ),
    );
  };

  return {
    /** A schedule holds what it was made with: without it the subscription is free again. */
    release: async (subscription: string, key: string): Promise<void> => {
      const schedule = await attachedTo(subscription);
      if (!schedule) return;
      const { id } = schedule;
      // Another schedule is another call: Stripe answers no second one to the same key.
      await asked(() =>
        stripe.subscriptionSchedules.release(id, {}, { idempotencyKey: `${key}:release:${id}` }),
      );
    },

    /**
     * A schedule that is there is written anew and never released first: it may be what an earlier try has made whose
     * answer was lost, or what another process makes at the same time.
     */
    changeAtPeriodEnd: async (change: ChangeAtPeriodEnd, key: string): Promise<void> => {
      const { subscription } = change;
      let create = `${key}:schedule`;
      for (let race = 1; ; race++) {
        const schedule = await openFor(subscription, create);
        if (schedule.metadata?.[REQUEST] === key) return;
        try {
          return await write(schedule, change, key);
        } catch (error) {
          const released =
            error instanceof PaymentRefused && (await attachedTo(subscription))?.id !== schedule.id;
          if (!released || race >= MAX_RACES) throw error;
          create = `${key}:schedule:${schedule.id}`;
        }
      }
    },
  };
}

type RunningPhase = Stripe.SubscriptionSchedule.Phase;

/** The terms of a phase, as another one takes them: what is not said of a phase is taken away. */
function termsOf(phase: RunningPhase) {
  const { automatic_tax: tax, collection_method: collection, invoice_settings: invoicing } = phase;
  const method = idOf(phase.default_payment_method);
  const days = invoicing?.days_until_due ?? null;
  return {
    items: phase.items.map(({ price, quantity, discounts, metadata, tax_rates: rates }) => ({
      price: idOf(price) ?? '',
      // Of what is metered there is none.
      ...(quantity !== undefined && { quantity }),
      ...(discounts.length > 0 && { discounts: discountsOf(discounts) }),
      ...(metadata !== null && { metadata }),
      ...idsOf('tax_rates', rates),
    })),
    discounts: discountsOf(phase.discounts),
    ...idsOf('default_tax_rates', phase.default_tax_rates),
    ...(tax && { automatic_tax: taxOf(tax) }),
    ...(collection !== null && { collection_method: collection }),
    ...(days !== null && { invoice_settings: { days_until_due: days } }),
    ...(method !== undefined && { default_payment_method: method }),
    ...(phase.description !== null && { description: phase.description }),
    ...(phase.metadata !== null && { metadata: phase.metadata }),
  } satisfies Phase;
}

const taxOf = ({ enabled, liability }: NonNullable<RunningPhase['automatic_tax']>) => {
  const account = idOf(liability?.account);
  return {
    enabled,
    ...(liability && { liability: { type: liability.type, ...(account !== undefined && { account }) } }),
  };
};

const idsOf = <K extends 'default_tax_rates' | 'tax_rates'>(
  name: K,
  rates: readonly Stripe.TaxRate[] | null | undefined,
): { [P in K]?: string[] } =>
  (rates?.length ? { [name]: rates.map(({ id }) => id) } : {}) as { [P in K]?: string[] };

const discountsOf = (discounts: RunningPhase['discounts']) =>
  discounts.flatMap(({ discount }) => {
    const id = idOf(discount);
    return id === undefined ? [] : [{ discount: id }];
  });
