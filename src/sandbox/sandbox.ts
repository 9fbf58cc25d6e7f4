/**
 * Stripe, as far as this product needs it, on loopback: the real `stripe` SDK talks to it.
 *
 *     const sandbox = await startSandbox({ sql, clock: Date.now });
 *     const stripe = new Stripe(sandbox.apiKey, sandbox.client);
 *     sandbox.deliverTo({ url: `${app.url}/webhooks/stripe`, secret: 'whsec_…' });
 *     await sandbox.advance('31d');        // a duration, a date, or seconds since the epoch
 *     await sandbox.deliveries.idle();     // until every event was sent
 *     sandbox.faults.declineCharges();     // the next charge fails
 *     await sandbox.close();
 *
 * A person pays on the page that a Checkout Session's `url` names; so can a test, by posting its form.
 */
import Fastify from 'fastify';
import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { Logger } from '../logger.js';
import { silentLogger } from '../logger.js';
import type { Sql } from '../sql/sql.js';
import { Engine } from './engine.js';
import { ApiError } from './errors.js';
import { Faults } from './faults.js';
import { serveApi, unrecognized } from './http/api.js';
import { servePages } from './pages/pages.js';
import { decideFor, disputePayment, inquire } from './resources/disputes.js';
import { ROUTES } from './routes.js';
import type { Seconds } from './rules/time.js';
import { SandboxStore } from './store.js';
import { TimeMachine } from './timeMachine.js';
import type { Settings, World } from './unit.js';
import { randomText } from './unit.js';
import type { WebhookTarget } from './webhooks.js';
import { address, Deliveries } from './webhooks.js';

export interface SandboxOptions {
  /** Its state is in the schema `sandbox`. */
  readonly sql: Sql;
  /** Real time in milliseconds; the sandbox's own time runs ahead of it once it was advanced. */
  readonly clock?: Clock;
  /** Where events go; `later`: they wait until `deliverTo` says it. */
  readonly webhook?: WebhookTarget | 'later';
  /** What people's browsers call, e.g. `https://api.example.com`; its own address where it is left out. */
  readonly publicUrl?: () => string;
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port?: number;
  readonly apiKey?: string;
  readonly settings?: Partial<Settings>;
  readonly log?: Logger;
  /** What the product has to do at each moment while time is moved. */
  readonly atMoment?: () => Promise<void>;
  /** Waits between tries of a delivery, in milliseconds. */
  readonly retryMs?: readonly number[];
}

export interface Sandbox {
  /** E.g. `http://127.0.0.1:41234`. */
  readonly address: string;
  readonly apiKey: string;
  /** Options for `new Stripe(apiKey, …)`. */
  readonly client: {
    readonly host: string;
    readonly port: number;
    readonly protocol: 'http';
    readonly telemetry: false;
  };
  readonly faults: Faults;
  readonly deliveries: Deliveries;
  /** The sandbox's time, in milliseconds: whole seconds, as its objects have them. */
  now(): number;
  /** The same to the millisecond. */
  time(): number;
  /** Moves its time on and does all that falls due on the way; ends when its events were sent. */
  advance(to: string | Seconds): Promise<Date>;
  deliverTo(target: WebhookTarget): void;
  /**
   * The customer of a payment goes to the bank. With `inquiry` the bank only asks; with an outcome it decides.
   * @throws ApiError
   */
  dispute(paymentIntent: string, what?: 'inquiry' | 'won' | 'lost'): Promise<void>;
  /** Everything that was sent, the newest first. */
  listDeliveries(limit?: number): DeliveryShown[];
  close(): Promise<void>;
}

export interface DeliveryShown {
  readonly id: string;
  readonly event: string;
  readonly type: string;
  readonly url: string;
  readonly delivered: boolean;
  readonly attempts: readonly { at: number; status: number | null; problem: string | null }[];
}

const SETTINGS: Settings = { retryDays: [3, 5, 7], afterRetries: 'canceled', upcomingDays: 3 };
const BODY_LIMIT = 1024 * 1024;

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { sql, clock = systemClock, host = '127.0.0.1', port = 0, log = silentLogger } = options;
  const store = await SandboxStore.open(sql);
  const faults = new Faults();
  let address_ = '';
  const world: World = {
    pagesUrl: () => `${options.publicUrl?.() ?? address_}/sandbox`,
    faults,
    settings: { ...SETTINGS, ...options.settings },
  };
  const engine = new Engine(store, clock, world, (unit) => address(unit, deliveries.expected, clock()));
  const deliveries = new Deliveries(engine, store, faults, clock, options.retryMs);
  if (options.webhook !== undefined) deliveries.expect(options.webhook);
  engine.onCommit(() => deliveries.wake());
  const time = new TimeMachine(engine, deliveries, options.atMoment);

  const apiKey = options.apiKey ?? `sk_test_sbx_${randomText(24)}`;
  const fastify = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  fastify.setNotFoundHandler(async ({ method, url }, reply) =>
    reply.status(404).send(unrecognized(method, url).envelope),
  );
  fastify.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const { envelope } = new ApiError(status, {
      type: status < 500 ? 'invalid_request_error' : 'api_error',
      message: status < 500 ? error.message : 'The sandbox has failed.',
    });
    if (status >= 500) log.error('the sandbox has failed', error);
    return reply.status(status).send(envelope);
  });
  serveApi(fastify, { engine, routes: ROUTES, apiKey, faults });
  servePages(fastify, engine);
  address_ = await fastify.listen({ host, port });
  time.start();
  deliveries.wake();

  const { hostname, port: actual } = new URL(address_);
  return {
    address: address_,
    apiKey,
    client: { host: hostname, port: Number(actual), protocol: 'http', telemetry: false },
    faults,
    deliveries,
    now: () => engine.now() * 1000,
    time: () => engine.time(),
    advance: (to) => time.advance(to),
    deliverTo: (target) => deliveries.expect(target),
    dispute: async (payment, what) => {
      await engine.run((unit) => {
        if (what === undefined) disputePayment(unit, payment);
        else if (what === 'inquiry') inquire(unit, payment);
        else decideFor(unit, payment, what);
      });
      await deliveries.idle();
    },
    listDeliveries: (limit = 100) => listDeliveries(store, limit),
    close: async () => {
      await time.close();
      await deliveries.close();
      await fastify.close();
    },
  };
}

function listDeliveries(store: SandboxStore, limit: number): DeliveryShown[] {
  return [...store.table('delivery').values()]
    .reverse()
    .slice(0, limit)
    .map((object) => {
      const { id, event, url, delivered, attempts } = object as unknown as DeliveryShown;
      const { type = '' } = (store.table('event').get(event) ?? {}) as { type?: string };
      return { id, event, type, url, delivered, attempts };
    });
}
