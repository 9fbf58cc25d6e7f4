import { createHmac } from 'node:crypto';
import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { Engine } from './engine.js';
import type { DeliveryFault, Faults } from './faults.js';
import type { Delivery, WebhookEndpoint } from './objects.js';
import { present } from './present.js';
import type { SandboxStore } from './store.js';
import type { Unit } from './unit.js';

/** Where events go, beside the endpoints that the API was told of. */
export interface WebhookTarget {
  readonly url: string;
  /** As `whsec_…`. */
  readonly secret: string;
}

/** When a delivery that failed is tried again, in milliseconds of real time; then it is given up. */
export const RETRY_MS: readonly number[] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000, 10_800_000];

const TIMEOUT_MS = 20_000;
/** How old the fault `old_signature` makes a signature, in seconds. */
const OLD_SECONDS = 3_600;
/** How long the fault `delayed` holds a delivery back. */
const DELAY_MS = 500;

/** The endpoint that the sandbox was started for, wherever that listens. */
const PRODUCT = 'product';

/** Which events go to which endpoints: stored with what they tell of. */
export function address(unit: Unit, expected: boolean, realNow: number): void {
  for (const event of unit.events) {
    const urls = expected ? [PRODUCT] : [];
    for (const { url, status, enabled_events: types } of unit.all('webhook_endpoint')) {
      if (status === 'enabled' && (types.includes('*') || types.includes(event.type))) urls.push(url);
    }
    event.pending_webhooks = urls.length;
    const { id } = event.data.object as { id: string };
    if (urls.length === 0 && event.type === 'invoice.created' && unit.find('invoice', id)) {
      unit.edit('invoice', id).webhooks_delivered_at = unit.now;
    }
    for (const url of urls) {
      unit.add('delivery', {
        ...unit.base('delivery', 'delivery'),
        event: event.id,
        url,
        attempts: [],
        due: realNow,
        delivered: false,
      });
    }
  }
}

