// `npm run stripe:fixtures`: the Stripe CLI triggers events with Stripe's own fixtures, against the sandbox of a
// product that is started for it. Fails where a fixture does not run through, or the product makes something else of
// the event than is said here. Needs the network once, to fetch the CLI (11 MB); nothing is sent to Stripe.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, root } from './lib.mjs';

await ensureInstalled({ development: false });
await ensureBuilt();
const { askProcess } = await import('../dist/src/cli/client.js');
const { table } = await import('../dist/src/cli/table.js');
const { parseConfig } = await import('../dist/src/config.js');
const { givenId } = await import('../dist/src/graphql/kit/ids.js');
const { silentLogger } = await import('../dist/src/logger.js');
const { start } = await import('../dist/src/main.js');

/** A price of the profile that the product is started with. */
const PRICE = 'starter-month-usd';
const PROFILE = 'glyph';

/** Of customers that are nobody's: what the product says that it has done about each. */
const NOBODYS = {
  'checkout.session.completed': 'none',
  'checkout.session.expired': 'none',
  'checkout.session.async_payment_succeeded': 'none',
  'checkout.session.async_payment_failed': 'none',
  'customer.subscription.created': 'unknown_customer',
  'customer.subscription.trial_will_end': 'unknown_customer',
  'customer.subscription.updated': 'unknown_customer',
  'customer.subscription.paused': 'unknown_customer',
  'customer.subscription.deleted': 'unknown_customer',
  'invoice.created': 'unknown_customer',
  'invoice.finalized': 'unknown_customer',
  'invoice.updated': 'unknown_customer',
  'invoice.paid': 'unknown_customer',
  'invoice.payment_succeeded': 'unknown_customer',
  'invoice.payment_failed': 'unknown_customer',
  'invoice.payment_action_required': 'unknown_customer',
  'invoice.voided': 'unknown_customer',
  'invoice.marked_uncollectible': 'unknown_customer',
  'payment_method.attached': 'unknown_customer',
  'payment_method.detached': 'unknown_customer',
  'payment_intent.succeeded': 'none',
  'payment_intent.payment_failed': 'none',
  'charge.succeeded': 'none',
  'charge.failed': 'none',
  'charge.refunded': 'none',
  'charge.refund.updated': 'none',
  // A dispute names no customer: operators see those of payments that were made elsewhere, too.
  'charge.dispute.created': 'applied',
  'charge.dispute.updated': 'applied',
  'charge.dispute.closed': 'applied',
};

/**
 * Of an account's own customer: what is recorded. `card`: there is one on file. The invoices are of items that no
 * event of ours explains.
 */
const OURS = {
  'customer.subscription.created': { card: true, records: ['SubscriptionStarted'] },
  'customer.subscription.updated': { card: true, records: ['SubscriptionStarted'] },
  'customer.subscription.deleted': { card: true, records: ['SubscriptionStarted', 'PaidSubscriptionEnded'] },
  'customer.subscription.trial_will_end': { records: ['TrialStarted', 'TrialEnding'] },
  'customer.subscription.paused': { records: ['TrialStarted', 'AccessSuspended'] },
  'invoice.paid': { records: ['InvoiceFinalised', 'InvoiceDiffers', 'InvoicePaid'] },
  'invoice.payment_succeeded': { records: ['InvoiceFinalised', 'InvoiceDiffers', 'InvoicePaid'] },
  'invoice.payment_failed': { records: ['InvoiceFinalised', 'InvoiceDiffers', 'PaymentFailed'] },
  'invoice.voided': { records: ['InvoiceFinalised', 'InvoiceDiffers', 'InvoiceVoided'] },
  'invoice.marked_uncollectible': { records: ['InvoiceFinalised', 'InvoiceDiffers', 'InvoiceWrittenOff'] },
};

/** What the CLI can trigger of the same lives, and the sandbox has not. */
const WITHOUT = {
  'invoice.sent': 'invoices of the sandbox are charged automatically',
  'subscription_schedule.*': 'schedules of the sandbox are made of subscriptions that there are',
  'account.updated, transfer.*, payout.*': 'nobody is paid out: there is no Connect',
};

const dataDir = await mkdtemp(join(tmpdir(), 'tollgraph-fixtures-'));
const config = parseConfig({
  DATA_DIR: dataDir,
  PORT: '0',
  PROFILE,
  BILLING: 'sandbox',
  EMBEDDINGS: 'off',
  TRUST_PROXY: '1',
  DAILY_REPORT: 'off',
});
const app = await start({ config, root, log: silentLogger, patterns: null });
const { commands, store, projector, policies, billing } = app.parts;
const ask = (command, args = {}) => askProcess(dataDir, { command, args }, () => undefined);
const { base, key } = await ask('sandbox api');

/** Runs the CLI. @returns what it has said where it has failed */
function trigger(event, flags) {
  const args = ['trigger', event, '--api-base', base, '--api-key', key, '--color', 'off', ...flags];
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: dataDir,
    STRIPE_CLI_TELEMETRY_OPTOUT: '1',
    // It looks for a newer version of itself each time: it shall find nobody.
    HTTPS_PROXY: 'http://127.0.0.1:9',
  };
  return new Promise((resolve) => {
    const child = spawn('stripe', args, { env, shell: process.platform === 'win32', stdio: 'pipe' });
    let output = '';
    child.stdin.end();
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('error', ({ message }) => resolve(`the Stripe CLI does not run: ${message}`));
    child.on('close', (code) =>
      resolve(code === 0 ? undefined : output.trim().split('\n').slice(-6).join(' ')),
    );
  });
}

