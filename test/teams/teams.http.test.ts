import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { givenId, shownId } from '../../src/graphql/kit/ids.js';
import { userDecider } from '../../src/accounts/decideUser.js';
import { userStream } from '../../src/accounts/events.js';
import type { Role } from '../../src/teams/events.js';
import type { MemberRole, TypedDocumentString, UsageChangedSubscription } from '../generated/graphql.js';
import {
  AcceptInvitationDocument,
  ChangeMemberRoleDocument,
  DeleteAccountDocument,
  InvitationsDocument,
  InviteMemberDocument,
  IssueKeyDocument,
  LeaveAccountDocument,
  MembersDocument,
  MyAccountsDocument,
  PatternsDocument,
  LimitsDocument,
  RemoveMemberDocument,
  RevokeKeyDocument,
  RotateKeyDocument,
  SignOutEverywhereDocument,
  UsageChangedDocument,
  WithdrawInvitationDocument,
} from '../generated/graphql.js';
import { allEvents } from '../crash/facts.js';
import type { Answer, TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { pause } from '../support/until.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

interface Person {
  readonly email: string;
  readonly token: string;
  readonly userId: string;
  readonly accountId: string;
}

/** A user whose e-mail is verified. */
async function person(plan = 'free'): Promise<Person> {
  const email = `team.${randomUUID()}@example.com`;
  const made = await t.register(email);
  await verify(made.userId);
  if (plan !== 'free') await t.grant(made.accountId, plan);
  return { email, ...made };
}

async function verify(userId: string): Promise<void> {
  await t.app.parts.commands.handle(
    userDecider,
    userStream(userId),
    { type: 'VerifyEmail' },
    {
      commandId: randomUUID(),
      caller: 'test',
      requestHash: 'test',
      at: new Date(),
      environment: 'live',
      correlationId: 'test',
    },
  );
}

/** Posts an operation of the person, in an account of theirs or another. */
async function inAccount<R, V>(
  document: TypedDocumentString<R, V>,
  variables: V,
  credential: string,
  accountId: string | undefined,
): Promise<Answer<R>> {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${credential}`,
      ...(accountId !== undefined && { 'tollgraph-account': accountId }),
    },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as object) };
}

const codeOf = ({ errors }: Answer<unknown>): unknown => errors?.[0]?.extensions['code'];

const roleName = (role: Role): MemberRole => role.toUpperCase() as MemberRole;

async function invite(by: Person, email: string, role: Role = 'developer', accountId = by.accountId) {
  const input = { email, role: roleName(role) };
  return (await inAccount(InviteMemberDocument, { input }, by.token, accountId)).data?.inviteMember;
}

/** The token in the mail of an invitation, once it is sent. */
async function tokenOf(invitationId: string): Promise<string> {
  for (;;) {
    const sent = (await allEvents(t.app.parts.store)).find(
      ({ type, data }) => type === 'MailSent' && (data as { userId: string }).userId === invitationId,
    );
    if (!sent) {
      await pause();
      continue;
    }
    const raw = await readFile(join(t.place.dataDir, 'mail', `${sent.streamId}.eml`), 'utf8');
    return /^[\w-]+\.[\w-]{43}$/m.exec(raw.replace(/=\n/g, '').replace(/=3D/g, '='))?.[0] ?? '';
  }
}

async function invitedToken(by: Person, email: string, role?: Role): Promise<string> {
  const invited = await invite(by, email, role);
  if (invited?.__typename !== 'InviteMemberPayload') throw new Error(JSON.stringify(invited));
  return tokenOf(givenId('Invitation', invited.invitation.id));
}

const accept = async (who: Person, token: string) =>
  (await t.query(AcceptInvitationDocument, { input: { token } }, who.token)).data?.acceptInvitation;

/** A new user who works in the account. */
async function member(of: Person, role: Role): Promise<Person> {
  const who = await person();
  const accepted = await accept(who, await invitedToken(of, who.email, role));
  expect(accepted).toMatchObject({
    __typename: 'AcceptInvitationPayload',
    membership: { accountId: shownId('Account', of.accountId), role: role.toUpperCase() },
  });
  return who;
}

const remove = async (by: Person, userId: string, accountId = by.accountId) =>
  (await inAccount(RemoveMemberDocument, { input: { userId } }, by.token, accountId)).data?.removeMember;

const rolesIn = async (who: Person, accountId: string): Promise<unknown> => {
  const { data, errors } = await inAccount(MembersDocument, {}, who.token, accountId);
  return (
    data?.me?.account.members?.nodes.map(({ userId, role }) => [givenId('User', userId), role]) ??
    errors?.[0]?.extensions['code']
  );
};

describe('an invitation', () => {
  it('is mailed, accepted by the user of that e-mail alone, and opens the account from the next request on', async () => {
    const [ada, bob, eve] = [await person('team'), await person(), await person()];
    const token = await invitedToken(ada, ` ${bob.email.toUpperCase()} `, 'developer');
    const { data } = await t.query(InvitationsDocument, {}, ada.token);
    expect(data?.me?.account.invitations?.nodes).toMatchObject([{ email: bob.email, role: 'DEVELOPER' }]);

    const changed = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
    for (const [who, text] of [
      [eve, token],
      [bob, changed],
      [bob, ''],
      [bob, 'x'],
    ] as const) {
      expect(await accept(who, text)).toMatchObject({ __typename: 'InvalidInput', code: 'TOKEN_INVALID' });
    }
    expect(await rolesIn(bob, ada.accountId)).toBe('ACCOUNT_NOT_FOUND');

    expect(await accept(bob, token)).toMatchObject({
      membership: { accountId: shownId('Account', ada.accountId) },
    });
    const members = [
      [ada.userId, 'OWNER'],
      [bob.userId, 'DEVELOPER'],
    ];
    expect(await rolesIn(bob, ada.accountId)).toEqual(members);
    expect(await rolesIn(ada, ada.accountId)).toEqual(members);
    const mine = await inAccount(MyAccountsDocument, {}, bob.token, ada.accountId);
    expect(mine.data?.me).toMatchObject({
      role: 'DEVELOPER',
      accounts: {
        nodes: [
          {
            accountId: shownId('Account', bob.accountId),
            role: 'OWNER',
            owner: { id: shownId('User', bob.userId) },
          },
          {
            accountId: shownId('Account', ada.accountId),
            role: 'DEVELOPER',
            owner: { id: shownId('User', ada.userId) },
          },
        ],
      },
    });
    expect((await t.query(InvitationsDocument, {}, ada.token)).data?.me?.account.invitations?.nodes).toEqual(
      [],
    );

    // Followed again it changes nothing.
    const head = await t.events();
    expect(await accept(bob, token)).toMatchObject({
      membership: { accountId: shownId('Account', ada.accountId) },
    });
    expect(await t.events()).toBe(head);
  });

  it('needs a plan with teams, an e-mail, and a verified one to be accepted', async () => {
    const [ada, free] = [await person('team'), await person()];
    expect(await invite(free, 'x@example.com')).toMatchObject({
      code: 'PLAN_REQUIRED',
      plan: { id: 'team' },
    });
    expect(await invite(ada, 'nowhere')).toMatchObject({ code: 'INVALID_INPUT' });
    const email = `unverified.${randomUUID()}@example.com`;
    const bob = { email, ...(await t.register(email)) };
    const token = await invitedToken(ada, email);
    expect(await accept(bob, token)).toMatchObject({ __typename: 'NotAllowed', code: 'EMAIL_UNVERIFIED' });
    await verify(bob.userId);
    expect(await accept(bob, token)).toMatchObject({
      membership: { accountId: shownId('Account', ada.accountId) },
    });
  });

  it('is one under its command id, mailed once, and can be withdrawn', async () => {
    const [ada, bob] = [await person('team'), await person()];
    const input = { email: bob.email, role: roleName('viewer'), commandId: randomUUID() };
    const send = async (of: typeof input) =>
      (await t.query(InviteMemberDocument, { input: of }, ada.token)).data?.inviteMember;
    const first = await send(input);
    if (first?.__typename !== 'InviteMemberPayload') throw new Error(JSON.stringify(first));
    const { id } = first.invitation;
    const token = await tokenOf(givenId('Invitation', id));
    const head = await t.events();
    expect(await send(input)).toEqual(first);
    expect(await send({ ...input, role: roleName('owner') })).toMatchObject({ code: 'COMMAND_ID_REUSED' });
    expect(await send({ ...input, commandId: randomUUID() })).toMatchObject({ code: 'ALREADY_INVITED' });
    expect(await t.events()).toBe(head);

    const withdraw = async (who: Person) =>
      (await t.query(WithdrawInvitationDocument, { input: { invitationId: id } }, who.token)).data
        ?.withdrawInvitation;
    expect(await withdraw(bob)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await withdraw(ada)).toMatchObject({ invitationId: id });
    expect(await withdraw(ada)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await accept(bob, token)).toMatchObject({ code: 'TOKEN_INVALID' });
  });
});

describe('the account that a request works in', () => {
  it('is the own one, or that of the header: the same refusal for a foreign one and for none', async () => {
    const [ada, eve] = [await person('team'), await person()];
    const answers = [];
    for (const accountId of [ada.accountId, randomUUID(), '', 'x'.repeat(5_000)]) {
      const { status, errors } = await inAccount(LimitsDocument, {}, eve.token, accountId);
      answers.push({ status, errors });
    }
    expect(answers[0]).toMatchObject({
      status: 404,
      errors: [{ extensions: { code: 'ACCOUNT_NOT_FOUND' } }],
    });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect((await inAccount(LimitsDocument, {}, eve.token, eve.accountId)).data?.account?.plan.id).toBe(
      'free',
    );
    // A key is for one account.
    const { secret } = await t.issueKey(eve.token);
    expect((await inAccount(PatternsDocument, {}, secret, eve.accountId)).status).toBe(200);
    expect(codeOf(await inAccount(PatternsDocument, {}, secret, ada.accountId))).toBe('ACCOUNT_NOT_FOUND');
  });

  it('has its plan, limits and keys; what a member may do is what the role says there', async () => {
    const ada = await person('team');
    const issue = async (who: Person) =>
      inAccount(IssueKeyDocument, { input: { name: 'a key' } }, who.token, ada.accountId);
    for (const [role, keys, manages] of [
      ['owner', true, true],
      ['admin', true, true],
      ['developer', true, false],
      ['billing', false, false],
      ['viewer', false, false],
    ] as const) {
      const who = await member(ada, role);
      expect((await inAccount(LimitsDocument, {}, who.token, ada.accountId)).data?.account?.plan.id).toBe(
        'team',
      );
      expect((await t.query(LimitsDocument, {}, who.token)).data?.account?.plan.id).toBe('free');
      expect([role, codeOf(await issue(who))]).toEqual([role, keys ? undefined : 'ROLE_MISSING']);
      const invitations = await inAccount(InvitationsDocument, {}, who.token, ada.accountId);
      expect([role, codeOf(invitations)]).toEqual([role, manages ? undefined : 'ROLE_MISSING']);
      // Of the own account everybody is the owner.
      expect(codeOf(await t.query(InvitationsDocument, {}, who.token))).toBeUndefined();
      if (manages) {
        const invited = await invite(who, `${randomUUID()}@example.com`, 'owner', ada.accountId);
        expect(invited).toMatchObject(
          role === 'owner' ? { __typename: 'InviteMemberPayload' } : { code: 'ROLE_MISSING' },
        );
        expect(await remove(who, ada.userId, ada.accountId)).toMatchObject({
          code: role === 'owner' ? 'FIRST_OWNER' : 'ROLE_MISSING',
        });
      }
      const password = { input: { password: 'correct horse' } };
      const deleted = await inAccount(DeleteAccountDocument, password, who.token, ada.accountId);
      if (role === 'owner') expect(deleted.data?.deleteAccount).toMatchObject({ code: 'NOT_FOUND' });
      else expect(codeOf(deleted)).toBe('ROLE_MISSING');
    }
  });

  it('hands out keys with the scope ADMIN, or new secrets of them, to nobody whose role is less', async () => {
    const ada = await person('team');
    const of = (who: Person) => ({
      issue: async (scopes: readonly ('READ' | 'WRITE' | 'ADMIN')[]) => {
        const input = { name: 'a key', scopes: [...scopes] };
        return (await inAccount(IssueKeyDocument, { input }, who.token, ada.accountId)).data?.issueKey;
      },
      rotate: async (keyId: string) => {
        const input = { keyId, graceSeconds: 60 };
        return (await inAccount(RotateKeyDocument, { input }, who.token, ada.accountId)).data?.rotateKey;
      },
    });
    const refused = { code: 'INVALID_INPUT', message: expect.stringContaining('role') as string };
    const dev = of(await member(ada, 'developer'));
    const admin = of(await member(ada, 'admin'));
    const ownersKey = await of(ada).issue(['READ', 'ADMIN']);
    const keyId = ownersKey?.__typename === 'IssueKeyPayload' ? ownersKey.key.id : '';

    expect(await dev.issue(['READ', 'WRITE'])).toMatchObject({ secret: expect.any(String) as string });
    expect(await dev.issue(['READ', 'ADMIN'])).toMatchObject(refused);
    expect(await dev.rotate(keyId)).toMatchObject(refused);
    expect(await admin.issue(['ADMIN'])).toMatchObject({ secret: expect.any(String) as string });
    expect(await admin.rotate(keyId)).toMatchObject({ secret: expect.any(String) as string });

    // In an operator's account such a key acts for the operator, whom no member may become.
    await t.makeOperator(ada);
    expect(await admin.issue(['ADMIN'])).toMatchObject(refused);
    expect(await admin.rotate(keyId)).toMatchObject(refused);
    expect(await of(ada).rotate(keyId)).toMatchObject({ secret: expect.any(String) as string });
  });

  it('keeps the keys that a member has issued, who is refused at once after being removed', async () => {
    const ada = await person('team');
    const bob = await member(ada, 'developer');
    const { data } = await inAccount(IssueKeyDocument, { input: { name: 'a' } }, bob.token, ada.accountId);
    const key = data?.issueKey?.__typename === 'IssueKeyPayload' ? data.issueKey : undefined;
    expect((await t.query(PatternsDocument, {}, key?.secret ?? '')).status).toBe(200);

    expect(await remove(ada, bob.userId)).toMatchObject({ userId: shownId('User', bob.userId) });
    expect(codeOf(await inAccount(LimitsDocument, {}, bob.token, ada.accountId))).toBe('ACCOUNT_NOT_FOUND');
    expect(await remove(ada, bob.userId)).toMatchObject({ code: 'NOT_FOUND' });
    expect((await t.query(PatternsDocument, {}, key?.secret ?? '')).status).toBe(200);
    // It is none of his.
    const revoke = { input: { keyId: key?.key.id ?? '' } };
    expect((await t.query(RevokeKeyDocument, revoke, bob.token)).data?.revokeKey).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await t.query(RevokeKeyDocument, revoke, ada.token)).data?.revokeKey).toMatchObject({
      key: { id: key?.key.id, revokedAt: expect.any(String) as string },
    });
  });

  it('is left by who wants to, and a changed role counts from the next request on', async () => {
    const ada = await person('team');
    const bob = await member(ada, 'admin');
    const input = { userId: bob.userId, role: roleName('viewer') };
    const { data } = await t.query(ChangeMemberRoleDocument, { input }, ada.token);
    expect(data?.changeMemberRole).toMatchObject({
      member: { userId: shownId('User', bob.userId), role: 'VIEWER', firstOwner: false },
    });
    expect(codeOf(await inAccount(InvitationsDocument, {}, bob.token, ada.accountId))).toBe('ROLE_MISSING');
    const leave = async (who: Person, accountId = ada.accountId) =>
      (await t.query(LeaveAccountDocument, { input: { accountId } }, who.token)).data?.leaveAccount;
    expect(await leave(ada)).toMatchObject({ code: 'FIRST_OWNER' });
    expect(await leave(bob)).toMatchObject({ accountId: shownId('Account', ada.accountId) });
    expect(await leave(bob)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await leave(bob, randomUUID())).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rolesIn(bob, ada.accountId)).toBe('ACCOUNT_NOT_FOUND');
  });

  it('is closed to all but owners while its plan has no teams', async () => {
    const ada = await person('team');
    const [own, bob] = [await member(ada, 'owner'), await member(ada, 'developer')];
    await t.grant(ada.accountId, 'free');
    const refused = await inAccount(LimitsDocument, {}, bob.token, ada.accountId);
    expect([refused.status, codeOf(refused)]).toEqual([403, 'TEAMS_NOT_IN_PLAN']);
    expect((await inAccount(LimitsDocument, {}, own.token, ada.accountId)).data?.account?.plan.id).toBe(
      'free',
    );
    expect(await invite(ada, 'x@example.com')).toMatchObject({ code: 'PLAN_REQUIRED' });
    await t.grant(ada.accountId, 'team');
    expect((await inAccount(LimitsDocument, {}, bob.token, ada.accountId)).status).toBe(200);
  });

  it('is lost by its members with the account, and by whoever deletes their own', async () => {
    const ada = await person('team');
    const [bob, cat] = [await member(ada, 'owner'), await member(ada, 'viewer')];
    const password = { input: { password: 'correct horse' } };
    await t.query(DeleteAccountDocument, password, cat.token);
    expect(codeOf(await inAccount(LimitsDocument, {}, cat.token, ada.accountId))).toBe('ACCOUNT_DELETED');
    expect(await rolesIn(ada, ada.accountId)).toEqual([
      [ada.userId, 'OWNER'],
      [bob.userId, 'OWNER'],
    ]);
    await t.query(DeleteAccountDocument, password, ada.token);
    expect(codeOf(await inAccount(LimitsDocument, {}, bob.token, ada.accountId))).toBe('ACCOUNT_NOT_FOUND');
    const mine = await t.query(MyAccountsDocument, {}, bob.token);
    expect(mine.data?.me?.accounts?.nodes.map(({ accountId }) => accountId)).toEqual([
      shownId('Account', bob.accountId),
    ]);
  });
});

describe('an open subscription in another account', () => {
  const endings: [what: string, code: string, (ada: Person, bob: Person) => Promise<unknown>][] = [
    ['the member is removed', 'ACCOUNT_NOT_FOUND', (ada, bob) => remove(ada, bob.userId)],
    ['its plan loses teams', 'TEAMS_NOT_IN_PLAN', (ada) => t.grant(ada.accountId, 'free')],
    [
      'the account is deleted',
      'ACCOUNT_NOT_FOUND',
      (ada) => t.query(DeleteAccountDocument, { input: { password: 'correct horse' } }, ada.token),
    ],
    [
      'the member signs out everywhere',
      'SESSION_ENDED',
      (_ada, bob) => t.query(SignOutEverywhereDocument, { input: {} }, bob.token),
    ],
  ];

  it.each(endings)('shows that account, and ends at once when %s', async (_what, code, end) => {
    const ada = await person('team');
    const bob = await member(ada, 'viewer');
    let closed: (event: { code: number; reason: string }) => void = () => undefined;
    const closing = new Promise<{ code: number; reason: string }>((resolve) => (closed = resolve));
    const client = createClient({
      url: `${t.app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${bob.token}`, 'Tollgraph-Account': ada.accountId },
      retryAttempts: 0,
      onNonLazyError: () => undefined,
      on: { closed: (event) => closed(event as { code: number; reason: string }) },
    });
    const events = client.iterate({ query: UsageChangedDocument.toString() });
    const first = (await events.next()) as { value: { data: UsageChangedSubscription } };
    // The limits of a team, not those of the member's own plan.
    const limits = first.value.data.usageChanged?.limits ?? [];
    expect(limits.some(({ remaining }) => remaining === '300')).toBe(true);
    await end(ada, bob);
    expect(await closing).toMatchObject({ code: 4401, reason: code });
    await client.dispose();
  });
});

it('no event holds an address in the clear, nor a token, and the read model is built again from the events', async () => {
  const [ada, email] = [await person('team'), `nowhere.${randomUUID()}@example.com`];
  const token = await invitedToken(ada, email);
  const { store, projector } = t.app.parts;
  const all = (await allEvents(store))
    .map(({ dataText, metadataText }) => dataText + metadataText)
    .join('\n');
  for (const text of [email, token]) expect(all).not.toContain(text);
  await t.caughtUp();
  expect(await projector.rebuild('teams')).toMatchObject({ differing: [] });
});
