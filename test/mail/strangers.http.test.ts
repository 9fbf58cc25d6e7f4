import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { as } from '../../src/eventsourcing/event.js';
import { mailDecider } from '../../src/mail/decide.js';
import type { MailEvent, MailKind } from '../../src/mail/events.js';
import { mailStream } from '../../src/mail/events.js';
import { TEMPLATES } from '../../src/mail/templates.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Receiver } from '../webhooks/receiver.js';
import { startReceiver } from '../webhooks/receiver.js';
import { pause } from '../support/until.js';

/** Stands in every text that the caller may choose, and may stand in no mail. */
const SPAM = 'win-money-at-evil.example';
const PASSWORD = 'correct horse';

let t: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  receiver.answer = () => 410;
  t = await startApp({ env: { WEBHOOK_NETWORKS: '127.0.0.0/8', DAILY_REPORT: 'on' } });
});
afterAll(async () => {
  await t.close();
  await receiver.close();
});

/** Mails that were asked for, of what kind, with the whole text of each that is sent. */
async function mails(): Promise<{ kind: string; text: string | undefined }[]> {
  const folder = join(t.place.dataDir, 'mail');
  const files = await readdir(folder).catch(() => [] as string[]);
  const requested = (await allEvents(t.app.parts.store)).filter(({ type }) => type === 'MailRequested');
  return Promise.all(
    requested.map(async ({ streamId, data }) => ({
      kind: (data as Extract<MailEvent, { type: 'MailRequested' }>['data']).kind,
      text: files.includes(`${streamId}.eml`)
        ? (await readFile(join(folder, `${streamId}.eml`), 'utf8')).replace(/=\n/g, '').replace(/=3D/g, '=')
        : undefined,
    })),
  );
}

/** All mails once there are so many of the kind, all of them sent. */
async function sent(kind: string, times = 1): Promise<string[]> {
  for (;;) {
    const texts = (await mails()).filter((mail) => mail.kind === kind).map(({ text }) => text);
    if (texts.length >= times && texts.every((text) => text !== undefined)) return texts;
    await pause();
  }
}

/** Asks for the kinds that no caller brings about, but a payment, an operator or time: to the same person. */
async function requestOthers(): Promise<void> {
  const requests = (await allEvents(t.app.parts.store)).flatMap((event) => {
    const mail = as<MailEvent>(event);
    return mail.type === 'MailRequested' ? [mail.data] : [];
  });
  const verification = requests.find(({ kind }) => kind === 'verify-email');
  if (!verification) throw new Error('no mail was asked for');
  const others = (Object.keys(TEMPLATES) as MailKind[])
    .filter((kind) => !requests.some((request) => request.kind === kind))
    // The last: once it is sent, the address is erased.
    .sort((a, b) => Number(a === 'invite-user') - Number(b === 'invite-user'));
  for (const kind of others) {
    const mail = {
      ...verification,
      kind,
      threshold: { limit: 'requests-month', percent: 80 },
      ...(kind === 'daily-report' && { subject: '2026-11-28' }),
    };
    await t.app.parts.commands.handle(
      mailDecider,
      mailStream(randomUUID()),
      { type: 'RequestMail', mail },
      {
        commandId: randomUUID(),
        caller: 'test',
        requestHash: kind,
        at: new Date(),
        environment: 'live',
        correlationId: randomUUID(),
      },
    );
    await sent(kind);
  }
}

const run = async (mutation: string, input: object, session?: string) => {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!`;
  const { data, errors } = await t.raw(
    `mutation ($input: ${type}) { ${mutation}(input: $input) { __typename ... on Refusal { code message } } }`,
    { input },
    session,
  );
  expect({ errors, data }).toMatchObject({
    errors: undefined,
    data: { [mutation]: { __typename: expect.stringMatching(/Payload$/) as string } },
  });
};
const tokenIn = (text = ''): string => /^[\w-]+\.[\w-]{43}$/m.exec(text)?.[0] ?? '';

it('nothing that a caller writes stands in any mail', async () => {
  const email = `stranger.${randomUUID()}@example.com`;
  const input = { email, password: PASSWORD, name: SPAM, commandId: `${SPAM}-1` };
  const { data } = await t.raw(
    'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { ... on RegisterUserPayload { session { sessionToken } account { id } } } }',
    { input },
  );
  const {
    session: { sessionToken: session },
    account,
  } = data?.['registerUser'] as {
    session: { sessionToken: string };
    account: { id: string };
  };
  await run('updateProfile', { name: `${SPAM} again`, commandId: `${SPAM}-2` }, session);
  await run('requestPasswordReset', { email, commandId: `${SPAM}-3` });
  await t.grant(account.id, 'team');
  const invited = { email: `invited.${randomUUID()}@example.com`, role: 'DEVELOPER', commandId: `${SPAM}-4` };
  await run('inviteMember', invited, session);
  const changed = `changed.${randomUUID()}@example.com`;
  await run('requestEmailChange', { email: changed, password: PASSWORD, commandId: `${SPAM}-5` }, session);
  const [change] = await sent('change-email');
  await run('confirmEmailChange', { token: tokenIn(change), commandId: `${SPAM}-6` });

  const endpoint = { url: `${receiver.url}/${SPAM}`, eventTypes: ['*'], commandId: `${SPAM}-7` };
  await run('createWebhookEndpoint', endpoint, session);
  await t.issueKey(session);

  await sent('webhook-disabled');
  await requestOthers();
  for (const kind of Object.keys(TEMPLATES)) {
    for (const text of await sent(kind)) {
      expect(text.toLowerCase()).not.toContain(SPAM);
      expect(Buffer.from(tokenIn(text).split('.')[0] ?? '', 'base64url').toString()).not.toContain(SPAM);
      expect(text).toMatch(/^To: \S+@example\.com$/m);
    }
  }
});
