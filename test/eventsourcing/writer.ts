import { openPostgres } from '../../src/adapters/postgres/pg.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { newEvent, newStream } from './fixtures.js';

// A process that appends to its own streams as fast as it can, in both lanes, and prints what it was
// acknowledged: a line `id position` for each event.
const [url, appends] = process.argv.slice(2);
const sql = await openPostgres(url as string);
const store = await PostgresEventStore.open(sql);

async function write(lane: number): Promise<void> {
  const stream = newStream();
  for (let i = 0, revision = -1; i < Number(appends); i++) {
    const events = Array.from({ length: 1 + ((i + lane) % 3) }, () => newEvent());
    const result = await store.append(stream, revision, events, lane === 0 ? 'journal' : 'command');
    revision = result.revision;
    events.forEach(({ id }, n) =>
      process.stdout.write(`${id} ${result.position - (events.length - 1 - n)}\n`),
    );
  }
}
await Promise.all([0, 1, 2, 3].map(write));
await store.close();
await sql.close();
