import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig, SECRET_NAMES } from '../../src/config.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { silentLogger } from '../../src/logger.js';
import type { App } from '../../src/main.js';
import { start } from '../../src/main.js';
import type { Product } from '../process/product.js';
import { kill, ready, spawnProduct } from '../process/product.js';
import type { Root } from '../process/root.js';
import { makeRoot } from '../process/root.js';
import type { Place } from '../support/database.js';
import { freshPlace, ON_POSTGRES } from '../support/database.js';
import type { Journalled } from './facts.js';
import { allEvents, foldJournal } from './facts.js';
import { Returning } from './returning.js';
import { randomFrom, Traffic } from './traffic.js';
import {
  accountsOpened,
  expectBilledOnce,
  expectReadModelsWhole,
  expectRegistrationsWhole,
  expectStoredOnce,
  of,
} from './verdict.js';

/** `npm run test:crash` tries for longer; CRASH_SEED repeats the random choices. */
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 10);
const SEED = Number(process.env['CRASH_SEED'] ?? randomInt(2 ** 31));
const LOAD_MS_MAX = 1_500;

/** On PGlite one process does everything; on PostgreSQL the API and the projector are processes of their own. */
const ROLES: readonly Role[] = ON_POSTGRES ? ['api', 'projector'] : ['all'];
/** The one that answers calls. */
const [CALLED] = ROLES as readonly [Role];
const VICTIMS: readonly (readonly Role[])[] = ON_POSTGRES ? [ROLES, ['api'], ['projector']] : [ROLES];
type Role = 'all' | 'api' | 'projector';

/**
 * Laws 1, 4, 5 and 10. The server is killed again and again, under load and while it starts, on the
 * same data; everything that it ever acknowledged is then held against what is stored. Where it is two
 * processes, one of them or both are killed.
 */
describe(`a server that is killed (${ROLES.join(' and ')}; CRASH_SEED=${SEED})`, () => {
  const random = randomFrom(SEED);
  let place: Place;
  let root: Root;
  let traffic: Traffic;
  let returning: Returning;
  let app: App;
  const running = new Map<Role, Product>();
  let events: StoredEvent[];
  let journalled: Journalled;

  beforeAll(
    async () => {
      process.stderr.write(`CRASH_SEED=${SEED}\n`);
      place = await freshPlace();
      root = await makeRoot({ patterns: 6, amount: 1_000_000 });
      traffic = new Traffic(String(SEED), random, root.slugs);
      returning = new Returning(traffic, random);
      let startMs = 1_500;
      for (let round = 0; round < ROUNDS; round++) {
        if (round % 20 === 0) process.stderr.write(`round ${round} of ${ROUNDS}\n`);
        // Every start has a catalogue to load, beside what the last crash left to catch up with.
        await root.revise(round);
        if (random() < 0.5) {
          const early = ROLES.filter((role) => !running.has(role)).map((role) => spawn(role));
          await Promise.race([delay(random() * startMs), ...early.map(({ url }) => url)]);
          await Promise.all(early.map(kill));
        }
        const began = performance.now();
        for (const role of ROLES) if (!running.has(role)) running.set(role, spawn(role));
        const [url] = (await Promise.all([...ROLES].map((role) => ready(running.get(role) as Product)))) as [
          string,
        ];
        startMs = performance.now() - began;
        await returning.meetAgain(url);
        // Somebody calls from the first moment on, whatever becomes of the others.
        if (round === 0) await traffic.newCaller(url);
        const load = traffic.run(url);
        const loadMs = random() * LOAD_MS_MAX;
        const victims = VICTIMS[Math.floor(random() * VICTIMS.length)] as readonly Role[];
        await Promise.all([
          delay(loadMs),
          ...victims.map(async (role) => {
            // Without the one that is called the load ends; without the other it goes on.
            await delay(role === CALLED ? loadMs : random() * loadMs);
            await kill(running.get(role) as Product);
            running.delete(role);
          }),
        ]);
        traffic.stop();
        await load;
      }
      await Promise.all([...running.values()].map(kill));
      running.clear();

      app = await start({ config: parseConfig(environment(CALLED)), root: root.path, log: silentLogger });
      await returning.meetAgain(app.url);
      await accountsOpened(app);
      await app.parts.projector.allReached(await app.parts.store.head(), 600_000);
      events = await allEvents(app.parts.store);
      journalled = foldJournal(events);
    },
    600_000 + ROUNDS * 30_000,
  );
  afterAll(async () => {
    traffic?.stop();
    await Promise.all([...running.values()].map(kill));
    await app?.close();
    await place?.remove();
    await root?.remove();
  });

  const secrets = Object.fromEntries(
    SECRET_NAMES.map((name) => [name, randomBytes(32).toString('base64url')]),
  );

  /** One database and the same secrets; a data directory for each process. */
  function environment(role: Role): NodeJS.ProcessEnv {
    return {
      ...secrets,
      ROLE: role,
      DATA_DIR: role === 'all' ? place.dataDir : join(place.dataDir, role),
      DATABASE_URL: place.databaseUrl,
      PORT: '0',
      EMBEDDINGS: 'off',
      TRUST_PROXY: '1',
    };
  }

  const spawn = (role: Role): Product => spawnProduct(place, root.path, environment(role));

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
    expectBilledOnce(traffic, journalled);
  });

  it('has stored every acknowledged command exactly once, and no command twice', () => {
    expectStoredOnce(traffic, events);
  });

  it('has completed every registration, and left no e-mail half taken', () => {
    expectRegistrationsWhole(traffic, events);
  });

  it('has loaded the catalogue as it stands in its files', async () => {
    const names = of(events, 'PatternPublished').length;
    expect(names).toBe(root.slugs.length);
    const latest = new Map(
      events
        .filter(({ stream }) => stream.startsWith('pattern-'))
        .map(({ stream, data }) => [stream, (data as { readonly name: string }).name]),
    );
    for (const name of latest.values()) expect(name).toMatch(new RegExp(` ${ROUNDS - 1}$`));
  });

  it('shows what a full replay shows, row for row, and the sums of the journal', async () => {
    await expectReadModelsWhole(app, place, events, journalled);
  });
});
