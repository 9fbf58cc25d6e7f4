import { randomBytes } from 'node:crypto';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { allEvents, foldJournal } from '../crash/facts.js';
import { randomFrom, Traffic } from '../crash/traffic.js';
import { openSql } from '../support/database.js';
import { ready } from './product.js';
import { prepareStarts } from './starts.js';
import { until } from '../support/until.js';

// What a start finds in the database and leaves there; what it says and reads otherwise stands in startup.http.test.ts.

const KEY = /sk_test_[0-9A-Za-z]{32}/;

/** Fastify's 72 seconds: a shutdown that waits for idle connections to time out hangs this long. */
const LESS_THAN_KEEP_ALIVE_MS = 60_000;

// An empty database, as a first start finds it.
const { root, place, run, stop, refusal } = prepareStarts({ ready: false });

/** Those of mails are left out: what one start has asked for, the next may send. */
async function storedEvents() {
  const sql = await openSql(place());
  try {
    const events = await allEvents(await PostgresEventStore.open(sql));
    return events.filter(({ type }) => !type.startsWith('Mail'));
  } finally {
    await sql.close();
  }
}

describe('a first start', () => {
  it('makes no demo account in production', async () => {
    const names = ['KEY_PEPPER', 'EMAIL_HASH_KEY', 'MASTER_KEY', 'SESSION_KEY'];
    const secrets = Object.fromEntries(names.map((name) => [name, randomBytes(32).toString('base64url')]));
    const product = run({ NODE_ENV: 'production', ...secrets });
    await ready(product);
    expect(product.stdout()).not.toMatch(KEY);
    await stop(product);
    const types = new Set((await storedEvents()).map(({ type }) => type));
    expect(types).not.toContain('EmailRegistered');
    expect(types).not.toContain('KeyIssued');
  });
});

describe('a later start', () => {
  it('adds no event and prints no demo key', async () => {
    const first = run();
    await ready(first);
    expect(first.stdout()).toMatch(KEY);
    await stop(first);
    const before = (await storedEvents()).length;

    const second = run();
    await ready(second);
    expect(second.stdout()).not.toMatch(KEY);
    await stop(second);
    expect((await storedEvents()).length).toBe(before);
  });

  it('on other secrets or another profile is refused with a sentence that names what to restore', async () => {
    const first = run();
    await ready(first);
    await stop(first);

    const pepper = randomBytes(32).toString('base64url');
    const changed = await refusal({ KEY_PEPPER: pepper });
    expect(changed).toContain('KEY_PEPPER is not the one these data were made with');
    expect(changed).not.toContain(pepper);
    expect(await refusal({ PROFILE: 'nowhere' })).toContain('PROFILE: there is no file');
  });
});

describe('SIGTERM under load', () => {
  it(
    'answers whatever was accepted, stores it, and ends with code 0',
    async () => {
      const product = run();
      const url = await ready(product);
      const traffic = new Traffic('stop', randomFrom(1), root().slugs);
      const load = traffic.run(url);
      const answered = (): number => traffic.calls.filter(({ outcome }) => outcome === 'acknowledged').length;
      await until(() => answered() >= 50);
      await stop(product);
      traffic.stop();
      await load;

      const { byOperation } = foldJournal(await storedEvents());
      // A call that was not answered was not accepted either: nothing was done for it, nothing stored.
      const wrong = traffic.calls.filter(
        ({ operation, outcome }) =>
          (byOperation.get(operation) ?? 0) !== (outcome === 'acknowledged' ? 1 : 0),
      );
      expect(wrong).toEqual([]);
    },
    LESS_THAN_KEEP_ALIVE_MS,
  );
});
