import { shownId } from '../../src/graphql/kit/ids.js';
import type { Logger } from '../../src/logger.js';
import { DeleteAccountDocument, MeDocument, PatternsDocument } from '../generated/graphql.js';
import { allEvents, foldJournal } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace, openSql } from '../support/database.js';

const PASSWORD = 'correct horse';
const EMAIL = 'ada.lovelace@example.com';

let place: Place;
let t: TestApp;
let running: boolean;
let logged: string[];

const log: Logger = {
  info: (...said) => void logged.push(JSON.stringify(said)),
  warn: (...said) => void logged.push(JSON.stringify(said)),
  error: (message, error, fields) =>
    void logged.push(message, String(error instanceof Error ? error.stack : error), JSON.stringify(fields)),
};

beforeEach(async () => {
  logged = [];
  place = await freshPlace({ ready: true });
  await begin();
});
afterEach(async () => {
  await end();
  await place.remove();
});

async function begin(): Promise<void> {
  t = await startApp({ place, log });
  running = true;
}

async function end(): Promise<void> {
  if (running) await t.close();
  running = false;
}

const remove = (token: string, password = PASSWORD) =>
  t.query(DeleteAccountDocument, { input: { password } }, token);

const codeOf = ({ errors }: { errors?: readonly { extensions: Record<string, unknown> }[] }): unknown =>
  errors?.[0]?.extensions['code'];

const settled = async (): Promise<void> => {
  await t.caughtUp();
};

it('asks for the password, then refuses sessions and keys of the account at once', async () => {
  const user = await t.register();
  const { secret } = await t.issueKey(user.token);
  const other = await t.customer();

  const wrong = await remove(user.token, 'Correct horse');
  expect(wrong.data?.deleteAccount).toMatchObject({ __typename: 'InvalidInput', code: 'PASSWORD_WRONG' });
  expect((await t.query(PatternsDocument, {}, secret)).status).toBe(200);
  // A key is no session: whoever has found it deletes nothing.
  expect(codeOf(await remove(secret))).toBe('SESSION_MISSING');

  const { data } = await remove(user.token);
  expect(data?.deleteAccount).toMatchObject({
    __typename: 'DeleteAccountPayload',
    accountId: shownId('Account', user.accountId),
  });
  const bySession = await t.query(MeDocument, {}, user.token);
  expect([bySession.status, codeOf(bySession)]).toEqual([401, 'ACCOUNT_DELETED']);
  const byKey = await t.query(PatternsDocument, {}, secret);
  expect([byKey.status, codeOf(byKey)]).toEqual([401, 'KEY_REVOKED']);
  expect(codeOf(await remove(user.token))).toBe('ACCOUNT_DELETED');
  expect((await t.query(PatternsDocument, {}, other.secret)).status).toBe(200);
});

it('keeps what was used, in the read models and rebuilt from the events; the rest is erased', async () => {
  const user = await t.register(EMAIL);
  const { secret } = await t.issueKey(user.token);
  for (let i = 0; i < 3; i++) expect((await t.query(PatternsDocument, {}, secret)).status).toBe(200);
  await settled();
  const { projector, store } = t.app.parts;
  const usesBefore = foldJournal(await allEvents(store)).totals;
  expect(usesBefore.requests).toBe(3);
  await remove(user.token);
  await settled();

  expect(foldJournal(await allEvents(store)).totals).toEqual(usesBefore);
  for (const model of ['accounts', 'keys', 'usage']) {
    expect(await projector.rebuild(model)).toMatchObject({ differing: [] });
  }
  const accounts = projector.access('accounts').t;
  const usage = projector.access('usage').t;
  const keys = projector.access('keys').t;
  await end();

  const sql = await openSql(place);
  try {
    const { accountId, userId } = user;
    const users = await sql.query(
      `SELECT email, name, erased_at IS NOT NULL AS erased FROM ${accounts('users')} WHERE id = $1`,
      [userId],
    );
    expect(users).toEqual([{ email: null, name: null, erased: true }]);
    const counted = await sql.query<{ amount: number }>(
      `SELECT amount::float8 AS amount FROM ${usage('counters')} WHERE subject = 'live:' || $1 AND meter = 'requests' AND period LIKE 'month:%'`,
      [accountId],
    );
    expect(counted).toEqual([{ amount: 3 }]);
    const working = await sql.query(
      `SELECT 1 FROM ${keys('keys')} WHERE account_id = $1 AND revoked_at IS NULL`,
      [accountId],
    );
    expect(working).toEqual([]);
  } finally {
    await sql.close();
  }
});

