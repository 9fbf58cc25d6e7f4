import { shownId } from '../../src/graphql/kit/ids.js';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';
import fc from 'fast-check';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { buildSchema } from 'graphql';
import WebSocket from 'ws';
import { READ_MODELS } from '../../src/capabilities.js';
import { elapsed, systemClock } from '../../src/clock.js';
import { LimitsDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place as DataPlace } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import type { Place, Sound } from './places.js';
import { placesOf } from './places.js';

// Laws 5 and 10 against hostile text at every input there is: whatever one customer sends, the read models stay
// what a replay gives, and others go on working. New fields and routes are covered as they come.

const PLACES = placesOf(buildSchema(readFileSync('schema/schema.graphql', 'utf8')));
/** Routes take what GraphQL takes, by the same names. */
const PARAMETERS = [
  ...new Set(
    PLACES.filter(({ name }) => !name.includes('.input.')).map(
      ({ name }) => name.split('.').at(-1) as string,
    ),
  ),
  'variables',
  'operationName',
  'extensions',
];
const HEADERS = [
  'X-API-Key',
  'Authorization',
  'Tollgraph-Account',
  'traceparent',
  'X-Forwarded-For',
  'Accept',
  'Content-Type',
  'Origin',
];
const PASSWORD = 'correct horse';

const PIECES = [
  '\ud83d',
  '\udc00',
  '\0',
  '\u0001',
  '\u0085',
  '\u2028',
  '\u202e',
  '\u200f',
  '\ufeff',
  '\ufffd',
  '\uffff',
  'e\u0301',
  '\u00e9',
  '👨‍👩‍👧‍👦',
  '__proto__',
  'constructor',
  '\n',
  ' ',
  `'";--\\`,
  '%00',
  'x',
];
/** Each of these has once stopped something, or would have. */
const KNOWN = [
  'half \ud83d',
  'list\u0001ok',
  '\0',
  'a\u2028\u202eb',
  `e${'\u0301'.repeat(2_000)}`,
  '\u00c4pfel A\u0308pfel',
  '__proto__',
  '👨‍👩‍👧‍👦'.repeat(100),
  'x'.repeat(100_000),
];
const hostile = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const RUNS = {
  examples: KNOWN.map((text): [string] => [text]),
  numRuns: KNOWN.length + 3,
  // A run goes through all places: smaller texts that fail, too, would take minutes to find.
  endOnFailure: true,
};

const routes: RouteOptions[] = [];
const logged: string[] = [];
let t: TestApp;
let place: DataPlace;
let bystander: Awaited<ReturnType<TestApp['customer']>>;
/** Whose key a back end verifies, with labels of its own. */
let gateway: typeof bystander;

beforeAll(async () => {
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', (route) => void routes.push(route));
  });
  place = await freshPlace({ ready: true });
  await start();
  bystander = await t.customer('team');
  gateway = await t.customer('team');
});
afterAll(async () => {
  await t.close();
  await place.remove();
});

/** Time that has passed for whoever is let through so often a minute, in milliseconds. */
let ahead = 0;
const aMinuteLater = (): void => void (ahead += 60_000);

async function start(): Promise<void> {
  const error = (message: string, cause?: unknown): void => void logged.push(`${message}: ${String(cause)}`);
  t = await startApp({
    place,
    log: { info: () => {}, warn: () => {}, error },
    time: { clock: systemClock, elapsed: () => elapsed() + ahead },
  });
}

/** Whoever throws texts: an operator, who may do everything, with a secret. */
type Attacker = Awaited<ReturnType<TestApp['customer']>>;
async function newAttacker(): Promise<Attacker> {
  const attacker = await t.customer('enterprise');
  await t.makeOperator(attacker);
  return attacker;
}

let attacker: Attacker;
/** With which credential a place is reached. */
const credentials = new Map<string, 'token' | 'secret'>();
const unreached: object[] = [];
let emails = 0;
/** A use that counts, whatever else is said of it. */
const SPENDS = { meter: 'requests', quantity: '1', method: 'GET' };
const soundFor =
  ({ accountId, userId, keyId }: Attacker): Sound =>
  (name, type) => {
    if (/email/i.test(name)) return `hostile${++emails}@example.com`;
    if (/password/i.test(name)) return PASSWORD;
    if (type === 'DateTime') return new Date(Date.now() + 3_600_000).toISOString();
    const known = {
      accountId,
      userId,
      id: keyId,
      keyId,
      secret: gateway.secret,
      planId: 'enterprise',
      ...SPENDS,
    };
    return (known as Readonly<Record<string, string>>)[name] ?? 'x';
  };

/** What would say that a text did harm, though nothing broke yet. */
async function expectNoHarm(): Promise<void> {
  await t.caughtUp();
  expect(logged.splice(0)).toEqual([]);
  expect(t.app.parts.projector.failures()).toEqual([]);
  const health = await fetch(`${t.app.url}/v1/health`);
  expect(await health.json()).toMatchObject({ status: 'ready', problems: [], warnings: [] });
}

