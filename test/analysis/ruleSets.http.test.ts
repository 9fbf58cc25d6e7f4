import {
  AnalysisDocument,
  CreateAnalysisDocument,
  CreateRuleSetDocument,
  DeleteAccountDocument,
  DeleteRuleSetDocument,
  RuleSetDocument,
  RuleSetsDocument,
  RuleSetTrialDocument,
  UpdateRuleSetDocument,
} from '../generated/graphql.js';
import type { CreateRuleSetInput, RuleSetRulesInput } from '../generated/graphql.js';
import { MAX_RULE_SETS } from '../../src/analysis/decideRuleSet.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { createAnalysis, here, untilEnded, upload } from './stories.js';

const LOG = 'Kim: Send me the cash, Wilhelmina.\n\nBo: No, stop.\n\nKim: I will tell your mother.';
const RULES = {
  categories: [
    {
      name: 'MONEY',
      description: 'Somebody asks for money.',
      patterns: [{ tokens: ['cash|wilhelmina'], phrases: ['send me ... money'] }],
    },
    {
      name: 'FAMILY',
      description: 'Somebody speaks of family.',
      patterns: [{ phrases: ['tell|ask your mother|father'] }],
    },
  ],
  sequences: [{ first: 'MONEY', second: 'FAMILY' }],
} satisfies RuleSetRulesInput;
const OTHER = {
  categories: [{ ...RULES.categories[0], patterns: [{ tokens: ['stop'] }] }],
} as RuleSetRulesInput;

let t: TestApp;

let key: string;
let stranger: string;
beforeAll(async () => {
  t = await startApp({ env: { PROFILE: 'scanner', PAYMENT_REQUIRED: 'false' } });
  ({ key } = await customer());
  ({ key: stranger } = await customer());
});
afterAll(() => t.close(), 240_000);

async function customer(): Promise<{ token: string; key: string }> {
  const { token } = await t.register();
  const { secret } = await t.issueKey(token, 'LIVE', ['READ', 'WRITE']);
  return { token, key: secret };
}

async function create(input: Partial<CreateRuleSetInput> = {}, credential = key) {
  const { data } = await t.query(
    CreateRuleSetDocument,
    { input: { name: 'Money', rules: RULES, ...input } },
    credential,
  );
  return data?.createRuleSet;
}

async function created(input: Partial<CreateRuleSetInput> = {}, credential = key): Promise<string> {
  const result = await create(input, credential);
  if (result?.__typename !== 'CreateRuleSetPayload') throw new Error(JSON.stringify(result));
  return result.ruleSet.id;
}

async function update(ruleSetId: string, rules: RuleSetRulesInput, credential = key) {
  const { data } = await t.query(UpdateRuleSetDocument, { input: { ruleSetId, rules } }, credential);
  return data?.updateRuleSet;
}

async function remove(ruleSetId: string, credential = key) {
  const { data } = await t.query(DeleteRuleSetDocument, { input: { ruleSetId } }, credential);
  return data?.deleteRuleSet;
}

const read = async (id: string, version?: number, credential = key) =>
  (await t.query(RuleSetDocument, { id, version: version ?? null }, credential)).data?.node as
    { name: string; version: number; rules: object | null } | null | undefined;

async function analyze(ruleSet: string, credential?: string) {
  const form = new FormData();
  form.append('rule_set', ruleSet);
  form.append('file', new Blob([LOG]), 'chat.txt');
  const headers = new Headers();
  if (credential !== undefined) headers.set('authorization', `Bearer ${credential}`);
  const response = await fetch(`${t.app.url}/analyze`, { method: 'POST', headers, body: form });
  return { status: response.status, body: (await response.json()) as object };
}

it('tries rules on a sample, and says all that is wrong with them', async () => {
  const tried = async (rules: RuleSetRulesInput, sample: string) =>
    (await t.query(RuleSetTrialDocument, { input: { rules, sample } }, key)).data?.ruleSetTrial;
  expect(await tried(RULES, LOG)).toMatchObject({
    languages: ['en'],
    entryCount: 3,
    events: [
      { text: 'Send me the cash, Wilhelmina.', hits: [{ category: 'MONEY', phrase: false }] },
      { text: 'I will tell your mother.', hits: [{ category: 'FAMILY', phrase: true }] },
    ],
    sequences: [{ name: 'MONEY -> FAMILY', count: 1 }],
  });
  expect(await tried(RULES, 'x'.repeat(2_001))).toMatchObject({ code: 'INVALID_INPUT' });
  const wrong = { categories: [{ name: 'MONEY', description: '', patterns: [{ tokens: ['a||b'] }] }] };
  expect(await tried(wrong, LOG)).toMatchObject({
    code: 'INVALID_INPUT',
    issues: [
      { path: ['rules'], message: expect.stringContaining('1 to 500 characters') as string },
      { path: ['rules'], message: expect.stringContaining('is no word') as string },
    ],
  });
  expect(await create({ rules: wrong })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await create({ name: '' })).toMatchObject({ code: 'INVALID_INPUT', message: containing('"name"') });
});

