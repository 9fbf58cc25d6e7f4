import { invalid } from '../errors.js';
import { page } from '../http/lists.js';
import type { Params, Routes } from '../http/route.js';
import { arrayOf, numberOf, objectOf, textOf } from '../http/route.js';
import type { Schedule, SchedulePhase, Subscription } from '../objects.js';
import type { Recurrence } from '../rules/time.js';
import { boundary } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { mergedMetadata } from '../unit.js';
import { applyDiscounts, beginDiscount, livingDiscounts } from './discounts.js';
import { cancelNow, updateSubscription } from './subscriptionLife.js';
import { lastPeriodEnd, ratesOf } from './subscriptionItems.js';

const MAX_PHASES = 10;

function create(unit: Unit, params: Params): Schedule {
  const from = textOf(params, 'from_subscription');
  if (from === undefined) {
    throw invalid(
      'The sandbox makes schedules of subscriptions alone: give from_subscription.',
      'from_subscription',
    );
  }
  const other = Object.keys(params).find((name) => name !== 'from_subscription');
  if (other !== undefined) {
    throw invalid(`You cannot set \`${other}\` if \`from_subscription\` is set.`, other);
  }
  const subscription = unit.edit('subscription', from, 'from_subscription');
  if (subscription.schedule !== null) {
    throw invalid(
      'You cannot migrate a subscription that is already attached to a schedule.',
      'from_subscription',
    );
  }
  if (['canceled', 'incomplete', 'incomplete_expired'].includes(subscription.status)) {
    throw invalid(
      `You cannot make a schedule of a subscription that is ${subscription.status}.`,
      'from_subscription',
    );
  }
  const phase = currentPhase(subscription);
  const schedule: Schedule = {
    ...unit.base('subscription_schedule', 'subscription_schedule'),
    application: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    canceled_at: null,
    completed_at: null,
    current_phase: { start_date: phase.start_date, end_date: phase.end_date },
    customer: subscription.customer,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      automatic_tax: { disabled_reason: null, enabled: false, liability: null },
      billing_cycle_anchor: 'automatic',
      billing_thresholds: null,
      collection_method: 'charge_automatically',
      default_payment_method: subscription.default_payment_method,
      description: null,
      invoice_settings: { account_tax_ids: null, days_until_due: null, issuer: { type: 'self' } },
      on_behalf_of: null,
      transfer_data: null,
    },
    end_behavior: 'release',
    metadata: mergedMetadata({}, params['metadata']),
    pause_schedules: [],
    phases: [phase],
    released_at: null,
    released_subscription: null,
    status: 'active',
    subscription: subscription.id,
    test_clock: null,
  };
  subscription.schedule = schedule.id;
  unit.add('subscription_schedule', schedule);
  unit.emit('subscription_schedule.created', schedule);
  unit.emitUpdate('customer.subscription.updated', subscription);
  return schedule;
}

function currentPhase(subscription: Subscription): SchedulePhase {
  return phaseOf({
    start_date: Math.min(...subscription.items.data.map((item) => item.current_period_start)),
    end_date: lastPeriodEnd(subscription),
    items: subscription.items.data.map(({ price, quantity, metadata, tax_rates }) => ({
      price: price.id,
      ...(quantity !== undefined && { quantity }),
      metadata,
      tax_rates,
    })),
    default_tax_rates: subscription.default_tax_rates,
    proration_behavior: 'create_prorations',
    discounts: subscription.discounts.map(stacked),
  });
}

const stacked = (discount: string): SchedulePhase['discounts'][number] => ({
  coupon: null,
  discount,
  promotion_code: null,
});

type Given = Pick<
  SchedulePhase,
  'default_tax_rates' | 'discounts' | 'end_date' | 'items' | 'proration_behavior' | 'start_date'
>;

const phaseOf = ({ items, ...given }: Given): SchedulePhase => ({
  add_invoice_items: [],
  application_fee_percent: null,
  billing_cycle_anchor: null,
  billing_thresholds: null,
  collection_method: null,
  currency: '',
  default_payment_method: null,
  description: null,
  invoice_settings: null,
  metadata: {},
  on_behalf_of: null,
  transfer_data: null,
  trial_end: null,
  ...given,
  items: items.map((item) => ({
    billing_thresholds: null,
    discounts: [],
    plan: item.price,
    ...item,
  })),
});