it('personal data stand in the clear in no table and no log line, before and after', async () => {
  const user = await t.register(EMAIL);
  const names = 'mutation($input: RegisterUserInput!) { registerUser(input: $input) { __typename } }';
  const input = { email: `second.${EMAIL}`, password: PASSWORD, name: 'Augusta Ada King' };
  expect((await t.raw(names, { input })).data?.['registerUser']).toEqual({
    __typename: 'RegisterUserPayload',
  });
  await t.query(MeDocument, {}, user.token);
  // Refusals and mistakes are logged or counted too.
  await t.raw(`mutation { registerUser(input: { email: "${EMAIL}" }) { __typename } }`);
  await t.raw(names, { input: { ...input, email: 7 } });
  await settled();

  const tables = async (): Promise<string> => {
    await end();
    const sql = await openSql(place);
    try {
      const all = await sql.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
          WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      );
      const texts: string[] = [];
      for (const { name } of all) {
        const [row] = await sql.query<{ text: string | null }>(
          `SELECT string_agg(r::text, ' ') AS text FROM ${name} AS r`,
        );
        texts.push(row?.text ?? '');
      }
      expect(texts.some((text) => text.includes(user.userId))).toBe(true);
      return texts.join('\n');
    } finally {
      await sql.close();
    }
  };
  const personal = [EMAIL, 'lovelace', 'Augusta', PASSWORD];
  for (const said of [await tables(), logged.join('\n')]) {
    for (const text of personal) expect(said.includes(text)).toBe(false);
  }
});

it('an account stays deleted over a restart, its e-mail is free, and a restored vault is erased again', async () => {
  const user = await t.register(EMAIL);
  const { secret } = await t.issueKey(user.token);
  await end();
  const keysOf = `SELECT subject, wrapped FROM vault.subject_keys WHERE subject = '${user.userId}'`;
  let sql = await openSql(place);
  const backup = await sql.query<{ wrapped: string | null }>(keysOf);
  await sql.close();
  expect(backup[0]?.wrapped).toEqual(expect.any(String));

  await begin();
  await remove(user.token);
  await settled();
  await end();
  sql = await openSql(place);
  expect(await sql.query(keysOf)).toEqual([{ subject: user.userId, wrapped: null }]);
  await sql.query('UPDATE vault.subject_keys SET wrapped = $2 WHERE subject = $1', [
    user.userId,
    backup[0]?.wrapped,
  ]);
  await sql.close();

  await begin();
  expect(logged.join('\n')).toContain('the vault held keys of erased users');
  expect(codeOf(await t.query(MeDocument, {}, user.token))).toBe('ACCOUNT_DELETED');
  expect(codeOf(await t.query(PatternsDocument, {}, secret))).toBe('KEY_REVOKED');
  const next = await t.register(EMAIL);
  expect([next.userId, next.accountId]).not.toContain(user.userId);
  const { data } = await t.query(MeDocument, {}, next.token);
  expect(data?.me?.account.id).toBe(shownId('Account', next.accountId));
  await end();
  sql = await openSql(place);
  expect(await sql.query(keysOf)).toEqual([{ subject: user.userId, wrapped: null }]);
  await sql.close();
});
