import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { startSandbox } from '../../src/sandbox/sandbox.js';
import { moneyText } from '../../src/money/money.js';
import { subscriptionStream } from '../../src/plans/events.js';
import { allEvents } from '../crash/facts.js';
import type { InvoiceEvent } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { TestApp, TestAppOptions } from '../support/app.js';
import { startApp } from '../support/app.js';
import { freshSql } from '../support/database.js';

/** Signs Stripe's webhooks. */
export const SECRET = `whsec_${'s'.repeat(32)}`;
const API_KEY = 'sk_test_sandbox';

export interface Shop {
  readonly test: TestApp;
  readonly sandbox: Sandbox;
  /** Until everything that Stripe has sent was acted on, and is shown. */
  settled(): Promise<void>;
  /** Where webhooks go, if not straight to the product. */
  deliverTo(url: string): void;
  /** Has the product work at each moment of time that is moved, as the process does that hosts its own sandbox. */
  workAtMoments(): void;
  /** Moves Stripe's clock, and waits until what follows is shown. */
  advance(to: string): Promise<void>;
  /** Pays on the page of a checkout, as a person does. */
  pay(url: string, card?: string): Promise<Response>;
  /** What happened on the subscription of an account, by type. */
  happened(accountId: string): Promise<string[]>;
  /** The account's invoices, oldest first: each line with its amount, then the total. */
  invoices(accountId: string): Promise<string[][]>;
  close(): Promise<void>;
}

export interface ShopOptions extends TestAppOptions {
  /** The address at which Stripe's events are taken. */
  readonly webhookPath?: string;
}

/** The product, and a stand-in for Stripe that sends its webhooks to it. */
export async function openShop(
  from = '2027-01-17T12:00:00Z',
  { webhookPath = '/webhooks/stripe', ...options }: ShopOptions = {},
): Promise<Shop> {
  const database = await freshSql();
  // Its time stands still, and goes on when it is moved: amounts of prorations are the same each time.
  const began = Date.now();
  let atMoment = (): Promise<void> => Promise.resolve();
  const sandbox = await startSandbox({
    sql: database.sql,
    apiKey: API_KEY,
    clock: () => began,
    atMoment: () => atMoment(),
  });
  // A busy machine may have come to the time of now before the stand-in was there.
  if (Date.parse(from) > began) await sandbox.advance(from);
  const test = await startApp({
    ...options,
    billingClock: () => sandbox.now(),
    env: {
      STRIPE_SECRET_KEY: API_KEY,
      STRIPE_API_BASE: sandbox.address,
      STRIPE_WEBHOOK_SECRET: SECRET,
      ...options.env,
    },
  });
  const deliverTo = (url: string): void => sandbox.deliverTo({ url, secret: SECRET });
  deliverTo(`${test.app.url}${webhookPath}`);
  const { commands, store, policies, billing, overage } = test.app.parts;

  const settled = async (): Promise<void> => {
    await sandbox.deliveries.idle();
    for (let before = -1; before < (await store.head());) {
      before = await store.head();
      expect(await policies.reached(before, 60_000)).toBe(true);
      await test.caughtUp();
      await billing?.work();
      await overage?.work();
      await sandbox.deliveries.idle();
    }
  };

  return {
    test,
    sandbox,
    settled,
    deliverTo,
    workAtMoments: () => {
      atMoment = async () => {
        await test.caughtUp();
        await billing?.work();
        await test.caughtUp();
        await overage?.work();
      };
    },
    advance: async (to) => {
      await sandbox.advance(to);
      await settled();
    },
    pay: (url, number = '4242 4242 4242 4242') =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          number,
          expiry: '12/44',
          cvc: '123',
          email: 'ann@example.com',
          name: 'Ann',
        }),
        redirect: 'manual',
      }),
    happened: async (accountId) =>
      (await commands.load(subscriptionStream(accountId))).map(({ type }) => type),
    invoices: async (accountId) => {
      const issued = (await allEvents(store)).flatMap((stored) => {
        const event = as<InvoiceEvent>(stored);
        return event.type === 'InvoiceFinalised' && event.data.accountId === accountId ? [event.data] : [];
      });
      return issued.map(({ lines, total, due, currency }) => [
        ...lines.map(({ description, amount }) => `${description}: ${moneyText({ amount, currency })}`),
        `total ${moneyText({ amount: total, currency })}`,
        ...(due === total ? [] : [`due ${moneyText({ amount: due, currency })}`]),
      ]);
    },
    close: async () => {
      await test.close();
      await sandbox.close();
      await database.remove();
    },
  };
}
