import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { followProjections } from '../../src/composition/projections.js';
import type { Stores } from '../../src/composition/stores.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { Projector } from '../../src/following/projector.js';
import { announceProgress } from '../../src/following/progressChannel.js';
import { EventReader } from '../../src/following/reader.js';
import type { Logger } from '../../src/logger.js';
import { Shutdown } from '../../src/shutdown.js';
import { usage } from '../../projections/usage/model.js';
import { usageStream } from '../../src/usage/events.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from '../usage/uses.js';
import { until } from '../support/until.js';

const LONG = 60_000;

it('a process that follows the projector tells how many uses are parked, or that it does not know', async () => {
  const database = await freshSql();
  const { sql } = database;
  const logged: unknown[] = [];
  const log = { error: (...said: unknown[]) => logged.push(said) } as unknown as Logger;
  const shutdown = new Shutdown(log);
  shutdown.add('database', () => database.remove());
  const store = await PostgresEventStore.open(sql);
  // What it follows with: policies are made, and run elsewhere.
  const stores = { sql, store, commands: {}, personal: {}, secrets: {}, profile: {} } as unknown as Stores;
  try {
    const followed = await followProjections(stores, log, shutdown);
    expect(followed.parkedUses()).toBeUndefined();
    expect(followed.warnings()).toEqual(['it is not known whether uses are parked']);

    const reader = new EventReader(store);
    const projector = await Projector.open(sql, reader, [usage], () => undefined);
    await PolicyRunner.open(sql, reader, [], () => undefined);
    await announceProgress(sql);
    projector.start();
    shutdown.add('projector', () => {
      reader.close();
      return projector.stop();
    });
    const uses = [newUse(), { ...newUse(), durationUs: -1 }];
    const data = JSON.stringify({ groups: [{ account: 'a', uses }], node: 'n', start: 's' });
    const batch = newEvent({ type: 'UsesRecorded', data });
    const { position } = await store.append(usageStream('n', '2026-11-22'), NO_STREAM, [batch]);
    await projector.reached('usage', position, LONG);
    while (!(await followed.models.reached('usage', position, LONG)));
    await until(() => followed.parkedUses() === 1);
    expect(followed.warnings()).toEqual(['uses that cannot be counted are parked: 1']);
    expect(logged).toEqual([]);
  } finally {
    await shutdown.run();
  }
});
