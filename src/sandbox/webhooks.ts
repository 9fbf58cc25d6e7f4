import { createHmac } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Engine } from './engine.js';
import type { Faults } from './faults.js';
import type { Delivery } from './objects.js';
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

/** Which events go to which endpoints: stored with what they tell of. */
export function address(unit: Unit, target: WebhookTarget | undefined, realNow: number): void {
  for (const event of unit.events) {
    const urls = target ? [target.url] : [];
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
  target: WebhookTarget | undefined;
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
      const first = due.shift();
      if (!first) return;
      const type = this.#event(first)?.type ?? '';
      const fault = this.faults.delivery(type);
      const second = fault === 'reordered' ? due.shift() : undefined;
      if (second) await this.#attempt(second);
      if (fault === 'dropped') await this.#record(first, null, 'dropped by a planned fault', true);
      else if (fault === 'delayed') await this.#postpone(first);
      else {
        await this.#attempt(first, fault);
        if (fault === 'duplicated') await this.#attempt(first);
      }
    }
  }

  #due(): Delivery[] {
    const now = this.clock();
    return ([...this.store.table('delivery').values()] as Delivery[]).filter(
      ({ due }) => due !== null && due <= now,
    );
  }

  #event({ event }: Delivery) {
    return this.store.table('event').get(event) as { type: string; data: unknown } | undefined;
  }

  async #attempt(delivery: Delivery, fault?: string): Promise<void> {
    const event = this.#event(delivery);
    const secret = this.#secretOf(delivery.url);
    if (!event || secret === undefined) {
      return this.#record(delivery, null, 'the event or its endpoint is gone', true);
    }
    const payload = JSON.stringify(present(event), undefined, 2);
    const seconds = Math.floor(this.clock() / 1000) - (fault === 'old_signature' ? OLD_SECONDS : 0);
    const signature = sign(payload, fault === 'wrong_signature' ? 'whsec_wrong' : secret, seconds);
    try {
      const response = await fetch(delivery.url, {
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
      await this.#record(delivery, response.status, response.ok ? null : `HTTP ${response.status}`);
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } };
      await this.#record(delivery, null, cause?.code ?? message);
    }
  }

  #secretOf(url: string): string | undefined {
    if (this.target?.url === url) return this.target.secret;
    for (const endpoint of this.store.table('webhook_endpoint').values()) {
      if ('$' in endpoint && endpoint['url'] === url) return (endpoint.$ as { secret: string }).secret;
    }
    return undefined;
  }

  async #record(
    { id }: Delivery,
    status: number | null,
    problem: string | null,
    givenUp = false,
  ): Promise<void> {
    await this.engine.run((unit) => {
      const delivery = unit.edit('delivery', id);
      delivery.attempts.push({ at: this.clock(), status, problem });
      const wait = this.retryMs[delivery.attempts.length - 1];
      delivery.due = problem === null || givenUp || wait === undefined ? null : this.clock() + wait;
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
    });
  }

  async #postpone({ id }: Delivery): Promise<void> {
    await this.engine.run((unit) => {
      unit.edit('delivery', id).due = this.clock() + DELAY_MS;
    });
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const dues = ([...this.store.table('delivery').values()] as Delivery[]).flatMap(({ due }) => due ?? []);
    if (dues.length === 0) return;
    this.#timer = setTimeout(() => this.wake(), Math.max(0, Math.min(...dues) - this.clock()));
    this.#timer.unref();
  }
}

/** As Stripe signs: `t=<seconds>,v1=<HMAC-SHA-256 of "<seconds>.<payload>">`. */
export function sign(payload: string, secret: string, seconds: number): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${payload}`).digest('hex')}`;
}
