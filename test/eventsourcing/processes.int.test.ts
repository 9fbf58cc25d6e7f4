import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { START } from '../../src/eventsourcing/event.js';
import { Follower } from '../../src/following/follower.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import type { Place } from '../support/database.js';
import { freshPlace, ON_POSTGRES, openSql } from '../support/database.js';
import { deferred, newEvent, newStream } from './fixtures.js';

const exec = promisify(execFile);
const WRITER = fileURLToPath(new URL('./writer.js', import.meta.url));
/** A poll that no test lives to see: what comes came by a wake-up. */
const NEVER_MS = 10 * 60_000;

// PGlite has one process.
const onPostgres = ON_POSTGRES ? describe : describe.skip;

onPostgres('several processes on one PostgreSQL', () => {
  let place: Place;
  let sql: Sql;
  let store: PostgresEventStore;
  let closing: (() => unknown)[];

  beforeEach(async () => {
    closing = [];
    place = await freshPlace();
    closing.push(() => place.remove());
    [sql, store] = await open(place);
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });

  async function open(on: Place): Promise<[Sql, PostgresEventStore]> {
    const opened = await openSql(on);
    closing.push(() => opened.close());
    const made = await PostgresEventStore.open(opened);
    closing.push(() => made.close());
    return [opened, made];
  }

  /** Follows everything by wake-ups alone: nobody waits for it, which would have it look by itself. */
  function follow(on: PostgresEventStore): {
    seen: StoredEvent[];
    comes: (position: number) => Promise<void>;
  } {
    const seen: StoredEvent[] = [];
    const waiting = new Set<() => void>();
    const reader = new EventReader(on, NEVER_MS);
    const follower = new Follower({
      name: 'test',
      reader,
      from: START,
      handle: (events) => {
        seen.push(...events);
        for (const look of waiting) look();
      },
      onError: () => undefined,
    });
    follower.start();
    closing.push(() => follower.stop());
    closing.push(() => reader.close());
    const comes = (position: number): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if ((seen.at(-1)?.position ?? START) >= position) resolve();
        };
        waiting.add(look);
        look();
      });
    return { seen, comes };
  }

  it('show a reader every event of every writer once, in order, and without gaps', async () => {
    const { comes, seen } = follow(store);
    const writers = await Promise.all(
      [1, 2, 3].map(() => exec(process.execPath, [WRITER, place.databaseUrl as string, '40'])),
    );
    const acknowledged = writers.flatMap(({ stdout }) => stdout.trim().split('\n'));
    await comes(await store.head());
    expect(seen.map(({ position }) => position)).toEqual(seen.map((_, index) => index + 1));
    expect(seen.map(({ id, position }) => `${id} ${position}`).sort()).toEqual(acknowledged.sort());
  });

  it('are woken by every append of another', async () => {
    let woken = deferred();
    closing.push(store.onWake(() => woken.resolve()));
    // Wakes once when it begins to listen.
    await woken.promise;
    const [, other] = await open(place);
    for (const events of [[newEvent()], [newEvent(), newEvent()], [newEvent()]]) {
      woken = deferred();
      await other.append(newStream(), -1, events);
      await woken.promise;
    }
  });

  it('are woken again after their connection for wake-ups has broken, and miss nothing of the time between', async () => {
    const { comes } = follow(store);
    const [, other] = await open(place);
    for (let i = 0; i < 3; i++) {
      const before = await other.append(newStream(), -1, [newEvent()]);
      await comes(before.position);
      await cutWakeUps();
      const between = await other.append(newStream(), -1, [newEvent()]);
      await comes(between.position);
    }
  });

  /** Ends the connections that listen, once there are some. */
  async function cutWakeUps(): Promise<void> {
    for (let cut = 0; cut === 0;) {
      const ended = await sql.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'tollgraph notifications'`,
      );
      cut = ended.length;
    }
  }

  it('migrate the same database at the same moment', async () => {
    await sql.script('DROP SCHEMA store CASCADE');
    const opened = await Promise.all(Array.from({ length: 6 }, () => open(place)));
    await Promise.all(opened.map(([, on]) => on.append(newStream(), -1, [newEvent()])));
    expect(await store.head()).toBe(opened.length);
  });

  it('can dump and restore the store: it stays readable, and goes on behind its last position', async () => {
    const stream = newStream();
    await store.append(stream, -1, [newEvent({ data: '{"text":"ä\\u0001 \\"quoted\\""}' }), newEvent()]);
    for (let i = 0; i < 20; i++) await store.append(newStream(), -1, [newEvent()]);
    const before = await store.readAll(START, 1_000, 1_000_000);

    const restored = await freshPlace();
    closing.push(() => restored.remove());
    await restore(place, restored);
    const [, copy] = await open(restored);
    expect(await copy.readAll(START, 1_000, 1_000_000)).toEqual(before);
    expect(await copy.readStream(stream)).toEqual(before.slice(0, 2));

    const { comes, seen } = follow(copy);
    const { position, revision } = await copy.append(stream, 1, [newEvent()]);
    expect({ position, revision }).toEqual({ position: before.length + 1, revision: 2 });
    await comes(position);
    expect(seen.length).toBe(before.length + 1);
  });

  /** With PostgreSQL's own tools where they are and know the server, else row by row. */
  async function restore(from: Place, to: Place): Promise<void> {
    const pipe = 'pg_dump --schema=store "$FROM" | psql --quiet --set ON_ERROR_STOP=1 "$TO"';
    const env = { ...process.env, FROM: from.databaseUrl, TO: to.databaseUrl };
    try {
      await exec('bash', ['-o', 'pipefail', '-c', pipe], { env });
    } catch {
      const [target] = await open(to);
      const rows = await sql.query('SELECT * FROM store.events ORDER BY random()');
      for (const row of rows) {
        await target.query(
          'INSERT INTO store.events VALUES ($1, $2, $3, $4, $5, $6, $7)',
          Object.values(row),
        );
      }
    }
  }
});