/** Sends what is due, one after the other, and again where that fails. Its times are real ones. */
export class Deliveries {
  /** Whether there is an endpoint beside those that the API was told of. */
  expected = false;
  #target: WebhookTarget | undefined;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly engine: Engine,
    private readonly store: SandboxStore,
    private readonly faults: Faults,
    private readonly clock: Clock,
    private readonly retryMs: readonly number[] = RETRY_MS,
  ) {}

  /** Events are for this endpoint, too; `later`: they wait until it is known. */
  expect(target: WebhookTarget | 'later'): void {
    this.expected = true;
    this.#target = target === 'later' ? undefined : target;
    this.wake();
  }

  /** Sends what is due now; what fails is tried again by itself. */
  wake(): void {
    if (this.#closed || this.#sending) return;
    this.#sending = this.#send()
      .catch(() => undefined)
      .finally(() => {
        this.#sending = undefined;
        this.#plan();
      });
  }

  /** Waits until nothing is due: every event was sent, or has failed and waits for its next try. */
  async idle(): Promise<void> {
    this.wake();
    while (this.#sending) await this.#sending;
  }

  /** Sends one again, whatever became of it. */
  async replay(id: string): Promise<void> {
    await this.engine.run((unit) => {
      unit.edit('delivery', id).due = this.clock();
    });
    await this.idle();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#sending;
  }

  async #send(): Promise<void> {
    while (!this.#closed) {
      const due = this.#due();
      if (due.length === 0) return;
      const results: Result[] = [];
      for (const delivery of this.#ordered(due)) {
        if (this.#closed) break;
        results.push(...(await this.#deliver(delivery)));
      }
      // What is not recorded after a crash is sent again.
      await this.engine.run((unit) => {
        for (const result of results) record(unit, result, this.clock(), this.retryMs);
      });
    }
  }

  /** In the order of the events, but for those that are to come behind the one after them. */
  #ordered(due: readonly Delivery[]): Delivery[] {
    const order = [...due];
    for (let i = 0; i < order.length - 1; i++) {
      const [one, other] = [order[i], order[i + 1]];
      if (!one || !other || this.#fault(one.event) !== 'reordered') continue;
      this.#faultOf.delete(one.event);
      this.#settled.add(one.event);
      [order[i], order[i + 1]] = [other, one];
      i++;
    }
    return order;
  }

  readonly #faultOf = new Map<string, DeliveryFault>();
  /** Events of which no fault is asked for any more. */
  readonly #settled = new Set<string>();

  /** The fault that is planned for an event, asked for once. */
  #fault(event: string): DeliveryFault | undefined {
    if (this.#settled.has(event)) return undefined;
    const { type = '' } = (this.store.table('event').get(event) ?? {}) as { type?: string };
    const fault = this.#faultOf.get(event) ?? this.faults.delivery(type);
    if (fault) this.#faultOf.set(event, fault);
    return fault;
  }

  async #deliver(delivery: Delivery): Promise<Result[]> {
    const { id, event } = delivery;
    const fault = this.#fault(event);
    this.#faultOf.delete(event);
    this.#settled.delete(event);
    if (fault === 'dropped')
      return [{ id, status: null, problem: 'dropped by a planned fault', givenUp: true }];
    // Nothing is behind it yet: it waits for what comes.
    if (fault === 'delayed' || fault === 'reordered') return [{ id, later: true }];
    const results = [await this.#attempt(delivery, fault)];
    if (fault === 'duplicated') results.push(await this.#attempt(delivery));
    return results;
  }

  #due(): Delivery[] {
    const now = this.clock();
    return this.#waiting().filter(({ due }) => due !== null && due <= now);
  }

  /** What has somewhere to go. */
  #waiting(): Delivery[] {
    return ([...this.store.table('delivery').values()] as Delivery[]).filter(
      ({ due, url }) => due !== null && (url !== PRODUCT || this.#target !== undefined),
    );
  }

  async #attempt({ id, event: eventId, url }: Delivery, fault?: DeliveryFault): Promise<Result> {
    const event = this.store.table('event').get(eventId);
    const target = this.#targetOf(url);
    if (!event || !target) {
      return { id, status: null, problem: 'the event or its endpoint is gone', givenUp: true };
    }
    const payload = JSON.stringify(present(event), undefined, 2);
    // By the clock of whoever checks it, whatever time the sandbox was given.
    const seconds = Math.floor(systemClock() / 1000) - (fault === 'old_signature' ? OLD_SECONDS : 0);
    const signature = sign(payload, fault === 'wrong_signature' ? 'whsec_wrong' : target.secret, seconds);
    try {
      const response = await fetch(target.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'stripe-signature': signature,
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks; Tollgraph sandbox)',
        },
        body: payload,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.arrayBuffer();
      return { id, status: response.status, problem: response.ok ? null : `HTTP ${response.status}` };
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } };
      return { id, status: null, problem: cause?.code ?? message };
    }
  }

  #targetOf(url: string): WebhookTarget | undefined {
    if (url === PRODUCT) return this.#target;
    for (const endpoint of this.store.table('webhook_endpoint').values()) {
      if (endpoint['url'] === url) return { url, secret: (endpoint as WebhookEndpoint).$.secret };
    }
    return undefined;
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const dues = this.#waiting().flatMap(({ due }) => due ?? []);
    if (dues.length === 0) return;
    this.#timer = setTimeout(() => this.wake(), Math.max(0, Math.min(...dues) - this.clock()));
    this.#timer.unref();
  }
}

/** As Stripe signs: `t=<seconds>,v1=<HMAC-SHA-256 of "<seconds>.<payload>">`. */
export function sign(payload: string, secret: string, seconds: number): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${payload}`).digest('hex')}`;
}

type Result =
  | {
      readonly id: string;
      readonly status: number | null;
      readonly problem: string | null;
      readonly givenUp?: true;
    }
  | { readonly id: string; readonly later: true };

function record(unit: Unit, result: Result, now: number, retryMs: readonly number[]): void {
  const delivery = unit.edit('delivery', result.id);
  if ('later' in result) {
    delivery.due = now + DELAY_MS;
    return;
  }
  const { status, problem, givenUp } = result;
  delivery.attempts.push({ at: now, status, problem });
  const wait = retryMs[delivery.attempts.length - 1];
  delivery.due = problem === null || givenUp || wait === undefined ? null : now + wait;
  if (problem !== null || delivery.delivered) return;
  delivery.delivered = true;
  const event = unit.find('event', delivery.event) && unit.edit('event', delivery.event);
  if (!event) return;
  event.pending_webhooks = Math.max(0, event.pending_webhooks - 1);
  // An invoice becomes final an hour after its creation was heard of everywhere.
  const object = event.data.object as { id: string };
  if (event.type !== 'invoice.created' || event.pending_webhooks > 0 || !unit.find('invoice', object.id))
    return;
  unit.edit('invoice', object.id).webhooks_delivered_at = unit.now;
}
