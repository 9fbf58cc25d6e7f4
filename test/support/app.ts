import { givenId } from '../../src/graphql/kit/ids.js';
import { parseConfig } from '../../src/config.js';
import { silentLogger } from '../../src/logger.js';
import type { App, StartOptions } from '../../src/main.js';
import { start } from '../../src/main.js';
import { operatorsDecider } from '../../src/operators/decide.js';
import { OPERATORS_STREAM } from '../../src/operators/events.js';
import { subscriptionDecider } from '../../src/plans/decide.js';
import { subscriptionStream } from '../../src/plans/events.js';
import type { TypedDocumentString } from '../generated/graphql.js';
import { allEvents } from '../crash/facts.js';
import type { IssueKeyInput } from '../generated/graphql.js';
import { IssueKeyDocument, RegisterUserDocument } from '../generated/graphql.js';
import type { Place } from './database.js';
import { freshPlace } from './database.js';

export interface Answer<R> {
  readonly status: number;
  readonly headers: Headers;
  readonly data?: R;
  readonly errors?: readonly { message: string; path?: string[]; extensions: Record<string, unknown> }[];
}

export interface TestApp {
  readonly app: App;
  readonly place: Place;
  /** Posts an operation. `credential` is a key or a session token. */
  query<R, V>(document: TypedDocumentString<R, V>, variables: V, credential?: string): Promise<Answer<R>>;
  /** Posts any text as a query. */
  raw(query: string, variables?: object, credential?: string): Promise<Answer<Record<string, unknown>>>;
  /** Registers a user; the session token, and the ids. */
  register(email?: string): Promise<{ token: string; accountId: string; userId: string }>;
  /** Issues a key for a session. */
  issueKey(
    token: string,
    environment?: 'LIVE' | 'TEST',
    scopes?: IssueKeyInput['scopes'],
  ): Promise<{ secret: string; keyId: string }>;
  /** Puts an account on a plan, as an operator. */
  grant(accountId: string, plan: string): Promise<void>;
  /** Puts a user above accounts. @param at by default now, by the clock of the machine */
  makeOperator(user: { readonly userId: string; readonly accountId: string }, at?: Date): Promise<void>;
  /** A new account on the plan, with a live key. */
  customer(
    plan?: string,
  ): Promise<{ token: string; accountId: string; userId: string; secret: string; keyId: string }>;
  /** How many events there are. Those of mails are left out: they come when a mail is sent. */
  events(): Promise<number>;
  /** Waits until the read models have seen every event that there is now. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

export interface TestAppOptions extends Partial<Omit<StartOptions, 'config'>> {
  /** Data of an earlier app; otherwise fresh ones, removed at the end. */
  readonly place?: Place;
  readonly env?: NodeJS.ProcessEnv;
}

let emails = 0;

/** Starts the product in this process on a free port; without patterns and without the model, unless asked for. */
export async function startApp({ place, env, ...options }: TestAppOptions = {}): Promise<TestApp> {
  const own = place ?? (await freshPlace({ ready: true }));
  const config = parseConfig({
    DATA_DIR: own.dataDir,
    DATABASE_URL: own.databaseUrl,
    PORT: '0',
    EMBEDDINGS: 'off',
    // Every registration of a test comes from an address of its own.
    TRUST_PROXY: '1',
    // An hour that comes while a test runs, or to which its clock is moved, is none of its business.
    DAILY_REPORT: 'off',
    // A start without payments is cheaper; whoever names a key of Stripe's, or BILLING, has them.
    ...(!Object.keys(env ?? {}).some((name) => name.startsWith('STRIPE_')) && { BILLING: 'off' }),
    ...env,
  });
  const app = await start({ config, root: process.cwd(), log: silentLogger, patterns: null, ...options });

  const post = async <R>(body: string, credential?: string): Promise<Answer<R>> => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': `10.0.${(emails >> 8) & 255}.${emails & 255}`,
        ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
      },
      body,
    });
    return { status: response.status, headers: response.headers, ...((await response.json()) as object) };
  };

  const test: TestApp = {
    app,
    place: own,
    query: (document, variables, credential) =>
      post(JSON.stringify({ query: document.toString(), variables }), credential),
    raw: (query, variables = {}, credential) => post(JSON.stringify({ query, variables }), credential),
    register: async (given) => {
      const n = ++emails;
      const email = given ?? `user${n}.${process.pid}@example.com`;
      const input = { email, password: 'correct horse' };
      const { data } = await test.query(RegisterUserDocument, { input });
      const result = data?.registerUser;
      if (result?.__typename !== 'RegisterUserPayload' || !result.session) {
        throw new Error(`registerUser answered ${JSON.stringify(result)}`);
      }
      return {
        token: result.session.sessionToken,
        accountId: givenId('Account', result.account.id),
        userId: givenId('User', result.user.id),
      };
    },
    issueKey: async (token, environment = 'LIVE', scopes = ['READ']) => {
      const { data } = await test.query(
        IssueKeyDocument,
        { input: { name: 'test', environment, scopes } },
        token,
      );
      const result = data?.issueKey;
      if (result?.__typename !== 'IssueKeyPayload' || result.secret == null) {
        throw new Error(`issueKey answered ${JSON.stringify(result)}`);
      }
      return { secret: result.secret, keyId: givenId('Key', result.key.id) };
    },
    grant: async (accountId, plan) => {
      await app.parts.commands.handle(
        subscriptionDecider,
        subscriptionStream(givenId('Account', accountId)),
        {
          type: 'GrantPlan',
          plan,
          plans: [plan],
          profileVersion: 1,
          grantedBy: 'operator:test',
          reason: 'a test',
        },
        {
          commandId: crypto.randomUUID(),
          caller: 'operator:test',
          requestHash: plan,
          at: new Date(),
          environment: 'live',
          correlationId: 'test',
        },
      );
    },
    makeOperator: async ({ userId, accountId }, at = new Date()) => {
      await app.parts.commands.handle(
        operatorsDecider,
        OPERATORS_STREAM,
        { type: 'GrantOperator', user: { userId, accountId }, reason: 'test' },
        {
          commandId: crypto.randomUUID(),
          caller: 'operator:test',
          requestHash: 'grant',
          at,
          environment: 'live',
          correlationId: 'test',
        },
      );
    },
    customer: async (plan = 'free') => {
      const user = await test.register();
      if (plan !== 'free') await test.grant(user.accountId, plan);
      return { ...user, ...(await test.issueKey(user.token)) };
    },
    events: async () => {
      const all = await allEvents(app.parts.store);
      return all.filter(({ type }) => !type.startsWith('Mail')).length;
    },
    caughtUp: async () => {
      const { projector, store } = app.parts;
      if (!(await projector.allReached(await store.head(), 600_000)))
        throw new Error('the read models are behind');
    },
    close: async () => {
      await app.close();
      if (!place) await own.remove();
    },
  };
  return test;
}
