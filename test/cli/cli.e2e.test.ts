import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { adminSocket } from '../../src/admin/protocol.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';

const LONG = 20_000;
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as a process of its own. */
function tollgraph(dataDir: string, ...args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, DATA_DIR: dataDir };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe('without a running process', () => {
  let place: Place;
  beforeAll(async () => {
    place = await freshPlace();
  });
  afterAll(() => place.remove());

  it('says so, and what to do', async () => {
    const { code, stdout, stderr } = await tollgraph(place.dataDir, 'read-models');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(
      `No Tollgraph process is running on ${place.dataDir}. Start it with "npm start"`,
    );
  });

  it.each([
    [['--help'], 'read-models  list the read models'],
    [['rebuild', '--help'], 'tollgraph rebuild <read model> [--dry-run]'],
    [['parked', 'replay', '-h'], 'tollgraph parked replay <id>'],
    [['serve', '--help'], 'tollgraph [serve]'],
  ])('explains itself: %s', async (args, text) => {
    const { code, stdout } = await tollgraph(place.dataDir, ...args);
    expect(code).toBe(0);
    expect(stdout).toContain(text);
  });

  it.each([
    [['rebiuld'], 'There is no command "rebiuld"'],
    [['rebuild'], 'rebuild takes the name of one read model'],
    [['rebuild', 'keys', '--dry'], "Unknown option '--dry'"],
    [['parked', 'skip', 'abc'], 'parked skip takes a --reason'],
    [['parked', 'lose'], 'parked knows no "lose"'],
  ])('tells what is wrong with %s, and the right form', async (args, text) => {
    const { code, stderr } = await tollgraph(place.dataDir, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
    expect(stderr).toContain('tollgraph');
  });
});

describe('through the running process', () => {
  let t: TestApp;
  const run = (...args: readonly string[]): Promise<Ran> => tollgraph(t.place.dataDir, ...args);
  beforeAll(async () => {
    t = await startApp();
    await t.customer();
    await t.caughtUp();
  });
  afterAll(() => t.close());

  it('takes commands from its owner alone', async () => {
    expect((await stat(adminSocket(t.place.dataDir))).mode & 0o777).toBe(0o600);
  });

  it('lists the read models', async () => {
    const { code, stdout } = await run('read-models');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^read model +version +generation/);
    expect(stdout).toMatch(/^keys +v\d+ +1 +\d+ +0 +here$/m);
  });

  it('rebuilds a read model and says that nothing differs', async () => {
    const dry = await run('rebuild', 'keys', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.stdout).toMatch(
      /^keys v\d+: \d+ events in .*\nAll rows are the same as before\.\nNothing was switched: generation 1 goes on\.\n$/,
    );
    expect(dry.stderr).toContain('Rebuilding keys …');
    const { code, stdout } = await run('rebuild', 'keys');
    expect(code).toBe(0);
    expect(stdout).toContain('Generation 2 answers now.');
    expect((await run('read-models')).stdout).toMatch(/^keys +v\d+ +2 /m);
  });

  it('refuses a read model that is not there, with the names of those that are', async () => {
    const { code, stderr } = await run('rebuild', 'nothing');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^there is no read model "nothing"; there are: (?=.*\bkeys\b)[a-zA-Z]+(, [a-zA-Z]+)+\n$/,
    );
  });

  it('shows what is parked, replays it, skips it', async () => {
    expect((await run('parked')).stdout).toBe('Nothing is parked.\n');
    const { store, projector } = t.app.parts;
    const stream = `pattern-${randomUUID()}`;
    // A pattern without a slug: no decider makes it, and the table does not take it.
    const { position } = await store.append(stream, -1, [newEvent({ type: 'PatternPublished' })]);
    expect(await projector.reached('catalogue', position, LONG)).toBe(true);

    const { code, stdout } = await run('parked', 'list');
    expect(code).toBe(0);
    const id = new RegExp(`^(\\w+) +catalogue v\\d+ +${stream} +1 .*null value in column`, 'm').exec(
      stdout,
    )?.[1];
    expect(id).toBeDefined();

    const health = await fetch(`${t.app.url}/health/ready`);
    expect(health.status).toBe(200);
    expect(await health.json()).toEqual({
      status: 'ready',
      problems: [],
      warnings: ['the read model catalogue has parked streams: 1'],
    });

    const replayed = await run('parked', 'replay', id ?? '');
    expect(replayed.code).toBe(1);
    expect(replayed.stderr).toContain('0 events replayed, 0 skipped; 1 stay parked');

    const skipped = await run('parked', 'skip', id ?? '', '--reason', 'it never was a pattern');
    expect(skipped).toMatchObject({ code: 0, stderr: '' });
    expect(skipped.stdout).toContain('0 events replayed, 1 skipped. The stream flows again.');
    expect((await run('parked')).stdout).toBe('Nothing is parked.\n');
    expect((await run('rebuild', 'catalogue')).stdout).toContain('All rows are the same as before.');

    const gone = await run('parked', 'replay', id ?? '');
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(gone.stderr).toContain(`Nothing that is parked has the id "${id}"`);
  });
});
