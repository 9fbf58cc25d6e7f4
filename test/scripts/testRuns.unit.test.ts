import { spawnSync } from 'node:child_process';

interface Plan {
  readonly problem?: string;
  readonly runs: readonly { on: string; env: Record<string, string>; args: string[] }[];
  readonly left: readonly string[];
}

/** As scripts/test.mjs asks. */
function testRuns(environment: Record<string, string>, args: readonly string[] = []): Plan {
  const script =
    "import { testRuns } from './scripts/testRuns.mjs'; " +
    'process.stdout.write(JSON.stringify(testRuns(...JSON.parse(process.argv[1]))));';
  const { stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script, JSON.stringify([environment, args])],
    { encoding: 'utf8' },
  );
  return JSON.parse(stdout) as Plan;
}

const EVENTS = 'esdb://admin:changeit@events:2113?tls=false&userKeyFile=secret';

it('runs on what the environment names, with that in it alone, and says what was left out', () => {
  const embedded = testRuns({});
  expect(embedded.runs.map(({ env }) => env)).toEqual([{}]);
  expect(embedded.left.join()).toMatch(/DATABASE_URL is not set.*EVENTSTOREDB_URL is not set/);

  const all = testRuns({ DATABASE_URL: 'postgres://db', EVENTSTOREDB_URL: EVENTS });
  expect(all.runs.map(({ env }) => env)).toEqual([
    {},
    { DATABASE_URL: 'postgres://db' },
    { EVENTSTOREDB_URL: EVENTS },
  ]);
  expect(all.left).toEqual([]);

  const ignored = new RegExp(all.runs[1]?.args.at(-1) ?? '');
  expect(ignored.test('/dist/test/eventsourcing/eventStoreDb.int.test.js')).toBe(true);
  expect(ignored.test('/dist/test/eventsourcing/eventStoreDb.e2e.test.js')).toBe(false);
});

it.each([[['eventStoreDb']], [[]], [['eventStoreDb', '-t', 'head']]])(
  'contacts the EventStoreDB also when jest is given %j, and says where it is, without its secrets',
  (args) => {
    const run = testRuns({ EVENTSTOREDB_URL: EVENTS }, args).runs.at(-1);
    expect(run?.on).toBe('the EventStoreDB at events:2113 (EVENTSTOREDB_URL)');
    expect(run?.args.slice(0, args.length)).toEqual(args);
    // Whatever is asked for, only suites that talk to it.
    const ignored = new RegExp(run?.args.at(-1) ?? '');
    expect(ignored.test('/dist/test/eventsourcing/eventStoreDb.int.test.js')).toBe(false);
    expect(ignored.test('/dist/test/eventsourcing/eventStore.int.test.js')).toBe(true);
  },
);

it('takes EVENTSTORE_URL for EVENTSTOREDB_URL, and refuses both where they differ', () => {
  const { runs } = testRuns({ EVENTSTORE_URL: EVENTS });
  expect(runs.at(-1)?.env).toEqual({ EVENTSTOREDB_URL: EVENTS });
  const differing = testRuns({ EVENTSTORE_URL: EVENTS, EVENTSTOREDB_URL: 'esdb://other:2113' });
  expect(differing.problem).toMatch(/EVENTSTORE_URL .* EVENTSTOREDB_URL/);
  expect(differing.runs).toEqual([]);
});
