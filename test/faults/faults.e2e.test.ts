import { randomInt } from 'node:crypto';
import { parseConfig } from '../../src/config.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { silentLogger } from '../../src/logger.js';
import type { App } from '../../src/main.js';
import { start } from '../../src/main.js';
import type { Journalled } from '../crash/facts.js';
import { allEvents, foldJournal } from '../crash/facts.js';
import { Returning } from '../crash/returning.js';
import type { IssuedKey } from '../crash/traffic.js';
import { randomFrom, Traffic } from '../crash/traffic.js';
import {
  accountsOpened,
  expectBilledOnce,
  expectReadModelsWhole,
  expectRegistrationsWhole,
  expectStoredOnce,
} from '../crash/verdict.js';
import { EventStoreDbStandIn } from '../eventsourcing/eventStoreDbStandIn.js';
import type { Exit, Product } from '../process/product.js';
import { kill, ready, spawnProduct } from '../process/product.js';
import type { Root } from '../process/root.js';
import { makeRoot } from '../process/root.js';
import type { Place } from '../support/database.js';
import { freshPlace, ON_POSTGRES } from '../support/database.js';
import type { Fault } from './proxy.js';
import { FAULTS, FaultyProxy } from './proxy.js';
import { until } from '../support/until.js';

/** `FAULT_ROUNDS=10` goes through all faults so many times; FAULT_SEED repeats the random choices. */
const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 1);
const SEED = Number(process.env['FAULT_SEED'] ?? randomInt(2 ** 31));

/** Few: what is looked at is the outage, not the throughput. */
const CALLERS = 3;

/** An EventStoreDB with nothing in it: then the faults are between the server and this one. */
const REAL_EVENT_STORE = process.env['FAULT_EVENTSTORE_URL'];

/** Servers that suffer at once, each its own share: most of the time they wait for time-outs. */
const LANES: readonly (readonly Fault[])[] = REAL_EVENT_STORE
  ? [FAULTS]
  : [
      ['refuse', 'forget', 'half-close to client', 'lose answers'],
      ['reset', 'half-close to server', 'delay', 'freeze'],
    ];

/** What goes away: PGlite lives in the process, so there it is the event store, on a server of its own. */
const WHAT = ON_POSTGRES && !REAL_EVENT_STORE ? 'database' : 'event store';

