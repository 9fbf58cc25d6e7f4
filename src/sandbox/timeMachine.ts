import type { Engine } from './engine.js';
import { expireSession } from './resources/checkout.js';
import { debitDueAt, settleDebit } from './resources/debits.js';
import { closeUnanswered, openUntil } from './resources/disputes.js';
import type { Job } from './resources/renewals.js';
import { invoiceJobs, subscriptionJobs } from './resources/renewals.js';
import { failRefund } from './resources/refunds.js';
import { nextTransition, transition } from './resources/schedules.js';
import { EVENT_SECONDS } from './resources/events.js';
import { DAY, later } from './rules/time.js';
import type { Seconds } from './rules/time.js';
import type { Unit } from './unit.js';
import type { Deliveries } from './webhooks.js';

/** How far time is moved at once at most. */
const FURTHEST = 2 * 366 * DAY;
const TICK_MS = 1_000;

/** Time cannot be moved so. The message is for people. */
export class CannotAdvance extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CannotAdvance';
  }
}

/** Does what falls due: as time passes, and all of it in order when time is moved. */
export class TimeMachine {
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly engine: Engine,
    private readonly deliveries: Deliveries,
    /** What the product has to do at a moment: time that is moved waits for it. */
    private readonly atMoment: () => Promise<void> = () => Promise.resolve(),
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      void this.#serial(() => this.#work(this.engine.now())).catch(() => undefined);
    }, TICK_MS);
    this.#timer.unref();
  }

  /** @throws CannotAdvance */
  advance(to: string | Seconds): Promise<Date> {
    return this.#serial(async () => {
      const now = this.engine.now();
      const target = typeof to === 'number' ? to : later(now, to);
      if (target === undefined) {
        throw new CannotAdvance(
          `"${to}" is neither a duration such as 31d, 2h, 1mo, 1y nor a date such as 2027-02-28`,
        );
      }
      if (target < now) throw new CannotAdvance('time moves forwards alone');
      if (target > now + FURTHEST) throw new CannotAdvance('time is moved by at most two years at once');
      try {
        await this.#work(target, this.atMoment);
      } finally {
        // Where something failed, it stays at the moment of the failure.
        await this.engine.release(this.#closed ? this.engine.now() : Math.max(target, this.engine.now()));
      }
      await this.deliveries.idle();
      return new Date(target * 1000);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#last.catch(() => undefined);
  }

  /** What is due up to a moment, each at its own moment, after what came before was told. */
  async #work(until: Seconds, atMoment?: () => Promise<void>): Promise<void> {
    let before = '';
    for (;;) {
      if (this.#closed) return;
      const job = await this.engine.run((unit) => nextJob(unit, until));
      if (!job) break;
      const key = `${job.name} ${job.at}`;
      if (key === before) throw new Error(`the sandbox cannot get past: ${key}`);
      before = key;
      if (job.at > this.engine.now()) this.engine.pin(job.at);
      await this.engine.run(job.run);
      await this.deliveries.idle();
      if (atMoment) {
        await atMoment();
        await this.deliveries.idle();
      }
    }
    await this.engine.run(forgetOld);
  }

  #serial<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function nextJob(unit: Unit, until: Seconds): Job | undefined {
  let next: Job | undefined;
  const consider = (jobs: readonly Job[]): void => {
    for (const job of jobs) if (job.at <= until && (!next || job.at < next.at)) next = job;
  };
  // A phase begins before the period that it is for.
  for (const schedule of unit.all('subscription_schedule')) {
    const at = nextTransition(schedule);
    const { id } = schedule;
    if (at === undefined) continue;
    consider([
      { at, name: `transition ${id}`, run: (u) => transition(u, u.edit('subscription_schedule', id)) },
    ]);
  }
  for (const subscription of unit.all('subscription')) {
    consider(subscriptionJobs(subscription, unit.world.settings.upcomingDays));
  }
  for (const invoice of unit.all('invoice')) consider(invoiceJobs(invoice));
  for (const dispute of unit.all('dispute')) {
    const at = openUntil(dispute);
    const { id } = dispute;
    if (at !== undefined)
      consider([{ at, name: `close ${id}`, run: (u) => closeUnanswered(u, u.edit('dispute', id)) }]);
  }
  for (const intent of unit.all('payment_intent')) {
    const at = debitDueAt(intent);
    const { id } = intent;
    if (at !== undefined)
      consider([{ at, name: `debit ${id}`, run: (u) => settleDebit(u, u.edit('payment_intent', id)) }]);
  }
  for (const { id, $: kept } of unit.all('refund')) {
    const at = kept?.failsAt;
    if (at !== undefined)
      consider([{ at, name: `fail ${id}`, run: (u) => failRefund(u, u.edit('refund', id)) }]);
  }
  for (const { id, status, expires_at: at } of unit.all('checkout.session')) {
    if (status !== 'open') continue;
    consider([{ at, name: `expire ${id}`, run: (u) => expireSession(u, u.edit('checkout.session', id)) }]);
  }
  return next;
}

/** Events are kept for 30 days, answers for as long as an idempotency key lives. */
function forgetOld(unit: Unit): void {
  const oldest = unit.now - EVENT_SECONDS;
  for (const event of unit.all('event')) if (event.created < oldest) unit.remove('event', event.id);
  for (const delivery of unit.all('delivery')) {
    if (delivery.created < oldest && delivery.due === null) unit.remove('delivery', delivery.id);
  }
  for (const answer of unit.all('saved_answer')) {
    if (answer.created < unit.now - DAY) unit.remove('saved_answer', answer.id);
  }
}
