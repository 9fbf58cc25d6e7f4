import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adminSocket } from '../../src/admin/protocol.js';
import { allEvents } from '../crash/facts.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import { until } from '../support/until.js';

const LONG = 60_000;
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

  describe('import', () => {
    const KEYS = ['old_0123456789abcdef', 'old_fedcba9876543210'] as const;
    const ends = new Date(Date.now() + 30 * 86_400_000).toISOString();
    let file: string;

    beforeAll(async () => {
      file = join(t.place.dataDir, 'users.csv');
      await t.register('taken@example.com');
      const lines = [
        'email,name,plan,plan_until,key,key_name,key_scopes',
        `Old@example.com,"Ann, the first",team,,${KEYS[0]},first,read write`,
        `old@example.com,,,,${KEYS[1]},,`,
        `gift@example.com,,developer,${ends},,,`,
        'nobody,,,,,,',
        'gold@example.com,,gold,,,,',
        'taken@example.com,,team,,,,',
        'short@example.com,,,,short,,',
        `thief@example.com,,,,${KEYS[0]},,`,
      ];
      await writeFile(file, `${lines.join('\r\n')}\r\n`);
    });

    const PROBLEMS = [
      'line 5: "email" is not an e-mail address.',
      'line 6: There is no plan "gold"; there are free, developer, team, enterprise.',
      'line 7: A user has registered with this e-mail: what they have is changed by hand.',
      'line 8: "key" must have 16 to 96 visible ASCII characters.',
    ];
    const STOLEN = 'line 9: The key belongs to another user.';

    it('first says what it would do, and changes nothing', async () => {
      const before = await t.events();
      const dry = await run('import', file, '--dry-run');
      expect([dry.code, dry.stdout]).toEqual([
        1,
        '3 users, 2 plans and 3 keys would be imported; 0 lines were imported before; 4 cannot be.\n',
      ]);
      expect(dry.stderr).toContain(PROBLEMS.join('\n'));
      expect(await t.events()).toBe(before);
    });

    it('brings users, plans and keys in, tells by line what it cannot, and again adds nothing', async () => {
      const { code, stdout, stderr } = await run('import', file);
      expect([code, stdout]).toEqual([
        1,
        '2 users, 2 plans and 2 keys were imported; 0 lines were imported before; 5 cannot be.\n',
      ]);
      expect(stderr).toContain([...PROBLEMS, STOLEN].join('\n'));
      const asked = '{ me { account { plan { id } keys { nodes { name prefix last4 } } } } }';
      const { errors } = await t.raw(asked, {}, KEYS[0]);
      expect(errors?.[0]?.extensions['code']).toBe('SCOPE_MISSING');
      for (const key of KEYS) {
        const { data } = await t.raw('{ account { plan { id } planEndsAt } }', {}, key);
        expect(data).toEqual({ account: { plan: { id: 'team' }, planEndsAt: null } });
      }

      await t.caughtUp();
      const before = await t.events();
      const again = await run('import', file);
      expect(again.stdout).toBe(
        '0 users, 0 plans and 0 keys were imported; 3 lines were imported before; 5 cannot be.\n',
      );
      expect(await t.events()).toBe(before);
    });

    it('sends each new user one mail that explains', async () => {
      const facts = async () =>
        (await allEvents(t.app.parts.store)).filter(({ type }) => type.startsWith('Mail'));
      const notices = async () =>
        (await facts()).filter((event) => (event.data as { kind?: string }).kind === 'user-imported');
      const isSent = async (id: string) =>
        (await facts()).some((event) => event.type === 'MailSent' && event.streamId === id);
      await until(async () => {
        const asked = await notices();
        return asked.length >= 2 && (await isSent(asked[0]?.streamId ?? ''));
      });
      const [first] = await notices();
      const mail = await readFile(join(t.place.dataDir, 'mail', `${first?.streamId}.eml`), 'utf8');
      expect(mail.replace(/=\n/g, '')).toMatch(/your account has moved[\s\S]*requestPasswordReset/);
      expect((await notices()).length).toBe(2);
    });

    it.each([
      ['email,e_mail\n', 'There is no column "e_mail"'],
      ['name\nAnn\n', 'email among them'],
      ['email,name\na@example.com,"Ann\n', 'line 2: a quote is not closed'],
      ['email\na@example.com,Ann\n', 'line 2 has more cells'],
    ])('refuses a file that is none: %j', async (content, problem) => {
      const wrong = join(t.place.dataDir, 'wrong.csv');
      await writeFile(wrong, content);
      const { code, stderr } = await run('import', wrong);
      expect([code, stderr.split('\n\n')[0]]).toEqual([2, expect.stringContaining(problem)]);
    });
  });
});