/** Until everything that was sent is acted on. */
async function settled() {
  const sent = () => ask('sandbox advance', { to: '0s' });
  await sent();
  for (let before = -1; before < (await store.head());) {
    before = await store.head();
    await policies.reached(before, 60_000);
    await projector.allReached(before, 60_000);
    await billing.work();
    await sent();
  }
}

const seen = new Set();
/** What has come of one type since the last look. @returns the streams of the events, each with what is in it */
async function received(type) {
  const sent = (await ask('sandbox deliveries', { limit: 1000 })).filter(({ id }) => !seen.has(id));
  for (const { id } of sent) seen.add(id);
  const missed = sent.find(({ delivered }) => !delivered);
  if (missed)
    throw new Error(`${missed.type} was not taken: ${missed.attempts.at(-1)?.problem ?? 'not sent'}`);
  const events = sent.filter((one) => one.type === type).map(({ event }) => event);
  if (events.length === 0) throw new Error(`no ${type} has come`);
  return Promise.all(events.map((event) => commands.load(`stripe_event-${event}`)));
}

let users = 0;
async function graphql(query, variables, token) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': `10.0.0.${users}`,
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function stripe(path, form) {
  const response = await fetch(`${base}${path}`, {
    method: form ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${key}` },
    ...(form && { body: new URLSearchParams(form) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** A new account that has been on its way to a checkout, so that it is a customer. */
async function newAccount({ card = false }) {
  const input = { email: `ann${++users}@example.com`, password: 'correct horse' };
  const { registerUser } = await graphql(
    `
      mutation ($input: RegisterUserInput!) {
        registerUser(input: $input) {
          ... on RegisterUserPayload {
            account {
              id
            }
            session {
              sessionToken
            }
          }
        }
      }
    `,
    { input },
  );
  const accountId = givenId('Account', registerUser.account.id);
  await graphql(
    'mutation ($id: ID!) { startCheckout(input: { priceId: $id }) { __typename } }',
    { id: PRICE },
    registerUser.session.sessionToken,
  );
  const history = await commands.load(`subscription-${accountId}`);
  const { customer } = history.find(({ type }) => type === 'CustomerCreated').data;
  const { data } = await stripe('/v1/prices?active=true&limit=100');
  const price = data.find(({ recurring }) => recurring !== null).id;
  if (card) {
    const { id } = await stripe('/v1/payment_methods/pm_card_visa/attach', { customer });
    await stripe(`/v1/customers/${customer}`, { 'invoice_settings[default_payment_method]': id });
  }
  return { accountId, customer, price, before: history.length };
}

/** Has a fixture take a customer and a price that there are. */
const flagsFor = ({ customer, price }) => [
  ...['customer', 'product', 'price'].flatMap((step) => ['--skip', step]),
  ...['subscription', 'payment_method', 'invoiceitem', 'invoice'].flatMap((step) => [
    '--override',
    `${step}:customer=${customer}`,
  ]),
  ...['--remove', 'subscription:items', '--add', `subscription:items[0][price]=${price}`],
];

/** What is recorded of what an event is about. */
async function recorded([{ data }], { accountId, before }) {
  const { type, id } = data.object;
  const history =
    type === 'subscription'
      ? (await commands.load(`subscription-${accountId}`)).slice(before)
      : await commands.load(`${type}-${id}`);
  // The page that nobody has paid on is closed meanwhile.
  return history.map(({ type: one }) => one).filter((one) => one !== 'CheckoutEnded');
}

const rows = [];
let failures = 0;
async function attempt(event, whose, expected, work) {
  let outcome;
  try {
    outcome = await work();
  } catch (error) {
    outcome = error.message;
  }
  const right = outcome === expected;
  if (!right) failures++;
  rows.push([event, whose, right ? outcome : `${outcome} (not: ${expected})`, right ? 'yes' : 'NO']);
}

try {
  for (const [event, expected] of Object.entries(NOBODYS)) {
    await attempt(event, 'nobody', expected, async () => {
      const problem = await trigger(event, []);
      await settled();
      if (problem !== undefined) throw new Error(problem);
      const effects = (await received(event)).map((history) => history.at(-1).data.effect);
      return [...new Set(effects)].join(', ');
    });
  }
  for (const [event, { records, ...options }] of Object.entries(OURS)) {
    await attempt(event, 'an account', records.join(', '), async () => {
      const account = await newAccount(options);
      const problem = await trigger(event, flagsFor(account));
      await settled();
      if (problem !== undefined) throw new Error(problem);
      const [first] = await received(event);
      return (await recorded(first, account)).join(', ');
    });
  }
} finally {
  await app.close();
  await rm(dataDir, { recursive: true, force: true });
}
console.log(table(['event', 'whose', 'outcome', 'right'], rows));
console.log('\nThe CLI can trigger, and the sandbox has not:');
for (const [event, reason] of Object.entries(WITHOUT)) console.log(`  ${event}: ${reason}`);
console.log(
  failures === 0 ? `\nAll ${rows.length} are right.` : `\n${failures} of ${rows.length} are wrong.`,
);
process.exit(failures === 0 ? 0 : 1);
