import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig } from '../../src/config.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { derivedId } from '../../src/eventsourcing/ids.js';
import { silentLogger } from '../../src/logger.js';
import type { App } from '../../src/main.js';
import { READ_MODELS } from '../../src/composition/projections.js';
import { start } from '../../src/main.js';
import type { Product } from '../process/product.js';
import { kill, ready, spawnProduct } from '../process/product.js';
import type { Root } from '../process/root.js';
import { makeRoot } from '../process/root.js';
import type { Place } from '../support/database.js';
import { freshPlace, openSql } from '../support/database.js';
import type { Journalled } from './facts.js';
import { allEvents, foldJournal } from './facts.js';
import type { IssuedKey } from './traffic.js';
import { randomFrom, Traffic } from './traffic.js';

/** `CRASH_ROUNDS=200 npm test -- crash` tries for longer; CRASH_SEED repeats the random choices. */
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 10);
const SEED = Number(process.env['CRASH_SEED'] ?? randomInt(2 ** 31));
const LOAD_MS_MAX = 1_500;

/**
 * Laws 1, 4, 5 and 10. The server is killed again and again, under load and while it starts, on the
 * same data; everything that it ever acknowledged is then held against what is stored.
 */
describe(`a server that is killed (CRASH_SEED=${SEED})`, () => {
  const random = randomFrom(SEED);
  let place: Place;
  let root: Root;
  let traffic: Traffic;
  let app: App;
  let server: Product | undefined;
  let events: StoredEvent[];
  let journalled: Journalled;

  beforeAll(
    async () => {
      process.stderr.write(`CRASH_SEED=${SEED}\n`);
      place = await freshPlace();
      root = await makeRoot({ patterns: 6, amount: 1_000_000 });
      traffic = new Traffic(String(SEED), random, root.slugs);
      let startMs = 1_500;
      for (let round = 0; round < ROUNDS; round++) {
        // Every start has a catalogue to load, beside what the last crash left to catch up with.
        await root.revise(round);
        if (random() < 0.5) {
          const early = spawnProduct(place, root.path);
          await Promise.race([delay(random() * startMs), early.url]);
          await kill(early);
        }
        const began = performance.now();
        server = spawnProduct(place, root.path);
        const url = await ready(server);
        startMs = performance.now() - began;
        await meetAgain(url);
        const running = traffic.run(url);
        await delay(random() * LOAD_MS_MAX);
        await kill(server);
        traffic.stop();
        await running;
      }

      app = await start({ config: config(place), root: root.path, log: silentLogger });
      await meetAgain(app.url);
      await accountsOpened();
      await app.parts.projector.allReached(await app.parts.store.head(), 10_000);
      events = await allEvents(app.parts.store);
      journalled = foldJournal(events);
    },
    60_000 + ROUNDS * 15_000,
  );
  afterAll(async () => {
    if (server) await kill(server);
    await app?.close();
    await place?.remove();
    await root?.remove();
  }, 60_000);

  let metRegistrations = 0;
  /** Keys met again since they were issued, and since they were revoked. */
  const met = { issued: new Set<IssuedKey>(), revoked: new Set<IssuedKey>() };
  /** What the last crash interrupted is sent again; what it acknowledged must stand at once. */
  async function meetAgain(url: string): Promise<void> {
    for (const registration of traffic.registrations.slice(metRegistrations)) {
      const { outcome, userId } = registration;
      // A client that lost its answer sends the same command, or starts over with another one.
      const again = outcome === 'acknowledged' || random() < 0.5;
      const { payload, reply } = await traffic.register(
        url,
        registration,
        again ? registration.commandId : `${registration.commandId}_other`,
      );
      if (outcome === 'acknowledged') {
        expect(payload).toMatchObject({ sessionToken: null, user: { id: userId } });
      } else if (again) {
        expect(reply).toMatchObject({
          codes: [],
          data: { registerUser: { __typename: 'RegisterUserPayload' } },
        });
      } else {
        expect(payload?.code ?? 'registered').toMatch(/^(EMAIL_TAKEN|registered)$/);
      }
    }
    for (const key of traffic.keys) {
      if (met.issued.has(key) && (!key.revocation || met.revoked.has(key))) continue;
      const { outcome, secret, id } = key;
      if (secret !== undefined) {
        const called = await traffic.call(url, secret);
        if (key.revocation?.outcome === 'acknowledged') expect(called?.codes).toEqual(['KEY_REVOKED']);
        else if (!key.revocation) expect(called?.status).toBe(200);
      }
      const { payload, reply } = await traffic.issue(url, key);
      expect(reply).toMatchObject({ codes: [], data: { issueKey: { __typename: 'IssueKeyPayload' } } });
      if (outcome === 'acknowledged') expect(payload).toMatchObject({ secret: null, key: { id } });
      met.issued.add(key);
      if (key.revocation) {
        met.revoked.add(key);
        const revoked = await traffic.revoke(url, key);
        expect(revoked.payload?.__typename).toBe('RevokeKeyPayload');
        if (key.secret !== undefined) {
          expect((await traffic.call(url, key.secret))?.codes).toEqual(['KEY_REVOKED']);
        }
      }
    }
    metRegistrations = traffic.registrations.length;
  }

  /** Waits for the policy that follows registrations, on the store's own signal. */
  async function accountsOpened(): Promise<void> {
    const { store } = app.parts;
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

  const of = (type: string): StoredEvent[] => events.filter((event) => event.type === type);

  it('was under load', () => {
    const outcomes = traffic.calls.map(({ outcome }) => outcome);
    process.stderr.write(
      `${ROUNDS} rounds: ${traffic.calls.length} calls (${outcomes.filter((o) => o === 'unknown').length} cut off), ` +
        `${traffic.registrations.length} registrations, ${traffic.keys.length} keys, ${events.length} events\n`,
    );
    expect(outcomes.filter((outcome) => outcome === 'acknowledged').length).toBeGreaterThan(ROUNDS);
    expect(traffic.keys.filter((key) => key.revocation).length).toBeGreaterThan(0);
  });

  it('has billed every answered call exactly once, and no call twice', () => {
    const wrong = traffic.calls.filter(({ operation, outcome }) => {
      const uses = journalled.byOperation.get(operation) ?? 0;
      if (outcome === 'acknowledged') return uses !== 1;
      return outcome === 'refused' ? uses !== 0 : uses !== 0 && uses !== 1;
    });
    expect(wrong).toEqual([]);
    const sent = new Set(traffic.calls.map(({ operation }) => operation));
    expect([...journalled.byOperation.keys()].filter((operation) => !sent.has(operation))).toEqual([]);
  });

  it('has stored every acknowledged command exactly once, and no command twice', () => {
    const byCommand = new Map<string, number>();
    for (const { stream, metadata } of events) {
      if (metadata.commandId === undefined) continue;
      const id = `${stream} ${metadata.commandId}`;
      byCommand.set(id, (byCommand.get(id) ?? 0) + 1);
    }
    expect([...byCommand].filter(([, count]) => count > 1)).toEqual([]);

    const stored = (type: string, id: string | undefined): number =>
      of(type).filter(({ streamId }) => streamId === id).length;
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
    expect(of('KeyIssued').length).toBe(traffic.keys.length + of('KeyIssued').filter(isDemo).length);
  });

  it('has completed every registration, and left no e-mail half taken', () => {
    const pairs = of('EmailRegistered').map(
      ({ data }) => data as { readonly userId: string; readonly accountId: string },
    );
    expect(
      of('UserRegistered')
        .map(({ streamId }) => streamId)
        .sort(),
    ).toEqual(pairs.map(({ userId }) => userId).sort());
    expect(
      of('AccountOpened')
        .map(({ streamId }) => streamId)
        .sort(),
    ).toEqual(pairs.map(({ accountId }) => accountId).sort());
    // Each e-mail was registered in the end, by this command or by the other one; and the demo's.
    expect(pairs.length).toBe(traffic.registrations.length + 1);
  });

  it('has loaded the catalogue as it stands in its files', async () => {
    const names = of('PatternPublished').length;
    expect(names).toBe(root.slugs.length);
    const latest = new Map(
      events
        .filter(({ stream }) => stream.startsWith('pattern-'))
        .map(({ stream, data }) => [stream, (data as { readonly name: string }).name]),
    );
    for (const name of latest.values()) expect(name).toMatch(new RegExp(` ${ROUNDS - 1}$`));
  });

  it('shows what a full replay shows, row for row, and the sums of the journal', async () => {
    for (const { name } of READ_MODELS) {
      const { differing, events: replayed } = await app.parts.projector.rebuild(name);
      expect({ name, differing }).toEqual({ name, differing: [] });
      expect(replayed).toBe(events.length);
    }
    const { t } = app.parts.projector.access('usage');
    await app.close();
    const sql = await openSql(place);
    try {
      const counters = await sql.query<{ id: string; amount: number }>(
        `SELECT account || '|' || environment || '|' || meter || '|' || period AS id, amount FROM ${t('counters')}`,
      );
      expect(new Map(counters.map(({ id, amount }) => [id, amount]))).toEqual(journalled.amounts);
      const [hours] = await sql.query(
        `SELECT sum(uses)::bigint AS uses, sum(requests)::bigint AS requests,
                sum(duration_us)::bigint AS "durationUs" FROM ${t('hours')}`,
      );
      expect(hours).toEqual(journalled.totals);
    } finally {
      await sql.close();
    }
  }, 60_000);
});

const isDemo = ({ data }: StoredEvent): boolean => (data as { readonly name: string }).name === 'Demo key';

function config({ dataDir, databaseUrl }: Place) {
  return parseConfig({
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    PORT: '0',
    EMBEDDINGS: 'off',
    TRUST_PROXY: 'true',
  });
}
