// A product as `npm start` runs it, with a customer, a live key of theirs, and a key of an operator's back end.
import { parseConfig } from '../src/config.js';
import { givenId } from '../src/graphql/kit/ids.js';
import { jsonLogger } from '../src/logger.js';
import { start } from '../src/main.js';
import { operatorsDecider } from '../src/operators/decide.js';
import { OPERATORS_STREAM } from '../src/operators/events.js';

/** Whom the benchmark calls as. */
export interface Callers {
  readonly url: string;
  readonly session: string;
  readonly accountId: string;
  readonly key: string;
  /** Of another customer: what takes nothing of a plan is asked at most sixty times a minute for an account. */
  readonly otherKey: string;
  /** Of an operator, with the scope admin. */
  readonly backEnd: string;
}

const [root = '', dataDir = ''] = process.argv.slice(2);
const app = await start({
  config: parseConfig({
    ...process.env,
    DATA_DIR: dataDir,
    PORT: '0',
    EMBEDDINGS: 'off',
    BILLING: 'off',
  }),
  root,
  log: jsonLogger(),
});

const ask = async (query: string, token?: string): Promise<string> => {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const request = { method: 'POST', headers, body: JSON.stringify({ query }) };
  return (await fetch(`${app.url}/graphql`, request)).text();
};
const named = (answer: string, name: string): string => {
  const value = new RegExp(`"${name}":"([^"]+)"`).exec(answer)?.[1];
  if (value === undefined) throw new Error(`no ${name}: ${answer}`);
  return value;
};
const register = async (email: string) => {
  const answer = await ask(
    `mutation { registerUser(input: {email: "${email}", password: "correct horse"}) {
      ... on RegisterUserPayload { session { sessionToken } user { userId: id } account { accountId: id } } } }`,
  );
  return {
    session: named(answer, 'sessionToken'),
    userId: givenId('User', named(answer, 'userId')),
    accountId: named(answer, 'accountId'),
  };
};
const issue = async (session: string, scope: string): Promise<string> =>
  named(
    await ask(
      `mutation { issueKey(input: {name: "bench", scopes: [${scope}]}) { ... on IssueKeyPayload { secret } } }`,
      session,
    ),
    'secret',
  );

const customer = await register('customer@example.com');
const other = await register('other@example.com');
const operator = await register('operator@example.com');
const user = { userId: operator.userId, accountId: givenId('Account', operator.accountId) };
await app.parts.commands.handle(
  operatorsDecider,
  OPERATORS_STREAM,
  { type: 'GrantOperator', user, reason: 'a benchmark' },
  {
    commandId: 'bench',
    caller: 'operator:bench',
    requestHash: 'bench',
    at: new Date(),
    environment: 'live',
    correlationId: 'bench',
  },
);
const callers: Callers = {
  url: app.url,
  session: customer.session,
  accountId: customer.accountId,
  key: await issue(customer.session, 'READ'),
  otherKey: await issue(other.session, 'READ'),
  backEnd: await issue(operator.session, 'ADMIN'),
};
process.send?.(callers);
// A benchmark that has failed leaves no server behind.
process.on('disconnect', () => process.exit(1));
process.on('message', () => void app.close().then(() => process.exit(0)));
