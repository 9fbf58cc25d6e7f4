import Stripe from 'stripe';
import { readFileSync } from 'node:fs';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { startSandbox } from '../../src/sandbox/sandbox.js';
import { DEFINITIONS, UNPUBLISHED } from '../../src/sandbox/http/parameters.js';
import { ROUTES } from '../../src/sandbox/routes.js';
import { freshSql } from '../support/database.js';

let database: Awaited<ReturnType<typeof freshSql>>;
beforeAll(async () => {
  database = await freshSql();
});
afterAll(() => database.remove());

const KEY = 'sk_test_sbx';
const open = async (): Promise<{ sandbox: Sandbox; stripe: Stripe }> => {
  const sandbox = await startSandbox({ sql: database.sql, apiKey: KEY, webhook: 'later' });
  return { sandbox, stripe: new Stripe(KEY, { ...sandbox.client, maxNetworkRetries: 0 }) };
};

it('keeps its state, its answers, its time and what is not sent yet over a restart', async () => {
  const first = await open();
  const key = { idempotencyKey: 'kept' };
  const { id } = await first.stripe.customers.create({ name: 'Ann' }, key);
  const moved = await first.sandbox.advance('31d');
  await first.sandbox.close();

  const second = await open();
  expect((await second.stripe.customers.retrieve(id)) as Stripe.Customer).toMatchObject({ name: 'Ann' });
  expect(second.sandbox.now()).toBeGreaterThanOrEqual(moved.getTime());
  expect(second.sandbox.listDeliveries().map(({ type, delivered }) => [type, delivered])).toEqual([
    ['customer.created', false],
  ]);
  // After 24 hours of its time a key is forgotten.
  expect((await second.stripe.customers.create({ name: 'Ann' }, key)).id).not.toBe(id);
  await second.sandbox.close();
});

it('repeats an answer over a restart', async () => {
  const first = await open();
  const key = { idempotencyKey: 'again' };
  const { id } = await first.stripe.customers.create({ name: 'Bob' }, key);
  await first.sandbox.close();
  const second = await open();
  expect((await second.stripe.customers.create({ name: 'Bob' }, key)).id).toBe(id);
  await second.sandbox.close();
});

it('is hosted by the process that started last; the other one stores nothing', async () => {
  const old = await open();
  const current = await open();
  await expect(old.stripe.customers.create({ name: 'Stale' })).rejects.toMatchObject({ statusCode: 500 });
  expect((await old.stripe.customers.list({ limit: 100 })).data.map(({ name }) => name)).not.toContain(
    'Stale',
  );
  await current.stripe.customers.create({ name: 'Current' });
  await old.sandbox.close();
  await current.sandbox.close();
  const [row] = await database.sql.query<{ stale: number }>(
    `SELECT count(*)::int AS stale FROM sandbox.objects WHERE body LIKE '%Stale%'`,
  );
  expect(row?.stale).toBe(0);
});

it('checks parameters by the types of the SDK that is installed', () => {
  const { version } = JSON.parse(readFileSync('node_modules/stripe/package.json', 'utf8')) as {
    version: string;
  };
  // Otherwise run scripts/stripeParameters.mjs again.
  expect(DEFINITIONS.stripe).toBe(version);
  const known = { ...DEFINITIONS.routes, ...UNPUBLISHED };
  expect(Object.keys(ROUTES).filter((route) => !(route in known))).toEqual([]);
});
