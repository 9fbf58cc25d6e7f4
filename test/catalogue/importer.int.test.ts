import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { PatternContent, PatternEvent } from '../../src/catalogue/events.js';
import { patternHash, patternStream } from '../../src/catalogue/events.js';
import {
  importPatterns,
  patternId,
  PatternFileError,
  readPatternFiles,
} from '../../src/catalogue/importer.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { as } from '../../src/eventsourcing/event.js';
import { freshSql } from '../support/database.js';

const TIERS = ['community', 'basic'];
const context = { caller: 'system', at: new Date(0), environment: 'live', correlationId: 'c' } as const;

const file = (over: object = {}): Record<string, unknown> => ({
  name: 'Saga',
  tier: 'community',
  tags: ['steps', 'long-running'],
  description: 'A long task as a row of steps, each with another one that takes it back. '.repeat(2),
  ...over,
});

let database: Awaited<ReturnType<typeof freshSql>>;
let commands: CommandHandler;
let folder: string;
beforeAll(async () => {
  database = await freshSql();
  commands = new CommandHandler(await PostgresEventStore.open(database.sql));
});
afterAll(() => database.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgraph-patterns-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(path: string, content: unknown): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), typeof content === 'string' ? content : stringify(content));
}

/** The published events of a slug. */
const history = async (slug: string): Promise<PatternEvent[]> =>
  (await commands.load(patternStream(patternId(slug)))).map((stored) => {
    const { type, data } = as<PatternEvent>(stored);
    return { type, data };
  });

/** Imports the folder, knowing what is published, or nothing as after a crash. */
async function importAll(knowing: 'all' | 'nothing' = 'all'): Promise<number> {
  const contents = await readPatternFiles(folder, TIERS);
  const known = new Map<string, string>();
  for (const { slug } of knowing === 'all' ? contents : []) {
    const last = (await history(slug)).at(-1);
    if (last) known.set(patternId(slug), patternHash(last.data));
  }
  return importPatterns(commands, contents, known, context);
}

describe('pattern files', () => {
  it('are read sorted, with category and slug from the path', async () => {
    await write('b/two-words.yaml', file({ name: 'Two words' }));
    await write('a/one.yaml', file({ example: { language: 'ts', text: 'x' } }));
    await write('a/notes.txt', 'not a pattern');
    const contents = await readPatternFiles(folder, TIERS);
    expect(contents.map(({ category, slug, name }) => [category, slug, name])).toEqual([
      ['a', 'one', 'Saga'],
      ['b', 'two-words', 'Two words'],
    ]);
    expect(contents.map(({ example }) => example)).toEqual([{ language: 'ts', text: 'x' }, null]);
  });

  it.each<[string, string, unknown, RegExp]>([
    ['an unknown tier', 'a/saga.yaml', file({ tier: 'gold' }), /tier: "gold" is none of community, basic/],
    ['a name that is no slug', 'a/My Saga.yaml', file(), /the file name is not a slug/],
    ['a short description', 'a/saga.yaml', file({ description: 'Short.' }), /description: /],
    ['no tags', 'a/saga.yaml', file({ tags: [] }), /tags: /],
    ['a tag that is no slug', 'a/saga.yaml', file({ tags: ['Long Running'] }), /tags\.0: /],
    ['a misspelt field', 'a/saga.yaml', file({ exmaple: 'x' }), /exmaple/],
    ['the character NUL', 'a/saga.yaml', file({ name: 'Sa\0ga' }), /name: holds a control character/],
    [
      'half a surrogate pair',
      'a/saga.yaml',
      stringify(file()).replace('name: Saga', 'name: "Sa\\ud83dga"'),
      /name: is not well-formed/,
    ],
    [
      'a control character in an example',
      'a/saga.yaml',
      file({ example: { language: 'ts', text: 'a\u0001b' } }),
      /example\.text: holds a control character/,
    ],
    ['a name of two lines', 'a/saga.yaml', file({ name: 'Sa\nga' }), /name: must be one line/],
    ['a folder that is no category', `${'x'.repeat(101)}/saga.yaml`, file(), /"category" must have/],
    ['no content', 'a/saga.yaml', '', /expected object/],
    ['broken YAML', 'a/saga.yaml', 'name: "Saga\ntags: [', /quote/],
  ])('are refused with %s, by their path', async (_what, path, content, message) => {
    await write('a/good.yaml', file());
    await write(path, content);
    const refused = await readPatternFiles(folder, TIERS).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PatternFileError);
    expect((refused as Error).message).toContain(`${join(folder, path)}: `);
    expect((refused as Error).message).toMatch(message);
  });

  it('are refused with every problem of a file at once', async () => {
    await write('a/My Saga.yaml', file({ tier: 'gold' }));
    await expect(readPatternFiles(folder, TIERS)).rejects.toThrow(/not a slug.*; .*tier: "gold"/);
  });
});

describe('an import', () => {
  it('publishes what is new, revises what was edited, back to an old content too, and nothing else', async () => {
    const slug = 'edited';
    const [first, second] = [file(), file({ name: 'Sagas' })];
    const changed: number[] = [];
    for (const content of [first, first, second, second, first, first]) {
      await write(`a/${slug}.yaml`, content);
      changed.push(await importAll());
    }
    expect(changed).toEqual([1, 0, 1, 0, 1, 0]);
    const events = await history(slug);
    expect(events.map(({ type, data }) => [type, data.name])).toEqual([
      ['PatternPublished', 'Saga'],
      ['PatternRevised', 'Sagas'],
      ['PatternRevised', 'Saga'],
    ]);
  });

  it('adds no event when it knows less than is stored: after a crash, or beside another one', async () => {
    await write('a/crashed-one.yaml', file());
    await importAll('nothing');
    await write('a/crashed-two.yaml', file());
    await Promise.all([importAll('nothing'), importAll('nothing'), importAll('nothing')]);
    expect([(await history('crashed-one')).length, (await history('crashed-two')).length]).toEqual([1, 1]);
  });

  it('tells how far it is', async () => {
    for (let i = 0; i < 40; i++) await write(`a/progress-${i}.yaml`, file());
    const contents: PatternContent[] = await readPatternFiles(folder, TIERS);
    const shown: string[] = [];
    await importPatterns(commands, contents, new Map(), context, (done, total) =>
      shown.push(`${done}/${total}`),
    );
    expect(shown).toEqual(Array.from({ length: 40 }, (_, i) => `${i + 1}/40`));
  });

  it('names a pattern the same in every installation', () => {
    expect(patternId('saga')).toBe(patternId('saga'));
    expect(patternId('saga')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
    expect(patternId('sagas')).not.toBe(patternId('saga'));
  });
});