function update(unit: Unit, params: Params, id: string): Schedule {
  const schedule = unit.edit('subscription_schedule', id);
  if (schedule.status !== 'active') {
    throw invalid(
      `You cannot update a subscription schedule that is currently in the \`${schedule.status}\` status.`,
    );
  }
  const end = textOf(params, 'end_behavior');
  if (end !== undefined) schedule.end_behavior = end as Schedule['end_behavior'];
  schedule['metadata'] = mergedMetadata(schedule['metadata'] as Record<string, string>, params['metadata']);
  const given = arrayOf(params, 'phases');
  if (given.length > MAX_PHASES) throw invalid(`A schedule has at most ${MAX_PHASES} phases.`, 'phases');
  if (given.length > 0) {
    const usual = textOf(params, 'proration_behavior') ?? 'create_prorations';
    schedule.phases = phasesOf(unit, schedule, given, usual as SchedulePhase['proration_behavior']);
    const current = schedule.phases.find(
      ({ start_date, end_date }) => start_date <= unit.now && unit.now < end_date,
    );
    if (!current) throw invalid('The phases must hold the present.', 'phases');
    schedule.current_phase = { start_date: current.start_date, end_date: current.end_date };
    // What a phase does not name is taken away.
    const subscription = unit.edit('subscription', schedule.subscription ?? '');
    subscription.discounts = current.discounts.map(({ discount }) => discount);
    subscription.default_tax_rates = current.default_tax_rates;
  }
  unit.emitUpdate('subscription_schedule.updated', schedule);
  return schedule;
}

function phasesOf(
  unit: Unit,
  schedule: Schedule,
  given: readonly Params[],
  usual: SchedulePhase['proration_behavior'],
): SchedulePhase[] {
  let start = schedule.current_phase?.start_date ?? unit.now;
  return given.map((params, index) => {
    const param = `phases[${index}]`;
    const from = params['start_date'] === 'now' ? unit.now : (numberOf(params, 'start_date') ?? start);
    if (index > 0 && from !== start)
      throw invalid('Each phase must begin where the one before it ends.', `${param}[start_date]`);
    const items = arrayOf(params, 'items').map((item) => {
      const price = unit.get('price', textOf(item, 'price') ?? '', `${param}[items][0][price]`);
      const metered = price.recurring?.usage_type === 'metered';
      return {
        price: price.id,
        ...(!metered && { quantity: numberOf(item, 'quantity') ?? 1 }),
        metadata: mergedMetadata({}, item['metadata']),
        tax_rates: ratesOf(unit, item['tax_rates']),
        recurring: price.recurring,
      };
    });
    const duration = objectOf(params, 'duration');
    const rhythm = (items[0]?.recurring ?? { interval: 'month', interval_count: 1 }) as Recurrence;
    const end =
      (params['end_date'] === 'now' ? unit.now : numberOf(params, 'end_date')) ??
      boundary(
        from,
        duration
          ? {
              interval: duration['interval'] as Recurrence['interval'],
              interval_count: numberOf(duration, 'interval_count') ?? 1,
            }
          : rhythm,
        1,
      );
    if (end <= from) throw invalid('A phase must end after it has begun.', `${param}[end_date]`);
    start = end;
    const redeemer = { subscription: schedule.subscription ?? '', customer: schedule.customer };
    return phaseOf({
      discounts: applyDiscounts(unit, params['discounts'], redeemer).map(stacked),
      start_date: from,
      end_date: end,
      items: items.map(({ recurring: _, ...item }) => item),
      default_tax_rates: ratesOf(unit, params['default_tax_rates']),
      proration_behavior: (textOf(params, 'proration_behavior') ??
        usual) as SchedulePhase['proration_behavior'],
    });
  });
}

