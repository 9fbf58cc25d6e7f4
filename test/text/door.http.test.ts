import { OperatorGrantPlanDocument, IssueKeyDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

// Decision 31: text enters through one door. Each of these stopped read models, or blinded them.

let t: TestApp;
let user: Awaited<ReturnType<TestApp['customer']>>;
const errors: string[] = [];

beforeAll(async () => {
  const error = (message: string, cause?: unknown): void => void errors.push(`${message}: ${String(cause)}`);
  t = await startApp({ log: { info: () => {}, warn: () => {}, error } });
  user = await t.customer('team');
  await t.makeOperator(user);
});
afterAll(() => t.close());
afterEach(async () => {
  await t.caughtUp();
  expect(t.app.parts.projector.failures()).toEqual([]);
  expect(errors.splice(0)).toEqual([]);
});

const HALF = '\ud83d';
const LOG = '{ operator { auditLog(first: 100) { nodes { action reason } } } }';

const logged = async (): Promise<readonly { action: string; reason: string | null }[]> => {
  const { data } = await t.raw(LOG, {}, user.token);
  return (data?.['operator'] as { auditLog: { nodes: { action: string; reason: string | null }[] } }).auditLog
    .nodes;
};

it('half a surrogate pair in the name of a key is refused by the name of the field', async () => {
  const before = await t.events();
  for (const name of [`secret ${HALF}`, `${HALF}`, '\udc00x']) {
    const { status, errors: refused } = await t.query(IssueKeyDocument, { input: { name } }, user.token);
    expect(status).toBe(400);
    expect(refused).toMatchObject([{ extensions: { code: 'INVALID_INPUT', field: 'name' } }]);
    expect(refused?.[0]?.message).toContain('"name" is not well-formed Unicode');
    expect(refused?.[0]?.message).not.toContain('secret');
  }
  expect(await t.events()).toBe(before);
  const { data } = await t.query(IssueKeyDocument, { input: { name: 'whole 😀' } }, user.token);
  expect(data?.issueKey).toMatchObject({ __typename: 'IssueKeyPayload', key: { name: 'whole 😀' } });
});

it('half a surrogate pair in an operator’s reason does not blind the audit log', async () => {
  const { accountId } = await t.register();
  const grant = (reason: string) =>
    t.query(OperatorGrantPlanDocument, { input: { accountId, planId: 'team', reason } }, user.token);
  const { errors: refused } = await grant('be\ud800cause');
  expect(refused).toMatchObject([{ extensions: { code: 'INVALID_INPUT', field: 'reason' } }]);
  const { data } = await grant('because');
  expect(data?.operatorGrantPlan).toMatchObject({ __typename: 'OperatorGrantPlanPayload' });
  await t.caughtUp();
  expect((await logged())[0]).toMatchObject({ reason: 'because' });
});

describe.each(['csv', 'ndjson'])('a filter of /v1/audit.%s', (format) => {
  const ask = async (query: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`${t.app.url}/v1/audit.${format}?${query}`, {
      headers: { authorization: `Bearer ${user.token}` },
    });
    return { status: response.status, body: await response.text() };
  };

  it.each([
    ['NUL', 'actor=%00', 'actor'],
    ['another control character', 'action=Key%01Issued', 'action'],
    ['C1', 'actor=%C2%80', 'actor'],
    ['a line break', 'actor=a%0Ab', 'actor'],
    ['half a surrogate pair', 'actor=%ED%A0%80', null],
    ['what is not UTF-8', 'actor=%ff', null],
    ['half an escape', 'actor=%4', null],
    ['NUL in a name', 'act%00or=x', null],
    ['NUL in one of several', 'actor=a&actor=%00', 'actor'],
    ['a text of 9,000 characters', `actor=${'x'.repeat(9_000)}`, 'actor'],
    ['a day that no calendar has', 'from=2026-02-30', 'from'],
    ['29 February of a common year', 'to=2026-02-29T10:00:00Z', 'to'],
    ['an hour 24', 'from=2026-11-23T24:00:00Z', 'from'],
    ['a second 60', 'from=2026-06-30T23:59:60Z', 'from'],
    ['a zone of 24 hours', 'from=2026-11-23T10:00:00%2B24:00', 'from'],
  ])('with %s is refused', async (_what, query, field) => {
    const { status, body } = await ask(query);
    expect(status).toBe(400);
    const [error] = (JSON.parse(body) as { errors: { extensions: object }[] }).errors;
    expect(error?.extensions).toMatchObject({ code: 'INVALID_INPUT', ...(field !== null && { field }) });
  });

  it.each(['actor=user%3Ax', 'from=2024-02-29', 'from=2026-11-23T10:00:00%2B02:00', 'actor=e%CC%81'])(
    '%s is answered',
    async (query) => expect((await ask(query)).status).toBe(200),
  );
});
