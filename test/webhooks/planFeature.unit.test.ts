import type { PolicyServices } from '../../src/capability.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { publicEvents } from '../../src/keys/publicEvents.js';
import type { Asked } from '../../src/outgoing/outbox.js';
import { webhooks } from '../../src/webhooks/index.js';

const EVENT = {
  position: 7,
  id: 'event',
  stream: 'key-k',
  streamId: 'k',
  revision: 0,
  type: 'KeyRevoked',
  data: { accountId: 'account', by: 'user:u' },
  metadata: { at: '2026-11-29T12:00:00Z' },
} as unknown as StoredEvent;

/** Where an event is sent to, where an account with this plan has an endpoint, and the operators have one. */
async function toldAt(plan: string | undefined, sold: boolean): Promise<string[]> {
  const asked: Asked[] = [];
  const services = {
    publicEvents,
    outbox: { ask: (more: readonly Asked[]) => Promise.resolve(void asked.push(...more)) },
    webhookSequences: { of: () => Promise.resolve(1) },
    queries: {
      webhooks: {
        listening: () =>
          Promise.resolve([
            { id: 'own', all_accounts: false },
            { id: 'operators', all_accounts: true },
          ]),
      },
      accounts: { planOf: () => Promise.resolve(plan) },
    },
    profile: {
      ...(sold && { webhooks: { feature: 'hooks' } }),
      defaultPlan: 'free',
      plans: [
        { id: 'free', features: [] },
        { id: 'pro', features: ['hooks'] },
      ],
    },
    asOf: (_model: string, ask: (id: string) => Promise<string[]>) => ask,
    clock: () => 0,
  } as unknown as PolicyServices;
  const [policy] = webhooks.policies?.(services) ?? [];
  await policy?.react(EVENT);
  return asked.map(({ lane }) => lane);
}

describe('webhooks as a feature of plans', () => {
  it('are sent to an account whose plan has it', async () => {
    expect(await toldAt('pro', true)).toEqual(['own', 'operators']);
  });

  it('are not sent to an account whose plan has it not, or has it no more; operators are told all the same', async () => {
    expect(await toldAt('free', true)).toEqual(['operators']);
    // Without a plan of its own it has the default one.
    expect(await toldAt(undefined, true)).toEqual(['operators']);
  });

  it('are sent to every account where the profile sells them not', async () => {
    expect(await toldAt('free', false)).toEqual(['own', 'operators']);
  });
});
