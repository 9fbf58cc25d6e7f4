import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ProfileEvent } from '../../src/plans/events.js';
import { profileStream } from '../../src/plans/events.js';
import type { Profile } from '../../src/plans/profile.js';
import { publishProfile } from '../../src/plans/publish.js';
import { freshSql } from '../support/database.js';
import { plan, shop } from './shop.js';

let database: Awaited<ReturnType<typeof freshSql>>;
let commands: CommandHandler;
beforeAll(async () => {
  database = await freshSql();
  commands = new CommandHandler(await PostgresEventStore.open(database.sql));
});
afterAll(() => database.remove());

const context = { caller: 'system', at: new Date(0), environment: 'live', correlationId: 'c' } as const;
const publish = (profile: Profile): Promise<void> => publishProfile(commands, profile, context);

async function published(name: string): Promise<ProfileEvent['data'][]> {
  return (await commands.load(profileStream(name))).map((stored) => as<ProfileEvent>(stored).data);
}

it('adds a version for each edit, for going back too, and none without a change', async () => {
  const first = shop({ name: 'edited' });
  const second = shop({ name: 'edited', plans: [plan('free', 20), plan('pro', 100)] });
  for (const profile of [first, first, second, second, first, first, second]) await publish(profile);
  const versions = await published('edited');
  expect(versions.map(({ version, profile }) => [version, profile])).toEqual([
    [1, first],
    [2, second],
    [3, first],
    [4, second],
  ]);
  expect(versions[0]?.hash).toBe(versions[2]?.hash);
  expect(versions[0]?.hash).not.toBe(versions[1]?.hash);
});

it('takes the same content in another order for the same', async () => {
  const { name: _name, plans, ...rest } = shop();
  await publish(shop({ name: 'ordered' }));
  await publish({ plans, ...rest, name: 'ordered' });
  expect((await published('ordered')).length).toBe(1);
});

it('publishes once when nodes start at once', async () => {
  await Promise.all(Array.from({ length: 8 }, () => publish(shop({ name: 'raced' }))));
  expect((await published('raced')).map(({ version }) => version)).toEqual([1]);
});
