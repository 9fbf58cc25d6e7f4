import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { GraphQLSchema } from 'graphql';
import { graphql } from 'graphql';
import { auditLog } from '../../projections/audit/model.js';
import { AccountsResolver } from '../../src/accounts/resolvers.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { RESOLVERS } from '../../src/capabilities.js';
import type { Services } from '../../src/capability.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { PositionTokens } from '../../src/eventsourcing/positionToken.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import { createSchema } from '../../src/graphql/execution/schema.js';
import { CommandSender } from '../../src/graphql/kit/command.js';
import { given } from '../eventsourcing/given.js';
import { freshSql } from '../support/database.js';
import { notes as model } from './example/projections/notes/model.js';
import { noteDecider } from './example/src/notes/decide.js';
import { notes } from './example/src/notes/index.js';

const PAGE = readFileSync('docs/adding-a-capability.md', 'utf8');
const EXAMPLE = join('test', 'docs', 'example');

/** The code that the page shows, by the file that it is of. */
const shown = [...PAGE.matchAll(/`((?:src|projections)\/notes\/\w+\.ts)`[^`]*```ts\n([\s\S]*?)```/g)].map(
  ([, file = '', code = '']) => [file, code] as const,
);

/** A file of the example as it would stand in `src/` or `projections/`. */
function asInPlace(file: string): string {
  return readFileSync(join(EXAMPLE, file), 'utf8').replace(
    /'((?:\.\.\/)+)(src|projections)\//g,
    (_all, up: string, root: string) => {
      // Five up is the repository, where the example's own folders would be.
      const depth = up.split('/').length - 1;
      const from = depth === 5 ? root : posix.join(dirname(file), up, root);
      return `'${posix.relative(dirname(file), from)}/`;
    },
  );
}

it('the page shows every file of the example as it is compiled and run here', () => {
  expect(shown.map(([file]) => file).sort()).toEqual(
    [
      'projections/notes/model.ts',
      'projections/notes/queries.ts',
      'src/notes/decide.ts',
      'src/notes/events.ts',
      'src/notes/index.ts',
      'src/notes/resolvers.ts',
      'src/notes/types.ts',
    ].sort(),
  );
  for (const [file, code] of shown) expect([file, code]).toEqual([file, asInPlace(file)]);
});

describe('the example', () => {
  let database: Awaited<ReturnType<typeof freshSql>>;
  let projector: Projector;
  let store: PostgresEventStore;
  let reader: EventReader;
  let schema: GraphQLSchema;

  beforeAll(async () => {
    database = await freshSql();
    const { sql } = database;
    store = await PostgresEventStore.open(sql);
    reader = new EventReader(store);
    projector = await Projector.open(sql, reader, [model], (name, error) => {
      throw new Error(name, { cause: error });
    });
    projector.start();
    const sender = new CommandSender(new CommandHandler(store), new PositionTokens(crypto.randomUUID()));
    const made = notes.graphql?.create({ sender, sql, models: projector } as unknown as Services);
    // Of the product's own resolvers the one that shows the account.
    const accounts = Object.create(AccountsResolver.prototype) as object;
    schema = createSchema(
      [...(made?.resolvers ?? []), accounts],
      [...RESOLVERS, ...(notes.graphql?.resolvers ?? [])],
    );
  });
  afterAll(async () => {
    reader.close();
    await projector.stop();
    await database.remove();
  });

  const ask = async (source: string, accountId = 'a1') => {
    const key = { id: `key of ${accountId}`, environment: 'live', scopes: ['read', 'write'], accountId };
    const contextValue = {
      caller: { kind: 'key', accountId, key, operator: false },
      now: Date.now(),
      correlationId: crypto.randomUUID(),
    };
    const { data, errors } = await graphql({ schema, source, contextValue });
    expect(errors).toBeUndefined();
    await projector.allReached(await store.head(), 60_000);
    return JSON.parse(JSON.stringify(data)) as unknown;
  };
  const write = (text: string, commandId: string) =>
    `mutation { writeNote(input: { text: "${text}", commandId: "${commandId}" }) {
       ... on WriteNotePayload { note { text } } ... on InvalidInput { code issues { path } } } }`;

  it('writes a note once, and shows it to its account alone', async () => {
    const written = { writeNote: { note: { text: 'buy milk' } } };
    expect(await ask(write('buy milk', 'c1'))).toEqual(written);
    expect(await ask(write('buy milk', 'c1'))).toEqual(written);
    expect(await ask('{ me { account { notes { text } } } }')).toEqual({
      me: { account: { notes: [{ text: 'buy milk' }] } },
    });
    expect(await ask('{ me { account { notes { text } } } }', 'a2')).toEqual({
      me: { account: { notes: [] } },
    });
    expect((await projector.rebuild('notes')).differing).toEqual([]);
  });

  it('refuses what its decider refuses, and a command id that cannot be one', async () => {
    expect(await ask(write('', 'c2'))).toEqual({
      writeNote: { code: 'INVALID_INPUT', issues: [{ path: ['text'] }] },
    });
    expect(await ask(write('buy milk', ''))).toEqual({
      writeNote: { code: 'INVALID_INPUT', issues: [{ path: ['commandId'] }] },
    });
    const written = { type: 'NoteWritten', data: { accountId: 'a1', text: 'x' } } as const;
    given(noteDecider, written).when({ type: 'EraseNote', accountId: 'a2' }).thenRefused('NOT_FOUND');
    given(noteDecider, written)
      .when({ type: 'EraseNote', accountId: 'a1' })
      .then({ type: 'NoteErased', data: { accountId: 'a1' } });
  });

  it('is in the audit log by what its front door says', () => {
    expect([...auditLog(notes.audited ?? {}).handles]).toEqual(['NoteWritten', 'NoteErased']);
  });
});
