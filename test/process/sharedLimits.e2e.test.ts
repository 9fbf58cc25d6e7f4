import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SECRET_NAMES } from '../../src/config.js';
import type { Place } from '../support/database.js';
import { freshPlace, ON_POSTGRES } from '../support/database.js';
import { CAN_START_REDIS, OwnRedis } from '../support/redis.js';
import type { Product, Reply } from './product.js';
import { ask, kill, ready, spawnProduct } from './product.js';
import type { Root } from './root.js';
import { makeRoot } from './root.js';
import { pause, until } from '../support/until.js';

/** Requests a minute and a month. */
const AMOUNT = 60;
const WORKERS = 12;

const ALLOWED = 'tollgraph_limits_outage_calls_total{decision="allowed"}';
const CATEGORIES = '{ categories { slug } }';
const ME = '{ me { account { id } } }';

/** Several processes need PostgreSQL, and a Redis that a test may flush and stop. */
const possible = ON_POSTGRES && CAN_START_REDIS ? describe : describe.skip;

possible('API nodes that share their limits through Redis', () => {
  let root: Root;
  let place: Place;
  let redis: OwnRedis;
  const running: Product[] = [];
  /** The first two deny calls while Redis is away, the third goes by the default. */
  let nodes: readonly string[];

  beforeAll(async () => {
    root = await makeRoot({ patterns: 1, amount: AMOUNT });
    place = await freshPlace();
    redis = await OwnRedis.start();
    const secrets = Object.fromEntries(
      SECRET_NAMES.map((name) => [name, randomBytes(32).toString('base64url')]),
    );
    const run = (name: string, env: NodeJS.ProcessEnv): Promise<string> => {
      const all = { DATA_DIR: join(place.dataDir, name), ...secrets, ...env };
      const product = spawnProduct(place, root.path, all);
      running.push(product);
      return ready(product);
    };
    const api = (name: string, policy: string): Promise<string> =>
      run(name, { ROLE: 'api', NODE_ID: name, REDIS_URL: redis.url, LIMITS_ON_OUTAGE: policy });
    const projector = run('projector', { ROLE: 'projector' });
    nodes = await Promise.all([api('one', 'deny'), api('two', 'deny'), api('three', '')]);
    await projector;
  });
  afterAll(async () => {
    await Promise.all(running.map(kill));
    await redis.stop();
    await place.remove();
    await root.remove();
  });

  let emails = 0;
  /** A key of a new account, known to all nodes. */
  async function customer(): Promise<string> {
    const [first = ''] = nodes;
    const input = { email: `shared${++emails}@example.com`, password: 'correct horse' };
    const registered = await ask(
      first,
      'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { ... on RegisterUserPayload { session { sessionToken } } } }',
      { variables: { input }, from: `10.2.0.${emails}` },
    );
    const issued = await ask(
      first,
      'mutation { issueKey(input: { name: "shared" }) { ... on IssueKeyPayload { secret } } }',
      { credential: registered?.data?.['registerUser']?.session?.sessionToken ?? '' },
    );
    const secret = issued?.data?.['issueKey']?.secret ?? '';
    for (const url of nodes) {
      await until(async () => (await ask(url, ME, { credential: secret }))?.status === 200);
    }
    return secret;
  }

  const call = (node: number, credential: string): Promise<Reply | undefined> =>
    ask(nodes[node] ?? '', CATEGORIES, { credential });
  const metric = async (node: number, line: string): Promise<number> => {
    const text = await (await fetch(`${nodes[node]}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((each) => each.startsWith(`${line} `))
        ?.slice(line.length),
    );
  };

  // Law 2.
  it(`let exactly ${AMOUNT} of 200 parallel requests pass`, async () => {
    const secret = await customer();
    const replies = await Promise.all(Array.from({ length: 200 }, (_, i) => call(i % 2, secret)));
    const count = (status: number): number => replies.filter((reply) => reply?.status === status).length;
    expect([count(200), count(429)]).toEqual([AMOUNT, 200 - AMOUNT]);
    for (const node of [0, 1, 2]) expect(await metric(node, 'tollgraph_limits_up')).toBe(1);
  });

  // Decision 15.
  it.each(['flush', 'restart'] as const)('count on after a %s of Redis under load', async (loss) => {
    const secret = await customer();
    let passed = 0;
    let underWay = 0;
    let atLoss = 0;
    let refused = 0;
    let lost: Promise<void> | undefined;
    const work = async (worker: number): Promise<void> => {
      while (refused < 2 * WORKERS) {
        underWay++;
        const reply = await call(worker % 2, secret);
        underWay--;
        if (reply?.status === 429) refused++;
        if (reply?.status === 200 && ++passed === AMOUNT / 2) {
          atLoss = underWay;
          lost = redis[loss]();
        }
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, (_, i) => work(i)));
    await lost;
    process.stdout.write(
      `shared limits after a ${loss}: ${passed} of ${AMOUNT} answered, under way at the loss ${atLoss}\n`,
    );
    expect(passed).toBeLessThanOrEqual(AMOUNT + WORKERS);
    // What was taken and never answered is loaded with nothing: nearly all of the amount was to be had.
    expect(passed).toBeGreaterThanOrEqual(AMOUNT - WORKERS);
  });

  it('do while Redis is away as the configuration says, and count all of it when it is back', async () => {
    const secret = await customer();
    for (let i = 0; i < 5; i++) expect((await call(2, secret))?.status).toBe(200);
    const before = await metric(2, ALLOWED);
    await redis.stop();

    const denied = await call(0, secret);
    expect([denied?.status, denied?.codes, denied?.retryAfter]).toEqual([503, ['TRY_AGAIN'], 1]);
    const allowed = await Promise.all(Array.from({ length: 100 }, () => call(2, secret)));
    // The five of before are known: they are in the journal.
    expect(allowed.filter((reply) => reply?.status === 200)).toHaveLength(AMOUNT - 5);
    expect(allowed.filter((reply) => reply?.status === 429)).toHaveLength(100 - (AMOUNT - 5));
    expect(await metric(0, 'tollgraph_limits_up')).toBe(0);
    expect(await metric(0, 'tollgraph_limits_outage_calls_total{decision="denied"}')).toBeGreaterThan(0);
    expect((await metric(2, ALLOWED)) - before).toBe(100);

    await redis.restart();
    let back: Reply | undefined;
    while ((back = await call(0, secret))?.status === 503) await pause();
    expect(back?.status).toBe(429);
  });
});