it('finds the places', () => {
  const names = PLACES.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      'issueKey.input.metadata.value',
      'verifyKey.input.spend.operation',
      'searchPatterns.query',
      'account.keys.after',
      'account.auditLog.filter.actorId',
    ]),
  );
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(80);
});

/** Sends a text in a place. Some end what a minute allows, or the session, or the account: then somebody new goes on. */
async function send({ name, operation }: Place, given: string) {
  for (const again of [true, false]) {
    const { query, variables } = operation(given, soundFor(attacker));
    const answer = await t.raw(query, variables, attacker[credentials.get(name) ?? 'token']);
    if (!again || ![401, 403, 429].includes(answer.status)) return answer;
    if (answer.status === 429) aMinuteLater();
    else attacker = await newAttacker();
  }
  throw new Error('not reached');
}

it('every place is reached', async () => {
  attacker = await newAttacker();
  for (const place of PLACES) {
    const last = place.name.split('.').at(-1) as string;
    const sound = soundFor(attacker)(
      last,
      ['from', 'to', 'expiresAt'].includes(last) ? 'DateTime' : 'String',
    );
    for (const credential of ['token', 'secret'] as const) {
      credentials.set(place.name, credential);
      const { status, errors = [] } = await send(place, sound);
      const codes = errors.map(({ extensions }) => extensions['code']);
      if (status !== 401 && status !== 403 && !codes.includes('SESSION_REQUIRED')) break;
      if (credential === 'secret') unreached.push({ place: place.name, status, codes });
    }
  }
  expect(unreached).toEqual([]);
  await expectNoHarm();
});

it('no text in any input of the schema does harm', async () => {
  const wrong: object[] = [];
  await fc.assert(
    fc.asyncProperty(hostile, async (given) => {
      for (const place of PLACES) {
        const { status, errors = [] } = await send(place, given);
        const codes = errors.map(({ extensions }) => extensions['code']);
        if (status >= 500 || codes.includes('INTERNAL') || codes.includes('GRAPHQL_VALIDATION_FAILED')) {
          wrong.push({ place: place.name, status, codes });
        }
      }
      expect(wrong).toEqual([]);
      await expectNoHarm();
    }),
    RUNS,
  );
});

