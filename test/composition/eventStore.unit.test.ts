import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATEGORIES } from '../../src/capabilities.js';
import { openEventStore } from '../../src/composition/eventStore.js';
import { ConfigError, parseConfig } from '../../src/config.js';
import type { Sql } from '../../src/sql/sql.js';

// Streams of a category that is not named would not be found on EventStoreDB, while all works on PostgreSQL.
it('names the category of every stream that a capability declares', () => {
  const declared = new Set<string>();
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('events.ts')) continue;
    const source = readFileSync(join('src', file), 'utf8');
    for (const [, category] of source.matchAll(/(?: => `|_STREAM = ')([a-z_]+)-/g)) {
      declared.add(category as string);
    }
  }
  expect(declared.size).toBeGreaterThan(5);
  expect([...declared].sort()).toEqual([...CATEGORIES]);
});

it('tells operators of a shared EventStoreDB which categories are ours', () => {
  const page = readFileSync('docs/eventstoredb.md', 'utf8');
  const list = /^.*Ours are the streams of these categories.*$/m.exec(page)?.[0] ?? '';
  const named = [...list.matchAll(/`([a-z_]+)`/g)].map(([, category]) => category);
  expect(named).toEqual([...CATEGORIES]);
});

it.each(['esdb://', 'esdb://admin:changeit@events:port', 'esdb://events?tls=perhaps'])(
  'names EVENTSTOREDB_URL, and shows nothing of it, when it is "%s"',
  async (EVENTSTOREDB_URL) => {
    const opening = openEventStore(parseConfig({ EVENTSTOREDB_URL }), {} as Sql);
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
    await expect(opening).rejects.toThrow(
      /^(?!.*(changeit|perhaps))[^]*EVENTSTOREDB_URL: is not a connection string/,
    );
  },
);
