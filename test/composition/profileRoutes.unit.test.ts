import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../src/config.js';
import { createSchema } from '../../src/graphql/execution/schema.js';
import { compileRoutes } from '../../src/rest/declared/compile.js';
import { refusalOf } from '../../src/rest/declared/failures.js';
import { jsonText } from '../../src/rest/declared/jsonText.js';
import { readRoutes } from '../../src/rest/declared/file.js';

const schema = createSchema();

async function compiled(file: string) {
  const declared = await readRoutes(file);
  return declared && compileRoutes(schema, declared.routes, declared.source);
}

const FILES = (await readdir('profiles')).filter((file) => file.endsWith('.routes.yaml'));

it.each(FILES)('profiles/%s: each route can work with the schema as it is', async (file) => {
  const routes = await compiled(join('profiles', file));
  expect(routes?.routes.length).toBeGreaterThan(0);
});

// Failures of calls that the API behind serves: it asks verifyKey, and the file says what the product answers.
it.each([
  [
    'harmonic',
    { id: 'requests-month', meter: 'requests', window: 'month', amount: 1000 },
    {
      success: false,
      error: 'Quota exceeded',
      quota: 1000,
      used: 1000,
      resetDate: '2026-12-01T00:00:00.000Z',
    },
  ],
  [
    'videomind',
    { id: 'videos-day', meter: 'videos', window: 'day', amount: 3 },
    { detail: 'Daily video limit reached. free plan allows 3 videos per day.' },
  ],
] as const)(
  'profiles/%s.routes.yaml: what a quota that is used up is answered',
  async (name, limit, body) => {
    const routes = await compiled(join('profiles', `${name}.routes.yaml`));
    const used = { used: limit.amount, remaining: 0, resetAt: Date.UTC(2026, 11), at: 0, windowMs: 1 };
    const refusal = refusalOf('QUOTA_EXCEEDED', { limit: { ...used, limit } });
    expect(routes?.failures.tell(refusal, { plan: 'free' })).toEqual({ status: 429, body });
  },
);

it('what is used above 2^53 is told with all its digits', async () => {
  const routes = await compiled(join('profiles', 'harmonic.routes.yaml'));
  const limit = { id: 'requests-month', meter: 'requests', window: 'month', amount: 1000 } as const;
  const used = { used: 9_223_372_036_854_775_807, usedExactly: 9_223_372_036_854_775_807n, remaining: 0 };
  const refusal = refusalOf('QUOTA_EXCEEDED', {
    limit: { ...used, limit, resetAt: Date.UTC(2026, 11), at: 0, windowMs: 1 },
  });
  const { body } = routes?.failures.tell(refusal, { plan: 'free' }) ?? {};
  expect(jsonText(body)).toContain('"quota":1000,"used":9223372036854775807,');
});

describe('a route that cannot work', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tollgraph-routes-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const HEAD =
    'version: "1"\ncredentials: [authorization]\nfailures: { body: { detail: $message } }\nroutes:\n';
  const QUOTA = 'document: "query Q { account { plan { id } limits { name used } } }"';

  /** What is wrong with a file of one route, which begins in line 5, by lines. */
  async function problems(...lines: readonly string[]): Promise<readonly string[]> {
    const file = join(directory, 'shop.routes.yaml');
    await writeFile(
      file,
      `${HEAD}  - route: GET /a/{id}\n    summary: A\n${lines.map((line) => `    ${line}\n`).join('')}`,
    );
    const error = await compiled(file).then(
      () => new ConfigError([]),
      (caught: unknown) => caught as ConfigError,
    );
    if (!(error instanceof ConfigError)) throw error as Error;
    return error.problems.map((problem) => problem.replace(file, ''));
  }

  it('is told from one that can', async () => {
    expect(await problems(QUOTA, 'answer: { plan: $data.account.plan.id, id: $path.id }')).toEqual([]);
  });

  it.each<[string, string, readonly string[]]>([
    [
      'asks for a field that there is not',
      ':7: routes.0.document: Cannot query field "none"',
      ['document: "query Q { none }"', 'answer: 1'],
    ],
    [
      'has an operation without a name',
      ':7: routes.0.document: The operation needs a name',
      ['document: "{ account { id } }"', 'answer: 1'],
    ],
    [
      'subscribes',
      ':7: routes.0.document: A route cannot subscribe',
      ['document: "subscription S { usageChanged { position } }"', 'answer: 1'],
    ],
    [
      'gives a variable that there is not',
      ':9: routes.0.variables.x: the document has no $x',
      [QUOTA, 'variables:', '  x: 1', 'answer: 1'],
    ],
    [
      'leaves out a variable',
      ':5: routes.0: the document needs $id',
      ['document: "query N($id: ID!) { node(id: $id) { id } }"', 'answer: 1'],
    ],
    [
      'names what the answer has not',
      ':9: routes.0.answer.plan: $data.account.none: there is no "none": plan, limits',
      [QUOTA, 'answer:', '  plan: $data.account.none'],
    ],
    [
      'names a parameter that there is not',
      ':7: routes.0.answer: $query.page: there is no "page"',
      ['answer: $query.page'],
    ],
    ['names nothing', ':7: routes.0.answer: there is no $datum', ['answer: $datum.x']],
    ['calls a function', ':8: routes.0.answer.a: there is no $eval', ['answer:', '  a: { $eval: "1" }']],
    [
      'walks what is no list',
      ':9: routes.0.answer.$each: $each: is not a list',
      [QUOTA, 'answer:', '  $each: $data.account.plan', '  as: 1'],
    ],
    [
      'finds by what items have not',
      ':10: routes.0.answer.where: $find: an item has no "id"',
      [QUOTA, 'answer:', '  $find: $data.account.limits', '  where: { id: a }', '  get: 1'],
    ],
    [
      'has a text with what is not known',
      ':9: routes.0.failures.NOT_FOUND.message: there is no $tier',
      ['answer: 1', 'failures:', '  NOT_FOUND: { message: "Upgrade to {tier}" }'],
    ],
    [
      'has a schema that is none',
      ':5: routes.0: strict mode: unknown keyword: "minimun"',
      ['query: { page: { type: integer, minimun: 1 } }', 'answer: 1'],
    ],
    ['takes events of Stripe by GET', ':7: routes.0.stripe: a POST without', ['stripe: true', 'answer: 1']],
    [
      'says a word that there is not',
      ':5: routes.0: Unrecognized key: "answers"',
      ['answer: 1', 'answers: 2'],
    ],
  ])('which %s is refused with its line', async (_what, expected, lines) => {
    const [problem = '', ...others] = await problems(...lines);
    expect(problem.slice(0, expected.length)).toBe(expected);
    expect(others).toEqual([]);
  });

  it('is refused where it stands twice', async () => {
    expect(
      await problems('answer: 1', '', '', '').then(() =>
        problems('answer: 1\n  - { route: "GET /a/{key}", summary: B, answer: 2 }'),
      ),
    ).toEqual([':8: there is a GET /a/{key} already']);
  });
});
