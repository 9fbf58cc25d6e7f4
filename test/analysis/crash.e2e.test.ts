import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import Stripe from 'stripe';
import type { AnalysisEvent } from '../../src/analysis/events.js';
import { elapsed } from '../../src/clock.js';
import { as } from '../../src/eventsourcing/event.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { startSandbox } from '../../src/sandbox/sandbox.js';
import { allEvents } from '../crash/facts.js';
import { kill, ready, spawnProduct } from '../process/product.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace, freshSql } from '../support/database.js';
import { until } from '../support/until.js';

/** Takes seconds, so that a kill falls into the middle of it. */
const LARGE = Array.from({ length: 500_000 }, (_, n) => `no ${n}, hurt`).join('\n\n');
const API_KEY = 'sk_test_sandbox';
const ROUNDS = 2;

let database: Awaited<ReturnType<typeof freshSql>>;
let sandbox: Sandbox;
let stripe: Stripe;
let place: Place;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  database = await freshSql();
  sandbox = await startSandbox({ sql: database.sql, apiKey: API_KEY });
  stripe = new Stripe(sandbox.apiKey, { ...sandbox.client });
  place = await freshPlace({ ready: true });
  env = {
    PROFILE: 'scanner',
    STRIPE_SECRET_KEY: API_KEY,
    STRIPE_API_BASE: sandbox.address,
    STRIPE_WEBHOOK_SECRET: `whsec_${'s'.repeat(32)}`,
  };
});
afterAll(async () => {
  await sandbox.close();
  await database.remove();
  await place.remove();
});

/** The analyses of a store, each by the types of its events, and by its intent. */
async function analyses({ app }: TestApp): Promise<Map<string, { intent: string | null; types: string[] }>> {
  const found = new Map<string, { intent: string | null; types: string[] }>();
  for (const stored of await allEvents(app.parts.store)) {
    if (!stored.stream.startsWith('analysis-')) continue;
    const event = as<AnalysisEvent>(stored);
    const known = found.get(stored.stream) ?? { intent: null, types: [] };
    if (event.type === 'AnalysisRequested') known.intent = event.data.intent;
    found.set(stored.stream, { ...known, types: [...known.types, event.type] });
  }
  return found;
}

const metricsOf = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();

it('a paid analysis that a kill has cut off is done after the restart', async () => {
  const intents: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const product = spawnProduct(place, process.cwd(), { ...env, BILLING: 'stripe' });
    const url = await ready(product);
    const created = await fetch(`${url}/create-payment-intent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const { payment_intent_id: intent = '' } = (await created.json()) as Record<string, string>;
    await stripe.paymentIntents.confirm(intent, {
      payment_method: 'pm_card_visa',
      return_url: 'https://shop.example/',
    });
    intents.push(intent);
    const form = new FormData();
    form.append('payment_intent_id', intent);
    form.append('file', new Blob([LARGE]), 'chat.txt');
    const answer = fetch(`${url}/analyze`, { method: 'POST', body: form }).then(
      async (response) => (await response.text()) && response.status,
      () => undefined,
    );
    await until(async () =>
      /^tollgraph_batch_events_sum\{.*name="analyses".*\} [1-9]/m.test(await metricsOf(url)),
    );
    await delay(randomInt(2_000));
    await kill(product);
    await answer;
  }

  // Of several processes the one that received a file may be at it still: others wait for three minutes.
  const time = { clock: () => Date.now() + 4 * 60_000, elapsed };
  const t = await startApp({ place, env, time });
  try {
    const { commands } = t.app.parts;
    // Each that was begun is done or given back, and its events say which.
    for (;;) {
      const moved = new Promise<void>((resolve) => {
        commands.onAppended((events) => {
          if (events.some(({ stream }) => stream.startsWith('analysis-'))) resolve();
        });
      });
      const open = [...(await analyses(t)).values()].filter(
        ({ types }) => !types.includes('AnalysisCompleted') && !types.includes('AnalysisRefunded'),
      );
      if (open.length === 0) break;
      await moved;
    }
    const all = [...(await analyses(t)).values()];
    for (const intent of intents) {
      const own = all.filter((analysis) => analysis.intent === intent);
      // A kill before it began has left the payment for the same file.
      expect(own.length).toBeLessThanOrEqual(1);
      for (const { types } of own) {
        expect(types).toEqual(['AnalysisRequested', 'AnalysisFileReceived', 'AnalysisCompleted']);
      }
    }
    expect(all.length).toBeGreaterThan(0);
    // Whoever has paid gets the result with the same file, however it went.
    const form = new FormData();
    form.append('payment_intent_id', intents[0] ?? '');
    form.append('file', new Blob([LARGE]), 'chat.txt');
    const again = await fetch(`${t.app.url}/analyze`, { method: 'POST', body: form });
    expect(again.status).toBe(200);
    expect(await again.text()).toContain('"total_events":500000');
  } finally {
    await t.close();
  }
});
