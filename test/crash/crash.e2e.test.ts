import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig } from '../../src/config.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { silentLogger } from '../../src/logger.js';
import type { App } from '../../src/main.js';
import { start } from '../../src/main.js';
import type { Product } from '../process/product.js';
import { kill, ready, spawnProduct } from '../process/product.js';
import type { Root } from '../process/root.js';
import { makeRoot } from '../process/root.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
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
  let returning: Returning;
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
      returning = new Returning(traffic, random);
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
        await returning.meetAgain(url);
        const running = traffic.run(url);
        await delay(random() * LOAD_MS_MAX);
        await kill(server);
        traffic.stop();
        await running;
      }

      app = await start({ config: config(place), root: root.path, log: silentLogger });
      await returning.meetAgain(app.url);
      await accountsOpened(app);
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
  }, 60_000);
});

function config({ dataDir, databaseUrl }: Place) {
  return parseConfig({
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    PORT: '0',
    EMBEDDINGS: 'off',
    TRUST_PROXY: 'true',
  });
}
