import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elapsed } from '../../src/clock.js';
import { DailyReports } from '../../src/mail/dailyReport.js';
import { allEvents } from '../crash/facts.js';
import { openShop } from '../billing/shop.js';
import type { Shop } from '../billing/shop.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** As the profile says. */
const TIME = { hour: 6, timeZone: 'UTC' };

let shop: Shop;
let ahead = 0;
const clock = (): number => Date.now() + ahead;
beforeAll(async () => {
  // Far enough from midnight and from the hour of reports: all calls fall into one day.
  ahead = Math.ceil(clock() / DAY) * DAY - clock() + DAY / 2;
  const time = { clock, elapsed: () => elapsed() + ahead };
  shop = await openShop(new Date(clock()).toISOString(), { time, env: { DAILY_REPORT: 'on' } });
});
afterAll(() => shop.close());

const dayBefore = (days: number): string => new Date(clock() - days * DAY).toISOString().slice(0, 10);

/** Asks for what is due now, as the loop does that looks at the clock, and waits until all of it is sent. */
async function reported(): Promise<{ to: string; text: string }[]> {
  const { reports, store } = shop.test.app.parts;
  await reports?.ask(clock());
  const mails = async () => (await allEvents(store)).filter(({ type }) => type.startsWith('Mail'));
  const isReport = ({ type, data }: { type: string; data: unknown }): boolean =>
    type === 'MailRequested' && (data as { kind: string }).kind === 'daily-report';
  const asked = (await mails()).filter(isReport).map(({ streamId }) => streamId);
  for (;;) {
    const all = await mails();
    const ended = (id: string): boolean =>
      all.some(({ type, streamId }) => streamId === id && type !== 'MailRequested');
    if (asked.every(ended)) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const folder = join(shop.test.place.dataDir, 'mail');
  const files = (await readdir(folder)).filter((name) => asked.some((id) => name === `${id}.eml`));
  const sent = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return sent
    .map((raw) => raw.replace(/=\r?\n/g, '').replace(/=3D/g, '='))
    .map((text) => ({ to: /^To: (.*?)\r?$/m.exec(text)?.[1] ?? '', text }));
}

it('operators get the figures of each day by mail, once, and those that were missed', async () => {
  const { test } = shop;
  const operator = await test.register('operator@example.com');
  await test.makeOperator(operator, new Date(clock()));
  // Sessions are over by the time that the clock has moved.
  const { secret } = await test.issueKey(operator.token, 'LIVE', ['ADMIN']);
  const customer = await test.customer();
  for (let call = 0; call < 11; call++) {
    await test.raw('{ patterns(first: 1) { totalCount } }', {}, customer.secret);
  }
  const bought = await test.raw(
    `mutation { startCheckout(input: { priceId: "enterprise-month-usd" }) { ... on StartCheckoutPayload { url } } }`,
    {},
    customer.token,
  );
  await shop.pay((bought.data?.['startCheckout'] as { url: string }).url);
  // Webhooks are signed by the clock of the machine, and so refused here: the list of events tells the same.
  await test.app.parts.billing?.backfill();
  await shop.settled();
  // Nothing is due yet.
  expect(await reported()).toEqual([]);

  // The process has stood still for two days and more: the second one was empty.
  ahead += 2 * DAY + 6 * HOUR;
  const other = new DailyReports(test.app.parts.commands, TIME);
  await Promise.all([other.ask(clock()), other.ask(clock()), reported()]);
  const mails = await reported();
  expect(mails.map(({ to }) => to)).toEqual(['operator@example.com', 'operator@example.com']);
  const told = (day: string): string =>
    mails.find(({ text }) => text.includes(`The figures of ${day} (UTC):`))?.text ?? '';
  const first = told(dayBefore(2));
  expect(first).toContain('New accounts: 2. Deleted: 0. There are 2 now: enterprise 1, free 1.');
  expect(first).toContain('Calls: 11. Refused by a limit: 1. Failed, by an internal error or a time-out: 0.');
  expect(first).toContain('Invoiced: 999.00 USD. Paid once, for credits or analyses: 0.00 USD.');
  const second = told(dayBefore(1));
  expect(second).toContain('New accounts: 0. Deleted: 0. There are 2 now: enterprise 1, free 1.');
  expect(second).toContain('Nobody called.');
  expect(second).toContain('Nothing was invoiced.');

  // Whoever becomes an operator now gets what comes, and nothing of what was.
  const deputy = await test.register('deputy@example.com');
  await test.makeOperator(deputy, new Date(clock()));
  expect((await reported()).length).toBe(2);
  ahead += DAY;
  const next = (await reported()).filter(({ text }) => text.includes(`The figures of ${dayBefore(1)} `));
  expect(next.map(({ to }) => to).sort()).toEqual(['deputy@example.com', 'operator@example.com']);

  // Operators see what became of each mail, and can have one sent again.
  const listed = async (): Promise<Listed[]> => {
    const answer = await test.raw(LISTED, {}, secret);
    expect(answer.errors).toBeUndefined();
    return (answer.data?.['operator'] as { mails: { nodes: Listed[] } }).mails.nodes;
  };
  const reports = async (): Promise<Listed[]> =>
    (await listed()).filter(({ kind, status }) => kind === 'daily-report' && status === 'SENT');
  // The list follows the events.
  while ((await reports()).length < 4) await new Promise((resolve) => setImmediate(resolve));
  const [one] = await reports();
  expect(one).toMatchObject({ givenUpReason: null, attempts: [{ failure: null, status: null }] });
  const replay = async (mailId: string | undefined, credential: string) => {
    const input = { mailId, reason: 'it was deleted by mistake', commandId: 'replay' };
    const { data, errors } = await test.raw(REPLAY, { input }, credential);
    return data?.['operatorReplayMail'] ?? errors?.[0]?.extensions?.['code'];
  };
  expect(await replay(one?.id, customer.secret)).toBe('SCOPE_MISSING');
  expect(await replay('nowhere', secret)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await replay(one?.id, secret)).toMatchObject({ mailId: one?.id, replayed: false });
  expect(await replay(one?.id, secret)).toMatchObject({ mailId: one?.id, replayed: true });
  const types = async () =>
    (await allEvents(test.app.parts.store)).flatMap((event) =>
      event.stream === `mail-${one?.id}` ? event.type : [],
    );
  while ((await types()).length < 4) await new Promise((resolve) => setImmediate(resolve));
  expect(await types()).toEqual(['MailRequested', 'MailSent', 'MailReplayed', 'MailSent']);
});

interface Listed {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly givenUpReason: string | null;
  readonly attempts: readonly { readonly failure: string | null }[];
}
const LISTED = `{ operator { mails(first: 50) { nodes {
  id kind status givenUpReason createdAt nextAttemptAt attempts { at durationMs status failure } } } } }`;
const REPLAY = `mutation ($input: OperatorReplayMailInput!) { operatorReplayMail(input: $input) {
  ... on OperatorReplayMailPayload { mailId replayed position } ... on Refusal { code message } } }`;
