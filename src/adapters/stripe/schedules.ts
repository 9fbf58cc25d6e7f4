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
  /** The price at Stripe. */
  readonly price: string;
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
    { price, interval, discounts }: ChangeAtPeriodEnd,
    key: string,
  ): Promise<void> => {
    const running = phases.find(({ start_date: start }) => start === current?.start_date);
    if (!running) throw new PaymentRefused('resource_missing', 'The schedule has no phase.', false);
    await asked(() =>
      stripe.subscriptionSchedules.update(
        id,
        {
          end_behavior: 'release',
          metadata: { [REQUEST]: key },
          phases: [
            {
              items: running.items.map((item) => ({
                price: idOf(item.price) ?? '',
                quantity: item.quantity ?? 1,
              })),
              start_date: running.start_date,
              end_date: running.end_date,
              discounts: discountsOf(running),
            },
            {
              items: [{ price, quantity: 1 }],
              // Then the subscription goes on by itself.
              duration: { interval, interval_count: 1 },
              proration_behavior: 'none',
              discounts: discounts ?? discountsOf(running),
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

/** The discounts of a phase, for another one: what is not said of a phase is taken away. */
const discountsOf = ({ discounts }: Stripe.SubscriptionSchedule.Phase) =>
  discounts.flatMap(({ discount }) => {
    const id = idOf(discount);
    return id === undefined ? [] : [{ discount: id }];
  });
