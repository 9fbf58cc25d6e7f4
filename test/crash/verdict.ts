import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { derivedId } from '../../src/eventsourcing/ids.js';
import type { App } from '../../src/main.js';
import { READ_MODELS } from '../../src/capabilities.js';
import type { Place } from '../support/database.js';
import { openSql } from '../support/database.js';
import type { Journalled } from './facts.js';
import { allEvents } from './facts.js';
import type { Traffic } from './traffic.js';

/** Waits for the policy that follows registrations, on the store's own signal. */
export async function accountsOpened({ parts: { store } }: App): Promise<void> {
  for (;;) {
    const woken = new Promise<void>((resolve) => {
      const off = store.onWake(() => {
        off();
        resolve();
      });
    });
    const types = (await allEvents(store)).map(({ type }) => type);
    const count = (wanted: string): number => types.filter((type) => type === wanted).length;
    if (count('UserRegistered') >= count('EmailRegistered')) return;
    await woken;
  }
}

/** Law 1: an answered call has one record that counts, a refused one none, one without an answer either. */
export function expectBilledOnce(traffic: Traffic, journalled: Journalled): void {
  const wrong = traffic.calls.flatMap(({ operation, outcome }) => {
    const uses = journalled.byOperation.get(operation) ?? 0;
    const right =
      outcome === 'acknowledged' ? uses === 1 : outcome === 'refused' ? uses === 0 : uses === 0 || uses === 1;
    return right ? [] : [{ operation, outcome, uses }];
  });
  expect(wrong).toEqual([]);
  const sent = new Set(traffic.calls.map(({ operation }) => operation));
  expect([...journalled.byOperation.keys()].filter((operation) => !sent.has(operation))).toEqual([]);
}

/** Laws 4 and 10: every acknowledged command is stored, and every command once. */
export function expectStoredOnce(traffic: Traffic, events: readonly StoredEvent[]): void {
  const byCommand = new Map<string, number>();
  for (const { stream, metadata } of events) {
    if (metadata.commandId === undefined) continue;
    const id = `${stream} ${metadata.commandId}`;
    byCommand.set(id, (byCommand.get(id) ?? 0) + 1);
  }
  expect([...byCommand].filter(([, count]) => count > 1)).toEqual([]);

  const stored = (type: string, id: string | undefined): number =>
    of(events, type).filter(({ streamId }) => streamId === id).length;
  for (const { outcome, userId, accountId } of traffic.registrations) {
    if (outcome !== 'acknowledged') continue;
    expect([stored('UserRegistered', userId), stored('AccountOpened', accountId)]).toEqual([1, 1]);
  }
  for (const { outcome, id, owner, commandId, revocation } of traffic.keys) {
    const keyId = derivedId('key', `user:${owner.userId}`, commandId);
    expect(outcome).toBe('acknowledged');
    expect(id).toBe(keyId);
    expect([stored('KeyIssued', keyId), stored('KeyRevoked', keyId)]).toEqual([1, revocation ? 1 : 0]);
  }
  const issued = of(events, 'KeyIssued').filter((event) => !isDemo(event));
  expect(issued.length).toBe(traffic.keys.length);
}

/** Each e-mail was registered in the end, by the first command or by another one, with user and account. */
export function expectRegistrationsWhole(traffic: Traffic, events: readonly StoredEvent[]): void {
  const pairs = of(events, 'EmailRegistered').map(
    ({ data }) => data as { readonly userId: string; readonly accountId: string },
  );
  const ids = (type: string): string[] =>
    of(events, type)
      .map(({ streamId }) => streamId)
      .sort();
  expect(ids('UserRegistered')).toEqual(pairs.map(({ userId }) => userId).sort());
  expect(ids('AccountOpened')).toEqual(pairs.map(({ accountId }) => accountId).sort());
  // And the demo's, which one process for everything makes.
  const demo = of(events, 'KeyIssued').some(isDemo) ? 1 : 0;
  expect(pairs.length).toBe(traffic.registrations.length + demo);
}

/** Laws 5 and 10: every read model is what a full replay gives, and the ledger is the journal's sums. Closes the app. */
export async function expectReadModelsWhole(
  app: App,
  place: Place,
  events: readonly StoredEvent[],
  journalled: Journalled,
): Promise<void> {
  // The server that is asked still runs its workers, so a few events may follow those of the verdict.
  let before = events;
  for (const { name, handles } of READ_MODELS) {
    const handled = (all: readonly StoredEvent[]): number => of(all, ...handles).length;
    const { differing, events: replayed } = await app.parts.projector.rebuild(name);
    expect({ name, differing }).toEqual({ name, differing: [] });
    const after = await allEvents(app.parts.store);
    expect(replayed).toBeGreaterThanOrEqual(handled(before));
    expect(replayed).toBeLessThanOrEqual(handled(after));
    before = after;
  }
  const { t } = app.parts.projector.access('usage');
  await app.close();
  const sql = await openSql(place);
  try {
    const counters = await sql.query<{ subject: string; meter: string; period: string; amount: number }>(
      `SELECT subject, meter, period, amount::float8 AS amount FROM ${t('counters')} WHERE subject NOT LIKE 'key:%'`,
    );
    const amounts = counters.map(
      ({ subject, meter, period, amount }) => [compositeKey(subject, meter, period), amount] as const,
    );
    expect(new Map(amounts)).toEqual(journalled.amounts);
    const [hours] = await sql.query(
      `SELECT sum(uses)::bigint AS uses, sum(amount) FILTER (WHERE meter = 'requests')::bigint AS requests,
              sum(duration_us)::bigint AS "durationUs" FROM ${t('quarters')}`,
    );
    expect(hours).toEqual(journalled.totals);
  } finally {
    await sql.close();
  }
}

const isDemo = ({ data }: StoredEvent): boolean => (data as { readonly name: string }).name === 'Demo key';

export const of = (events: readonly StoredEvent[], ...types: readonly string[]): StoredEvent[] =>
  events.filter(({ type }) => types.includes(type));