/** The parameters that routes say they have, by their addresses. */
async function parametersOfRoutes(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { paths } = (await (await fetch(`${t.app.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { parameters?: readonly { name: string; in: string }[] }>>;
  };
  return new Map(
    Object.entries(paths).map(([path, methods]) => {
      const all = Object.values(methods).flatMap(({ parameters = [] }) => parameters);
      const names = all.flatMap(({ name, in: place }) => (place === 'query' ? [name] : []));
      return [path.replace(/\{([^}]+)\}/g, ':$1'), [...new Set(names)]];
    }),
  );
}

it('no text in a parameter of any route does harm', async () => {
  const known = [...new Set(routes.map(({ url }) => url))];
  const declared = await parametersOfRoutes();
  const somewhere = [...new Set([...declared.values()].flat())];
  expect(somewhere).toEqual(expect.arrayContaining(['timeZone', 'groupBy', 'accountId']));
  // Each of the others alone once, whatever the text, and all together with each.
  const aRun = Math.ceil(PARAMETERS.length / RUNS.numRuns);
  let run = 0;
  expect(known).toEqual(expect.arrayContaining(['/graphql', '/health', '/v1/audit.csv']));
  // Headers, the first line among them, have at most 16 KiB.
  const encoded = (given: string): string => encodeURIComponent(given.toWellFormed()).slice(0, 4_000);
  await fc.assert(
    fc.asyncProperty(hostile, async (given) => {
      const headers = { authorization: `Bearer ${(await newAttacker()).token}` };
      const others = PARAMETERS.slice(run * aRun, ++run * aRun);
      const together = PARAMETERS.map((name) => `${name}=${encoded(given).slice(0, 90)}`).join('&');
      for (const url of known) {
        const inPath = url.replace(/:[^/]+|\*/g, encoded(given));
        const own = declared.get(url) ?? [];
        const alone = new Set([...(own.length > 0 ? own : somewhere), ...others]);
        const addresses = [...alone].map((name) => `${inPath}?${name}=${encoded(given)}`);
        addresses.push(`${inPath}?${together}`);
        addresses.push(`${inPath}?${encoded(given)}=x`, `${inPath}?actor=%ed%a0%80`);
        aMinuteLater();
        const answers = await Promise.all(
          addresses.map(async (address) => {
            const response = await fetch(`${t.app.url}${address}`, { headers });
            await response.arrayBuffer();
            return { url, status: response.status };
          }),
        );
        expect(answers.filter(({ status }) => status === 429 || status >= 500)).toEqual([]);
      }
      await expectNoHarm();
    }),
    RUNS,
  );
});

/** A text as what clients send, and as what none would. */
const bodiesWith = (
  given: string,
): readonly (readonly [type: string, body: string | Uint8Array<ArrayBuffer>])[] => [
  ['application/json', JSON.stringify({ query: given, operationName: given, variables: { [given]: given } })],
  [
    'application/json',
    JSON.stringify({ query: '{ __typename }', operationName: given, extensions: { [given]: given } }),
  ],
  [
    'application/json',
    JSON.stringify({ documentId: given, id: given, type: given, data: { object: given } }),
  ],
  ['application/json', JSON.stringify([given])],
  ['application/json', given],
  ['application/graphql', given],
  ['text/plain', given],
  ['application/x-www-form-urlencoded', new URLSearchParams([[given, given]]).toString()],
  [
    'multipart/form-data; boundary=b',
    `--b\r\nContent-Disposition: form-data; name="file"; filename="${given}.txt"\r\n\r\n${given}\r\n` +
      `--b\r\nContent-Disposition: form-data; name="${given}"\r\n\r\n${given}\r\n--b--\r\n`,
  ],
  ['application/json', Uint8Array.from([0x7b, 0x22, 0xed, 0xa0, 0x80, ...Buffer.from(given), 0x22, 0x7d])],
];

it('no text in a body of any route does harm', async () => {
  const writing = routes.flatMap(({ method, url }) =>
    [method]
      .flat()
      .flatMap((one) => (['POST', 'PUT', 'PATCH', 'DELETE'].includes(one) ? [{ method: one, url }] : [])),
  );
  expect(writing).toContainEqual({ method: 'POST', url: '/graphql' });
  await fc.assert(
    fc.asyncProperty(hostile, async (given) => {
      const authorization = `Bearer ${(await newAttacker()).token}`;
      for (const { method, url } of writing) {
        const address = `${t.app.url}${url.replace(/:[^/]+|\*/g, 'x')}`;
        const answers = await Promise.all(
          bodiesWith(given).map(async ([type, body]) => {
            const headers = { authorization, 'content-type': type };
            const response = await fetch(address, { method, headers, body });
            await response.arrayBuffer();
            return { method, url, type, status: response.status };
          }),
        );
        expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      }
      await expectNoHarm();
    }),
    RUNS,
  );
});

it('no text in a header does harm', async () => {
  const { hostname, port } = new URL(t.app.url);
  const ask = async (name: string, given: string): Promise<number> => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    const lines = ['GET /graphql?query=%7B__typename%7D HTTP/1.1', 'Host: x', `${name}: ${given}`];
    socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(await bodyOf(socket))?.[1]);
  };
  await fc.assert(
    fc.asyncProperty(hostile, async (given) => {
      const statuses = await Promise.all(HEADERS.map((name) => ask(name, given)));
      expect(statuses.filter((status) => !(status >= 200 && status < 500))).toEqual([]);
      await expectNoHarm();
    }),
    RUNS,
  );
});

it('no text in the payload of connection_init does harm', async () => {
  const ask = (name: string, given: string) =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(`${t.app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
      socket.on('open', () =>
        socket.send(JSON.stringify({ type: 'connection_init', payload: { [name]: given } })),
      );
      socket.on('message', () => socket.close(1000));
      socket.on('close', resolve);
      socket.on('error', () => undefined);
    });
  await fc.assert(
    fc.asyncProperty(hostile, async (given) => {
      const names = ['authorization', 'X-API-Key', 'tollgraph-account', given.slice(0, 100)];
      const codes = await Promise.all(names.map((name) => ask(name, given)));
      // Nobody is let in, and nothing failed here: 4500, 1011 and 1006 would say so.
      expect(codes.filter((code) => ![4400, 4401, 4403, 1009].includes(code))).toEqual([]);
      await expectNoHarm();
    }),
    RUNS,
  );
});

/** What has been counted of each limit that a restart loads, of who has been named in hostile calls and who has not. */
const quotas = (): Promise<unknown[]> =>
  Promise.all(
    [bystander, gateway].map(async ({ secret }) => {
      const { data } = await t.query(LimitsDocument, {}, secret);
      return data?.account?.limits?.map(({ name, used }) => ({ name, used }));
    }),
  );

it('a restart finds every quota as it was', async () => {
  await t.raw('{ patterns(first: 1) { totalCount } }', {}, bystander.secret);
  await t.caughtUp();
  const before = await quotas();
  const used = (of: unknown): number =>
    Number((of as { name: string; used: string }[]).find(({ name }) => name === 'requests-month')?.used);
  expect(used(before[0])).toBe(1);
  expect(used(before[1])).toBeGreaterThan(10);
  await t.close();
  await start();
  expect((await quotas()).map(used)).toEqual(before.map(used));
  await expectNoHarm();
});

it('everybody else goes on, and the read models are what a replay gives', async () => {
  const call = await t.raw('{ patterns(first: 1) { totalCount } }', {}, bystander.secret);
  expect(call).toMatchObject({ status: 200, data: { patterns: { totalCount: 0 } } });
  const LIST = '{ me { account { keys { nodes { id name } } } } }';
  expect((await t.raw(LIST, {}, bystander.token)).data).toEqual({
    me: { account: { keys: { nodes: [{ id: shownId('Key', bystander.keyId), name: 'test' }] } } },
  });
  await t.caughtUp();
  for (const { name } of READ_MODELS) {
    const { differing } = await t.app.parts.projector.rebuild(name, { dryRun: true });
    expect({ name, differing }).toEqual({ name, differing: [] });
  }
  await expectNoHarm();
});
