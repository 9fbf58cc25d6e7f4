import type { ReadModel } from '../../src/following/readModel.js';
import { Projector } from '../../src/following/projector.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { Leases } from '../../src/following/leases.js';
import type { Policy } from '../../src/eventsourcing/policy.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import { GUARD_FAILED, LEASE_LOST, SqlError, SqlUnavailable } from '../../src/sql/sql.js';
import { deferred, interceptTransactions, newEvent, newStream } from '../eventsourcing/fixtures.js';
import type { Place } from '../support/database.js';
import { freshPlace, ON_POSTGRES, openSql } from '../support/database.js';
import { tally } from '../projections/models.js';

const LONG = 60_000;
/** A lease that no slow machine loses by itself. */
const LONG_LEASE_MS = 120_000;
const SHORT_LEASE_MS = 600;

/** PGlite has one process, and so no second projector. */
const onPostgres = ON_POSTGRES ? describe : describe.skip;

/** A process as the database sees it: connections and a name of its own. */
interface Node {
  readonly sql: Sql;
  readonly projector: Projector;
  stop(): Promise<void>;
}

onPostgres('several projectors on one PostgreSQL', () => {
  let place: Place;
  let store: PostgresEventStore;
  let admin: Sql;
  let nodes: Node[];

  beforeEach(async () => {
    place = await freshPlace();
    admin = await openSql(place);
    store = await PostgresEventStore.open(admin);
    nodes = [];
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await admin.close();
    await place.remove();
  });

  async function start(
    holder: string,
    {
      ttlMs = LONG_LEASE_MS,
      models = [tally],
      wrap = (sql: Sql) => sql,
      onError = () => undefined,
    }: {
      ttlMs?: number;
      models?: readonly ReadModel[];
      wrap?: (sql: Sql) => Sql;
      onError?: (error: unknown) => void;
    } = {},
  ): Promise<Node> {
    const own = await openSql(place);
    const sql = wrap(own);
    const reader = new EventReader(await PostgresEventStore.open(own), 50);
    const leases = await Leases.open(sql, { holder, alone: false, ttlMs });
    const projector = await Projector.open(sql, reader, models, (_model, error) => onError(error), {
      leases,
      retryMs: [1],
    });
    projector.start();
    let stopped: Promise<void> | undefined;
    const node = {
      sql,
      projector,
      stop: () =>
        (stopped ??= (async () => {
          reader.close();
          await projector.stop();
          await own.close();
        })()),
    };
    nodes.push(node);
    return node;
  }

  const append = async (count: number): Promise<number> =>
    (
      await store.append(
        newStream(),
        -1,
        Array.from({ length: count }, () => newEvent()),
      )
    ).position;

  const counted = async ({ projector }: Node): Promise<number> => {
    const [row] = await admin.query<{ events: number }>(
      `SELECT coalesce(sum(events), 0)::bigint AS events FROM ${projector.access('tally').t('counts')}`,
    );
    return row?.events ?? 0;
  };

  it('lets a live holder write on when a second one starts, which follows what it writes', async () => {
    const first = await start('a');
    const second = await start('b');
    const position = await append(5);
    expect(await second.projector.reached('tally', position, LONG)).toBe(true);
    expect([first, second].map(({ projector }) => projector.leads())).toEqual([['tally'], []]);
    expect(second.projector.access('tally').state()).toEqual(first.projector.access('tally').state());
    expect(second.projector.failures()).toEqual([]);
    expect(await counted(second)).toBe(5);
    await expect(second.projector.rebuild('tally')).rejects.toThrow('written by another process (node a)');
  });

  it('tells a standby too that events were met which do not matter to the model', async () => {
    const first = await start('a');
    const second = await start('b');
    expect(await first.projector.reached('tally', await append(1), LONG)).toBe(true);
    const { position } = await store.append(newStream(), -1, [newEvent({ type: 'Ignored' })]);
    expect(await first.projector.reached('tally', position, LONG)).toBe(true);
    expect(await second.projector.reached('tally', position, LONG)).toBe(true);
    expect(second.projector.leads()).toEqual([]);
  });

  it('hands over at once when the holder stops', async () => {
    const first = await start('a');
    const second = await start('b');
    expect(await first.projector.reached('tally', await append(3), LONG)).toBe(true);
    const waiting = first.projector.access('tally').state().checkpoint;
    await first.stop();
    // The standby's waiters meet the change of the writer.
    expect(await second.projector.reached('tally', await append(2), LONG)).toBe(true);
    expect(second.projector.access('tally').state().checkpoint).toBeGreaterThan(waiting);
    expect(second.projector.leads()).toEqual(['tally']);
    expect(await counted(second)).toBe(5);
  });

  it('takes over from a holder that shows no sign of life, which then writes nothing more', async () => {
    let dead = false;
    const wrap = (sql: Sql): Sql => {
      const gate = <R>(run: () => Promise<R>): Promise<R> =>
        dead ? Promise.reject(new SqlUnavailable('cut off')) : run();
      return {
        query: (text, params, priority) => gate(() => sql.query(text, params, priority)),
        transaction: (statements, priority) => gate(() => sql.transaction(statements, priority)),
        script: (text) => gate(() => sql.script(text)),
        close: () => sql.close(),
      };
    };
    const first = await start('a', { ttlMs: SHORT_LEASE_MS, wrap });
    expect(await first.projector.reached('tally', await append(3), LONG)).toBe(true);
    dead = true;
    const second = await start('b', { ttlMs: LONG_LEASE_MS });
    expect(await second.projector.reached('tally', await append(2), LONG)).toBe(true);
    dead = false;
    // It comes back, finds another in its place, and follows.
    expect(await first.projector.reached('tally', await append(1), LONG)).toBe(true);
    expect([first, second].map(({ projector }) => projector.leads())).toEqual([[], ['tally']]);
    expect(await counted(second)).toBe(6);
  });

  it('takes over from a dead holder, though the database’s clock was an hour ahead meanwhile', async () => {
    const dead = await Leases.open(admin, { holder: 'a', alone: false, ttlMs: LONG_LEASE_MS });
    const held = await dead.take('tally');
    const next = await Leases.open(admin, { holder: 'b', alone: false, ttlMs: SHORT_LEASE_MS });
    expect(await next.take('tally')).toBeUndefined();
    // As the row of a lease looks once the clock is right again.
    await admin.query(`UPDATE read.leases SET expires_at = expires_at + interval '1 hour'`);
    expect((await next.take('tally'))?.epoch).toBe((held?.epoch ?? 0) + 1);
    if (held) await expect(admin.query(held.hold.text, held.hold.params)).rejects.toThrow('another process');
    if (held) await Promise.all([dead, next].map((leases) => leases.release(held)));
  });

  it('writes nothing of a batch in whose middle the lease was lost', async () => {
    const inBatch = deferred();
    const release = deferred();
    const refused = deferred<unknown>();
    let hold = false;
    const first = await start('a', {
      wrap: (sql) =>
        interceptTransactions(sql, async (run) => {
          if (hold) {
            hold = false;
            inBatch.resolve();
            await release.promise;
          }
          return run();
        }),
      onError: (error) => refused.resolve(error),
    });
    expect(await first.projector.reached('tally', await append(2), LONG)).toBe(true);
    hold = true;
    const position = await append(4);
    await inBatch.promise;
    // The holder hangs; its lease runs out.
    await admin.query("UPDATE read.leases SET expires_at = clock_timestamp() - interval '1 second'");
    const second = await start('b');
    // Before the new holder has moved the checkpoint, only the lease tells.
    await second.stop();
    await admin.query("UPDATE read.models SET checkpoint = 2 WHERE model = 'tally'");
    await admin.query('DELETE FROM read.tally_v1_g1_counts WHERE events = 4');
    release.resolve();
    const error = await refused.promise;
    expect(error).toBeInstanceOf(SqlError);
    expect([LEASE_LOST, GUARD_FAILED]).toContain((error as SqlError).code);
    // The lease is free again: it goes on under a new epoch, and every event counts once.
    expect(await first.projector.reached('tally', position, LONG)).toBe(true);
    expect(await counted(first)).toBe(6);
  });

  it('counts every event once while projectors come and go', async () => {
    let total = 0;
    for (let round = 0; round < 4; round++) {
      const both = await Promise.all(
        ['a', 'b', 'c'].map((name) => start(`${name}${round}`, { ttlMs: SHORT_LEASE_MS })),
      );
      const writing = Promise.all(Array.from({ length: 5 }, () => append(7)));
      total += 35;
      await Promise.all(both.slice(1).map((node) => node.stop()));
      await writing;
      const [left] = both as [Node];
      expect(await left.projector.reached('tally', await store.head(), LONG)).toBe(true);
      expect(await counted(left)).toBe(total);
      expect(await left.projector.parked()).toEqual([]);
      await left.stop();
    }
  });

  it('switches the readers of a rebuilt model over, and no query of theirs fails meanwhile', async () => {
    const writer = await start('a');
    const standby = await start('b');
    expect(await standby.projector.reached('tally', await append(50), LONG)).toBe(true);
    let rebuilding = true;
    let queries = 0;
    const reading = (async () => {
      while (rebuilding) {
        expect(await counted(standby)).toBe(50);
        queries++;
      }
    })();
    expect(await writer.projector.rebuild('tally')).toMatchObject({ differing: [], switched: true });
    rebuilding = false;
    await reading;
    expect(queries).toBeGreaterThan(0);
    expect(await standby.projector.reached('tally', await append(1), LONG)).toBe(true);
    expect(standby.projector.access('tally').state().generation).toBe(2);
    expect(await counted(standby)).toBe(51);
  });

  it('builds a new version beside the old one, which its own process serves on', async () => {
    const old = await start('a');
    expect(await old.projector.reached('tally', await append(10), LONG)).toBe(true);
    const twice: ReadModel = {
      ...tally,
      version: 2,
      fold: (events, t) => [...tally.fold(events, t), ...tally.fold(events, t)],
    };
    const deployed = await start('b', { models: [twice] });
    const position = await append(1);
    for (const { projector } of [old, deployed]) {
      expect(await projector.reached('tally', position, LONG)).toBe(true);
    }
    expect([await counted(old), await counted(deployed)]).toEqual([11, 22]);
    expect(old.projector.failures()).toEqual([]);

    // While the old process lives, and a while after, its tables stay.
    await deployed.projector.dropRetired();
    expect(await counted(old)).toBe(11);
    await old.stop();
    await deployed.projector.dropRetired();
    expect(await counted(old)).toBe(11);
    await admin.query(
      "UPDATE read.leases SET expires_at = expires_at - interval '2 days' WHERE name = 'tally_v1'",
    );
    await deployed.projector.dropRetired();
    await expect(counted(old)).rejects.toThrow('does not exist');
    expect(await counted(deployed)).toBe(22);
    expect(await admin.query("SELECT version FROM read.models WHERE model = 'tally'")).toEqual([
      { version: 2 },
    ]);
  });

  it('runs a policy in one process at a time', async () => {
    const seen: string[] = [];
    const policy = (name: string): Policy => ({
      name: 'recorder',
      handles: new Set(['Noted']),
      react: async (event) => void seen.push(`${name} ${event.position}`),
    });
    const runners: { runner: PolicyRunner; stop: () => Promise<void> }[] = [];
    for (const name of ['a', 'b']) {
      const reader = new EventReader(store, 50);
      const leases = await Leases.open(admin, { holder: name, alone: false, ttlMs: LONG_LEASE_MS });
      const runner = await PolicyRunner.open(admin, reader, [policy(name)], () => undefined, { leases });
      runner.start();
      runners.push({
        runner,
        stop: async () => {
          reader.close();
          await runner.stop();
        },
      });
      expect(await runner.reached(await append(1), LONG)).toBe(true);
    }
    const [first, second] = runners;
    expect(seen).toEqual(['a 1', 'a 2']);
    // A standby knows of an event that does not matter to the policy, though nothing is stored for it.
    const { position } = await store.append(newStream(), -1, [newEvent({ type: 'Ignored' })]);
    expect(await second?.runner.reached(position, LONG)).toBe(true);
    await first?.stop();
    expect(await second?.runner.reached(await append(1), LONG)).toBe(true);
    expect(seen).toEqual(['a 1', 'a 2', 'b 4']);
    await second?.stop();
  });
});