/** When the next phase begins, or the last one ends. */
export const nextTransition = ({ current_phase: phase, status }: Schedule): number | undefined =>
  status === 'active' ? phase?.end_date : undefined;

/** Enters the next phase. Behind the last one the subscription goes on alone, or ends. */
export function transition(unit: Unit, schedule: Schedule): void {
  const over = schedule.current_phase?.end_date ?? unit.now;
  const next = schedule.phases.find(({ start_date: start }) => start === over);
  const id = schedule.subscription ?? '';
  const subscription = unit.edit('subscription', id);
  if (!next) {
    if (schedule.end_behavior !== 'cancel') return void release(unit, schedule);
    schedule.status = 'completed';
    schedule.current_phase = null;
    schedule['completed_at'] = unit.now;
    unit.emit('subscription_schedule.completed', schedule);
    cancelNow(unit, subscription, { invoice_now: true, prorate: true });
    return;
  }
  schedule.current_phase = { start_date: next.start_date, end_date: next.end_date };
  const items = subscription.items.data;
  const discounts = livingDiscounts(
    unit,
    next.discounts.map(({ discount }) => discount),
  );
  for (const discount of discounts) {
    if (!subscription.discounts.includes(discount)) beginDiscount(unit, discount);
  }
  updateSubscription(unit, subscription, {
    discounts: discounts.map((discount) => ({ discount })),
    default_tax_rates: next.default_tax_rates.map(({ id: rate }) => rate),
    items: [
      ...next.items.map(({ price, quantity, metadata, tax_rates: rates }, index) => ({
        ...(items[index] && { id: items[index].id }),
        price,
        ...(quantity !== undefined && { quantity }),
        metadata,
        tax_rates: rates.map(({ id: rate }) => rate),
      })),
      ...items.slice(next.items.length).map((item) => ({ id: item.id, deleted: true })),
    ],
    proration_behavior: next.proration_behavior,
  });
  unit.emitUpdate('subscription_schedule.updated', schedule);
}

function release(unit: Unit, schedule: Schedule): Schedule {
  const id = schedule.subscription;
  schedule.status = 'released';
  schedule.current_phase = null;
  schedule['released_at'] = unit.now;
  schedule.released_subscription = id;
  schedule.subscription = null;
  const subscription = id === null ? undefined : unit.edit('subscription', id);
  if (subscription) subscription.schedule = null;
  unit.emit('subscription_schedule.released', schedule);
  if (subscription) unit.emitUpdate('customer.subscription.updated', subscription);
  return schedule;
}

function active(unit: Unit, id: string, what: string): Schedule {
  const schedule = unit.edit('subscription_schedule', id);
  if (schedule.status === 'active') return schedule;
  throw invalid(
    `You cannot ${what} a subscription schedule that is currently in the \`${schedule.status}\` status.`,
  );
}

export const scheduleRoutes: Routes = {
  'POST /v1/subscription_schedules': create,
  'GET /v1/subscription_schedules': (unit, params) =>
    page(
      unit,
      'subscription_schedule',
      params,
      '/v1/subscription_schedules',
      ({ customer }) => params['customer'] === undefined || customer === params['customer'],
    ),
  'GET /v1/subscription_schedules/*': (unit, _params, id = '') => unit.get('subscription_schedule', id),
  'POST /v1/subscription_schedules/*': (unit, params, id = '') => update(unit, params, id),
  'POST /v1/subscription_schedules/*/release': (unit, _params, id = '') =>
    release(unit, active(unit, id, 'release')),
  // Unlike a subscription's own end this one gives back and bills, unless it is told not to.
  'POST /v1/subscription_schedules/*/cancel': (unit, params, id = '') => {
    const schedule = active(unit, id, 'cancel');
    const subscription = unit.edit('subscription', schedule.subscription ?? '');
    schedule.status = 'canceled';
    schedule.current_phase = null;
    schedule['canceled_at'] = unit.now;
    unit.emit('subscription_schedule.canceled', schedule);
    cancelNow(unit, subscription, {
      invoice_now: params['invoice_now'] !== false,
      prorate: params['prorate'] !== false,
    });
    return schedule;
  },
};
