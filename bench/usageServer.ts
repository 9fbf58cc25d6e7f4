// The product, as it is started by `npm start`, with the key of a back end of the service and that of a customer.
import { UsageQueries } from '../projections/usage/queries.js';
import { parseConfig } from '../src/config.js';
import { jsonLogger } from '../src/logger.js';
import { start } from '../src/main.js';
import { operatorsDecider } from '../src/operators/decide.js';
import { OPERATORS_STREAM } from '../src/operators/events.js';

const [root = '', dataDir = ''] = process.argv.slice(2);
const app = await start({
  config: parseConfig({ ...process.env, DATA_DIR: dataDir, PORT: '0', EMBEDDINGS: 'off', BILLING: 'off' }),
  root,
  log: jsonLogger(),
  patterns: null,
});
const { commands, sql, projector, store } = app.parts;

const post = async (query: string, token?: string): Promise<string> => {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const body = JSON.stringify({ query });
  return (await fetch(`${app.url}/graphql`, { method: 'POST', headers, body })).text();
};
const found = (text: string, pattern: RegExp): string => {
  const [, value] = pattern.exec(text) ?? [];
  if (value === undefined) throw new Error(`not found in ${text}`);
  return value;
};
async function register(
  email: string,
  scopes: string,
): Promise<Record<'secret' | 'keyId' | 'userId' | 'accountId', string>> {
  const registered = await post(
    `mutation { registerUser(input: {email: "${email}", password: "correct horse"}) { ... on RegisterUserPayload { user { id } account { id } session { sessionToken } } } }`,
  );
  const issued = await post(
    `mutation { issueKey(input: {name: "bench", scopes: [${scopes}]}) { ... on IssueKeyPayload { secret key { id } } } }`,
    found(registered, /"sessionToken":"([^"]+)"/),
  );
  return {
    secret: found(issued, /"secret":"([^"]+)"/),
    keyId: found(issued, /"id":"key_([^"]+)"/),
    userId: found(registered, /"id":"usr_([^"]+)"/),
    accountId: found(registered, /"id":"acc_([^"]+)"/),
  };
}

const operator = await register('operator@example.com', 'ADMIN');
const user = { userId: operator.userId, accountId: operator.accountId };
await commands.handle(
  operatorsDecider,
  OPERATORS_STREAM,
  { type: 'GrantOperator', user, reason: 'bench' },
  {
    commandId: crypto.randomUUID(),
    caller: 'operator:bench',
    requestHash: 'grant',
    at: new Date(),
    environment: 'live',
    correlationId: 'bench',
  },
);
const customer = await register('customer@example.com', 'READ');

interface Journalled {
  readonly uses: number;
  readonly bytes: number;
}

/** How much the journal holds, and how large the table of ids is. */
async function sizes(): Promise<{ journal: Journalled; ids: Journalled }> {
  const [journal] = await sql.query<Journalled>(
    `SELECT coalesce(sum(octet_length(data)), 0)::bigint AS bytes,
            coalesce(sum((length(data) - length(replace(data, '"meters":', ''))) / 9), 0)::bigint AS uses
       FROM store.events WHERE type = 'UsesRecorded'`,
  );
  const table = projector.access('usage').t('ids');
  const [ids] = await sql.query<Journalled>(
    `SELECT count(*)::bigint AS uses, pg_total_relation_size($1::regclass)::bigint AS bytes FROM ${table}`,
    [table],
  );
  if (!journal || !ids) throw new Error('no sizes');
  return { journal, ids };
}

process.on('message', (asked: 'ledger' | 'sizes' | 'stop') => {
  const work = async (): Promise<void> => {
    if (asked === 'stop') {
      await app.close();
      process.exit(0);
    }
    if (asked === 'sizes') process.send?.(await sizes());
    else {
      const began = performance.now();
      await projector.reached('usage', await store.head(), 600_000);
      process.send?.({
        seconds: (performance.now() - began) / 1_000,
        seen: new UsageQueries(sql, projector.access('usage')).seen(),
      });
    }
  };
  void work();
});
process.send?.({ url: app.url, backEnd: operator.secret, secret: customer.secret, keyId: customer.keyId });