const containing = (text: string): string => expect.stringContaining(text) as string;

it('keeps every version, and shows them to the account alone', async () => {
  const id = await created({ commandId: 'c1' });
  expect(id).toMatch(/^rul_/);
  expect(await create({ commandId: 'c1' })).toMatchObject({ ruleSet: { id, version: 1 }, replayed: true });
  expect(await update(id, OTHER)).toMatchObject({ ruleSet: { id, name: 'Money', version: 2 } });
  const whole = (rules: RuleSetRulesInput) => ({ ...rules, languages: [{ language: 'en' }] });
  expect(await read(id)).toMatchObject({ name: 'Money', version: 2, rules: whole(OTHER) });
  expect(await read(id, 1)).toMatchObject({ version: 2, rules: whole(RULES) });
  expect((await read(id, 3))?.rules).toBeNull();
  const list = async (credential: string) =>
    (await t.query(RuleSetsDocument, {}, credential)).data?.account?.ruleSets?.nodes;
  expect(await list(key)).toContainEqual(expect.objectContaining({ id, name: 'Money', version: 2 }));

  // To another account there is none.
  expect(await list(stranger)).toEqual([]);
  expect(await read(id, undefined, stranger)).toBeNull();
  expect(await update(id, RULES, stranger)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await remove(id, stranger)).toMatchObject({ code: 'NOT_FOUND' });
  expect((await analyze(id, stranger)).status).toBe(404);
  expect((await analyze(id)).status).toBe(404);
  const { data } = await t.query(CreateAnalysisDocument, { input: { ruleSetId: id } }, stranger);
  expect(data?.createAnalysis).toMatchObject({ code: 'NOT_FOUND' });
});

it('analyses by them, and names the version', async () => {
  const id = await created();
  const found = { unique_patterns: { MONEY: 1, FAMILY: 1 }, sequence_counts: { 'MONEY -> FAMILY': 1 } };
  expect(await analyze(id, key)).toMatchObject({
    status: 200,
    body: { ...found, read_as: { rule_set: id, rules_version: 1 }, window_size: 6 },
  });
  // Asked for before the change, done after it.
  const before = await createAnalysis(t, key, { ruleSetId: id, languages: ['en'] });
  await update(id, OTHER);
  await upload(before.uploadUrl, LOG);
  await untilEnded(t, before.id, key);
  const analysis = async (of: string) => (await t.query(AnalysisDocument, { id: of }, key)).data?.analysis;
  const done = await analysis(before.id);
  expect(done).toMatchObject({ status: 'COMPLETED', eventCount: 2, ruleSetId: id, rulesVersion: 1 });
  expect(await analyze(id, key)).toMatchObject({
    body: { unique_patterns: { MONEY: 1 }, read_as: { rules_version: 2 } },
  });
  const own = await createAnalysis(t, key);
  await upload(own.uploadUrl, LOG);
  await untilEnded(t, own.id, key);
  expect(await analysis(own.id)).toMatchObject({ ruleSetId: null, rulesVersion: 1 });

  // What is not done fails with its rules; what is done can be read as before.
  const waiting = await createAnalysis(t, key, { ruleSetId: id });
  expect(await remove(id)).toMatchObject({ ruleSetId: id });
  await upload(waiting.uploadUrl, LOG);
  await untilEnded(t, waiting.id, key);
  expect(await analysis(waiting.id)).toMatchObject({
    status: 'FAILED',
    failure: { reason: 'RULES_DELETED', refunded: false },
  });
  const report = await fetch(`${here(t, done?.resultUrl ?? '')}&as=pdf`);
  expect([report.status, report.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  expect(await read(id)).toBeNull();
  expect(await update(id, RULES)).toMatchObject({ code: 'NOT_FOUND' });
});

it('has bounds, seals what rules say, and erases it with the account', async () => {
  const { token: own, key: writer } = await customer();
  for (let n = 0; n < MAX_RULE_SETS; n++) await created({ name: `Set ${n}` }, writer);
  expect(await create({}, writer)).toMatchObject({ code: 'TOO_MANY_RULE_SETS' });
  const { store, policies, sql } = t.app.parts;
  const events = async () => (await allEvents(store)).filter(({ stream }) => stream.startsWith('rule_set-'));
  expect(JSON.stringify(await events())).not.toMatch(/wilhelmina|MONEY|Set 1/i);
  await t.query(DeleteAccountDocument, { input: { password: 'correct horse' } }, own);
  for (let before = -1; before < (await store.head());) {
    before = await store.head();
    expect(await policies.reached(before, 60_000)).toBe(true);
  }
  const deleted = (await events()).slice(-MAX_RULE_SETS);
  expect(new Set(deleted.map(({ type }) => type))).toEqual(new Set(['RuleSetDeleted']));
  const keys = await sql.query(
    'SELECT subject FROM vault.subject_keys WHERE subject = ANY($1::text[]) AND wrapped IS NOT NULL',
    [deleted.map(({ stream }) => stream.slice('rule_set-'.length))],
  );
  expect(keys).toEqual([]);
});
