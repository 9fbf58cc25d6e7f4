import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mailStream } from '../../src/mail/events.js';
import { MeDocument, VerifyEmailDocument } from '../generated/graphql.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { pause } from '../support/until.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

/** The mail to a user, once it is confirmed; as it lies in its file, its lines put together again. */
async function mailTo(userId: string): Promise<{ id: string; text: string; token: string }> {
  for (;;) {
    const done = (await allEvents(t.app.parts.store)).find(
      ({ type, data }) => type === 'MailSent' && (data as { userId: string }).userId === userId,
    );
    if (!done) {
      await pause();
      continue;
    }
    const id = done.streamId;
    const raw = await readFile(join(t.place.dataDir, 'mail', `${id}.eml`), 'utf8');
    const text = raw.replace(/=\n/g, '').replace(/=3D/g, '=');
    const token = /^[\w-]+\.[\w-]{43}$/m.exec(text)?.[0] ?? '';
    return { id, text, token };
  }
}

const verify = async (token: string, commandId?: string) => {
  const input = { token, ...(commandId !== undefined && { commandId }) };
  return (await t.query(VerifyEmailDocument, { input })).data?.verifyEmail;
};
const verified = async (token: string): Promise<unknown> =>
  (await t.query(MeDocument, {}, token)).data?.me?.user?.emailVerified;

it('whoever registers gets a mail, as a file where there is no server, with a token that confirms the e-mail', async () => {
  const email = 'verify.me@example.com';
  const user = await t.register(email);
  expect(await verified(user.token)).toBe(false);
  const { id, text, token } = await mailTo(user.userId);
  expect(text).toContain(`To: ${email}`);
  expect(text).toContain(`Message-ID: <${id}@localhost>`);
  const files = await readdir(join(t.place.dataDir, 'mail'));
  expect(files.filter((name) => !/\.(eml|txt)$/.test(name))).toEqual([]);
  // For people and scripts: a line of it is the token, whole.
  const plain = await readFile(join(t.place.dataDir, 'mail', `${id}.txt`), 'utf8');
  expect(plain).toMatch(new RegExp(`^To: ${email}\nSubject: .*\n\n`));
  expect(plain.split('\n')).toContain(token);

  expect(await verify(token)).toMatchObject({ __typename: 'VerifyEmailPayload' });
  expect(await verified(user.token)).toBe(true);
  const head = await t.app.parts.store.head();
  expect(await verify(token)).toMatchObject({ __typename: 'VerifyEmailPayload' });
  expect(await t.app.parts.store.head()).toBe(head);
});

it('a token that was changed, or is none, confirms nothing', async () => {
  const user = await t.register();
  const { token } = await mailTo(user.userId);
  const changed = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
  for (const text of ['', changed, `${token}x`, user.token]) {
    expect(await verify(text)).toMatchObject({ __typename: 'InvalidInput', code: 'TOKEN_INVALID' });
  }
  expect(await verify(token, 'x'.repeat(129))).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await verified(user.token)).toBe(false);
});

it('events hold neither the address nor the token, and the read models are built again from them', async () => {
  const email = 'nowhere.in.events@example.com';
  const { userId } = await t.register(email);
  const { id, token } = await mailTo(userId);
  await verify(token);
  const { store, projector } = t.app.parts;
  expect((await store.readStream(mailStream(id))).map(({ type }) => type)).toEqual([
    'MailRequested',
    'MailSent',
  ]);
  const all = (await allEvents(store))
    .map(({ dataText, metadataText }) => dataText + metadataText)
    .join('\n');
  for (const text of [email, token, token.split('.')[1] ?? '']) expect(all).not.toContain(text);
  await t.caughtUp();
  expect(await projector.rebuild('accounts')).toMatchObject({ differing: [] });
});
