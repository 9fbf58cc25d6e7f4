import fc from 'fast-check';
import { billingDecider } from '../../src/billing/decide.js';
import type { Snapshot } from '../../src/billing/recordSubscription.js';
import type { BillingState } from '../../src/billing/state.js';

const DAY_MS = 24 * 3_600_000;
const PRICES = [
  { plan: 'developer', price: 'developer-month-usd', amount: 2900 },
  { plan: 'team', price: 'team-month-usd', amount: 19_900 },
] as const;

const STEPS = [
  'renew',
  'change',
  'schedule',
  'unschedule',
  'cancel',
  'resume',
  'fail',
  'pay',
  'pause',
  'end pause',
  'end',
  'subscribe',
] as const;
type Step = (typeof STEPS)[number];

/** Stripe, as far as what it says of one customer's subscriptions goes. */
class Merchant {
  readonly #all: Snapshot[] = [];
  #day = 0;

  constructor(private trial: boolean) {
    this.#subscribe();
  }

  get now(): readonly Snapshot[] {
    return this.#all.map((one) => ({ ...one }));
  }

  do(step: Step): void {
    this.#day++;
    const index = this.#all.length - 1;
    const one = this.#all[index] as Snapshot;
    const set = (change: Partial<Snapshot>): void => {
      this.#all[index] = { ...one, ...change };
    };
    const living = one.status !== 'canceled';
    if (step === 'subscribe' && !living) return this.#subscribe();
    if (!living) return;
    // Nothing else happens meanwhile.
    if (one.status === 'paused' && !['end pause', 'end', 'change'].includes(step)) return;
    switch (step) {
      case 'renew':
        // Retries are over before the next period begins.
        if (one.status === 'past_due') return;
        if (one.status === 'trialing') this.#day = Math.max(this.#day, 30);
        if (one.cancelsAt !== undefined)
          return set({ status: 'canceled', endedAt: this.#at(0), cancelsAt: undefined });
        return set({
          status: 'active',
          periodStart: this.#at(0),
          periodEnd: this.#at(30),
          ...(one.scheduled && { ...PRICES[one.scheduled.plan === 'team' ? 1 : 0], scheduled: undefined }),
        });
      case 'change':
        return set({ ...PRICES[one.plan === 'team' ? 0 : 1], scheduled: undefined });
      case 'schedule': {
        const { plan, price } = PRICES[one.plan === 'team' ? 0 : 1];
        return set({ scheduled: { plan, price, at: one.periodEnd } });
      }
      case 'unschedule':
        return set({ scheduled: undefined });
      case 'cancel':
        return set({ cancelsAt: one.periodEnd, scheduled: undefined });
      case 'resume':
        return set({ cancelsAt: undefined });
      case 'fail':
        if (one.status === 'active') set({ status: 'past_due' });
        return;
      case 'pay':
        if (one.status === 'past_due') set({ status: 'active' });
        return;
      case 'pause':
        // In Stripe's dashboard a trial can be paused as well, and what is overdue.
        return set({ status: 'paused', pausedAt: this.#at(0) });
      case 'end pause':
        if (one.status !== 'paused') return;
        return set({
          status: 'active',
          pausedAt: undefined,
          periodStart: this.#at(0),
          periodEnd: this.#at(30),
          cancelsAt: undefined,
          scheduled: undefined,
        });
      case 'end':
        return set({ status: 'canceled', endedAt: this.#at(0), endReason: 'cancellation_requested' });
      case 'subscribe':
        return;
    }
  }

  #subscribe(): void {
    const trial = this.trial;
    this.trial = false;
    this.#all.push({
      subscription: `sub_${this.#all.length}`,
      ...PRICES[0],
      interval: 'month',
      currency: 'usd',
      periodStart: this.#at(0),
      periodEnd: this.#at(30),
      status: trial ? 'trialing' : 'active',
      createdAt: this.#at(0),
      trialEndsAt: trial ? this.#at(30) : undefined,
      cancelsAt: undefined,
      endedAt: undefined,
      endReason: undefined,
      scheduled: undefined,
    });
  }

  #at(days: number): string {
    return new Date(Date.UTC(2027, 0, 1) + (this.#day + days) * DAY_MS).toISOString();
  }
}

function recorded(state: BillingState, snapshots: readonly Snapshot[]): BillingState {
  const at = '2027-06-01T00:00:00.000Z';
  const command = { type: 'RecordSubscriptions', snapshots, asOf: state.events, graceDays: 14, at } as const;
  const decision = billingDecider.decide(state, command);
  if (decision.kind === 'refused') throw new Error(decision.refusal.message);
  return decision.events.reduce((before, event) => billingDecider.evolve(before, event), state);
}

/** All that matters later; how many events it took does not. */
const { initial } = billingDecider;
const known = ({ events: _, ...state }: BillingState) => state;

it('ends in the same state, whichever webhooks were lost, late, doubled or reordered (law 6)', () => {
  const step = fc.tuple(fc.constantFrom(...STEPS), fc.nat({ max: 2 }));
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 30 }), (trial, steps) => {
      const merchant = new Merchant(trial);
      let each = recorded(initial, merchant.now);
      let some = initial;
      for (const [what, webhooks] of steps) {
        merchant.do(what);
        each = recorded(each, merchant.now);
        // What a webhook says is fetched again, so that one that is late says what is true now.
        for (let n = 0; n < webhooks; n++) some = recorded(some, merchant.now);
      }
      // At last what was lost comes from the list of events.
      some = recorded(some, merchant.now);
      expect(known(some)).toEqual(known(each));
    }),
    {
      numRuns: 1_000,
      examples: [
        // Paid and overdue once more in the next period, of which nothing was heard.
        [
          false,
          [
            ['fail', 1],
            ['pay', 0],
            ['renew', 0],
            ['fail', 0],
          ],
        ],
        // A trial that was paused and resumed, of which nothing was heard, and is paused or overdue since.
        [
          true,
          [
            ['pause', 0],
            ['end pause', 0],
            ['pause', 0],
          ],
        ],
        [
          true,
          [
            ['pause', 1],
            ['end pause', 0],
            ['pause', 0],
          ],
        ],
        [
          true,
          [
            ['pause', 1],
            ['end pause', 0],
            ['fail', 0],
          ],
        ],
      ],
    },
  );
});