/** Something of a lane's own behind a proxy, and how the server is told of it. */
interface Behind {
  readonly proxy: FaultyProxy;
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

async function behindProxy({ databaseUrl }: Place): Promise<Behind> {
  if (REAL_EVENT_STORE !== undefined) {
    const url = new URL(REAL_EVENT_STORE);
    const proxy = await FaultyProxy.open(url.hostname, Number(url.port || 2113));
    url.host = `127.0.0.1:${proxy.listening}`;
    return { proxy, env: { EVENTSTOREDB_URL: url.href }, close: () => proxy.close() };
  }
  if (databaseUrl === undefined) {
    const standIn = await EventStoreDbStandIn.start();
    const { proxy, url } = standIn;
    return { proxy, env: { EVENTSTOREDB_URL: url }, close: () => standIn.close() };
  }
  const url = new URL(databaseUrl);
  const proxy = await FaultyProxy.open(url.hostname, Number(url.port || 5432));
  url.host = `127.0.0.1:${proxy.listening}`;
  return { proxy, env: { DATABASE_URL: url.href }, close: () => proxy.close() };
}

interface Recovery {
  readonly fault: Fault;
  /** From the end of the fault to the first call that was answered and billed. */
  readonly callMs: number;
  /** To a new user's first call with a key of its own: commands, policy and read models work. */
  readonly allMs: number;
}

/** One server with its own data behind a proxy, and what its clients were told. */
interface Lane {
  readonly faults: readonly Fault[];
  readonly place: Place;
  readonly behind: Behind;
  readonly traffic: Traffic;
  readonly returning: Returning;
  readonly server: Product;
  readonly url: string;
  /** The caller that notices when the outage is over. */
  readonly caller: IssuedKey;
  readonly recoveries: Recovery[];
}

/**
 * Laws 1, 4, 5 and 10. The network between the server and its event store, on PostgreSQL its database too,
 * fails in every way that networks fail, under load. Meanwhile callers are told to try again; afterwards
 * the server goes on by itself, and what it ever acknowledged is held against what is stored.
 */
describe(`a server whose ${WHAT} goes away (FAULT_SEED=${SEED})`, () => {
  const random = randomFrom(SEED);
  let root: Root;
  const lanes: Lane[] = [];

  beforeAll(
    async () => {
      process.stderr.write(`FAULT_SEED=${SEED}\n`);
      root = await makeRoot({ patterns: 6, amount: 1_000_000 });
      await Promise.all(LANES.map(async (faults, i) => lanes.push(await openLane(faults, i))));
      await Promise.all(lanes.map(suffer));
      for (const { recoveries } of lanes) {
        for (const { fault, callMs, allMs } of recoveries) {
          process.stderr.write(
            `${fault}: a call was answered ${seconds(callMs)} after its end, a new user's ${seconds(allMs)}\n`,
          );
        }
      }
      const all = lanes.flatMap(({ recoveries }) => recoveries);
      process.stderr.write(
        `slowest recovery ${seconds(Math.max(...all.map(({ callMs }) => callMs)))}, ` +
          `with commands, policy and read models ${seconds(Math.max(...all.map(({ allMs }) => allMs)))}; ` +
          `slowest answer ${seconds(Math.max(...lanes.map(({ traffic }) => traffic.slowestMs)))}\n`,
      );
    },
    600_000 + ROUNDS * 240_000,
  );
  afterAll(async () => {
    for (const { traffic, server, behind, place } of lanes) {
      traffic.stop();
      await kill(server);
      await behind.close();
      await place.remove();
    }
    await root?.remove();
  });

  async function openLane(faults: readonly Fault[], i: number): Promise<Lane> {
    const place = await freshPlace();
    const behind = await behindProxy(place);
    const traffic = new Traffic(`${SEED}_${i}`, random, root.slugs, CALLERS);
    const server = spawnProduct(place, root.path, behind.env);
    const url = await ready(server);
    const caller = await traffic.newCaller(url);
    const returning = new Returning(traffic, random);
    return { faults, place, behind, traffic, returning, server, url, caller, recoveries: [] };
  }

  async function suffer(lane: Lane): Promise<void> {
    const { traffic, url, recoveries } = lane;
    const { proxy } = lane.behind;
    for (let round = 0; round < ROUNDS; round++) {
      const running = traffic.run(url);
      for (const fault of lane.faults) {
        for (let i = 0; i < 20; i++) await traffic.next('200');
        await proxy.inject(fault);
        await felt(lane, fault);
        await proxy.heal();
        const healed = performance.now();
        await answered(lane, lane.caller);
        const callMs = performance.now() - healed;
        await answered(lane, await traffic.newCaller(url));
        recoveries.push({ fault, callMs, allMs: performance.now() - healed });
        await becomes(url, 200);
      }
      traffic.stop();
      await running;
      await lane.returning.meetAgain(url);
    }
  }

  /** Until the fault has been met by those whom it concerns. */
  async function felt({ traffic, url }: Lane, fault: Fault): Promise<void> {
    if (fault === 'delay' || fault === 'reset') {
      for (let i = 0; i < 20; i++) await traffic.next('200');
      return;
    }
    await becomes(url, 503);
    await traffic.next('503');
  }

  async function becomes(url: string, status: number): Promise<void> {
    const ready = async (): Promise<number> => (await fetch(`${url}/health/ready`)).status;
    await until(async () => (await ready()) === status);
  }

  async function answered({ traffic, url }: Lane, { secret }: IssuedKey): Promise<void> {
    await until(async () => (await traffic.call(url, secret as string))?.status === 200);
  }

  it.each(LANES.map((faults, i) => [faults.join(', '), i] as const))(
    'answers every call meanwhile, within its own bounds, with a result or "try again": %s',
    (_faults, i) => {
      const { traffic, server } = lanes[i] as Lane;
      process.stderr.write(`${JSON.stringify(Object.fromEntries(traffic.answers))}\n`);
      expect(server.process.exitCode).toBeNull();
      expect({ broken: traffic.broken, hasty: traffic.hasty }).toEqual({ broken: 0, hasty: 0 });
      expect(traffic.answers.get('503 TRY_AGAIN')).toBeGreaterThan(0);
      // A call of many steps, each of them slow, may come to its own time-out.
      const expected = /^(200|401 KEY_REVOKED|503 TRY_AGAIN|504 TIMEOUT)$/;
      expect([...traffic.answers.keys()].filter((answer) => !expected.test(answer))).toEqual([]);
    },
  );

  describe.each(LANES.map((faults, i) => [faults.join(', '), i] as const))('after %s', (_faults, i) => {
    let lane: Lane;
    let exit: Exit;
    let app: App;
    let events: StoredEvent[];
    let journalled: Journalled;

    beforeAll(async () => {
      lane = lanes[i] as Lane;
      lane.server.process.kill('SIGTERM');
      exit = await lane.server.exited;
      app = await start({ config: config(lane), root: root.path, log: silentLogger });
      await accountsOpened(app);
      await app.parts.projector.allReached(await app.parts.store.head(), 600_000);
      events = await allEvents(app.parts.store);
      journalled = foldJournal(events);
    });
    afterAll(() => app?.close());

    it('ends as it is told to', () => {
      expect(exit).toEqual({ code: 0, signal: null });
    });

    it('has billed every answered call exactly once, and none that was told to try again', () => {
      expectBilledOnce(lane.traffic, journalled);
    });

    it('has stored every acknowledged command exactly once, and no command twice', () => {
      expectStoredOnce(lane.traffic, events);
    });

    it('has completed every registration, and left no e-mail half taken', () => {
      expectRegistrationsWhole(lane.traffic, events);
    });

    it('shows what a full replay shows, row for row, and the sums of the journal', async () => {
      await expectReadModelsWhole(app, lane.place, events, journalled);
    });
  });
});

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

function config({ place, behind }: Lane) {
  return parseConfig({
    DATA_DIR: place.dataDir,
    DATABASE_URL: place.databaseUrl,
    PORT: '0',
    EMBEDDINGS: 'off',
    TRUST_PROXY: '1',
    ...behind.env,
  });
}
