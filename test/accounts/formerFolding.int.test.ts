import { RequestEmailChange } from '../../src/accounts/changeEmail.js';
import { Credentials } from '../../src/accounts/credentials.js';
import { emailDecider } from '../../src/accounts/decideEmail.js';
import { userDecider } from '../../src/accounts/decideUser.js';
import type { Email } from '../../src/accounts/email.js';
import { emailHash, parseEmail } from '../../src/accounts/email.js';
import { claimedHash, hashesOfMailbox } from '../../src/accounts/emailStreams.js';
import { emailStream, userStream } from '../../src/accounts/events.js';
import { LinkIdentity } from '../../src/identities/linkIdentity.js';
import { hashPassword } from '../../src/accounts/passwords.js';
import { offerPasswordReset, openAccount } from '../../src/accounts/policies.js';
import { RegisterUser } from '../../src/accounts/register.js';
import { RegisterVouchedUser } from '../../src/accounts/registerVouchedUser.js';
import { RequestPasswordReset } from '../../src/accounts/resetPassword.js';
import { verifiedHolderOf } from '../../src/accounts/verifiedHolder.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { PersonalData } from '../../src/secrets/personalData.js';
import { freshSql } from '../support/database.js';

const KEY = Buffer.alloc(32, 1);
const PASSWORD = 'correct horse';
let now = Date.parse('2026-11-29T12:00:00Z');

let database: Awaited<ReturnType<typeof freshSql>>;
let commands: CommandHandler;
let personal: PersonalData;
let domains = 0;
beforeAll(async () => {
  database = await freshSql();
  commands = new CommandHandler(await PostgresEventStore.open(database.sql));
  personal = await PersonalData.open(database.sql, KEY);
});
afterAll(() => database.remove());

/** A domain of its own for each test, in both spellings. */
const newDomain = () => {
  const n = ++domains;
  const u = `bücher.n${n}.example`;
  return { u, a: `xn--bcher-kva.n${n}.example` };
};

const context = (): Parameters<CommandHandler['handle']>[3] => ({
  commandId: crypto.randomUUID(),
  caller: 'test',
  requestHash: 'test',
  at: new Date(++now),
  environment: 'live',
  correlationId: 'test',
});
const last = async (stream: string) => (await commands.load(stream)).at(-1) as StoredEvent;
const parsed = (text: string) => parseEmail(text) as Email;

interface Person {
  readonly userId: string;
  readonly accountId: string;
}

/** A registration as it was stored when e-mails were folded by NFKC and lower case, domain and all. */
async function registeredFormerly(
  typed: string,
  { verified = true, password = PASSWORD } = {},
): Promise<Person> {
  const email = typed.trim().normalize('NFKC').toLowerCase();
  const [userId, accountId] = [crypto.randomUUID(), crypto.randomUUID()];
  const seal = (text: string) => personal.seal(userId, text);
  const stream = emailStream(emailHash(KEY, email));
  const registration = {
    userId,
    accountId,
    email: await seal(email),
    name: await seal(''),
    passwordHash: await seal(await hashPassword(password)),
  };
  await commands.handle(emailDecider, stream, { type: 'RegisterEmail', registration }, context());
  await openAccount(commands).react(await last(stream));
  if (verified) await commands.handle(userDecider, userStream(userId), { type: 'VerifyEmail' }, context());
  return { userId, accountId };
}

const register = (email: string) =>
  new RegisterUser(commands, personal, KEY, () => ++now).execute({ email, password: PASSWORD }, 'test');
const signIn = async (email: string, password = PASSWORD) =>
  new Credentials(commands, personal).check(await claimedHash(commands, KEY, parsed(email)), password);
const link = (email: string) =>
  new LinkIdentity(commands, new RegisterVouchedUser(commands, personal, KEY), () =>
    Promise.resolve(),
  ).execute(
    crypto.randomUUID(),
    { issuer: 'https://issuer.example', subject: crypto.randomUUID(), email, name: 'X', since: now },
    new Date(++now),
  );
const taken = { kind: 'refused', refusal: { code: 'EMAIL_TAKEN' } };

describe('an account from before, with its domain in letters', () => {
  it('is found by registering and signing in, in either spelling', async () => {
    const { u, a } = newDomain();
    const { userId } = await registeredFormerly(`Ada@${u}`);
    for (const spelling of [`ada@${u}`, `ADA@${a}`, `ada@${u.toUpperCase()}`]) {
      expect(await register(spelling)).toMatchObject(taken);
      expect(await signIn(spelling)).toMatchObject({ userId });
      expect(await signIn(spelling, 'wrong password')).toBeUndefined();
    }
  });

  it('keeps its own where both spellings were registered', async () => {
    const { u, a } = newDomain();
    const one = await registeredFormerly(`ada@${u}`, { password: 'first password' });
    const other = await registeredFormerly(`ada@${a}`, { password: 'second password' });
    expect(await signIn(`ada@${u}`, 'first password')).toMatchObject(one);
    expect(await signIn(`ada@${a}`, 'second password')).toMatchObject(other);
    expect(await register(`ada@${u}`)).toMatchObject(taken);
  });

  it('gets the mail for a new password, at the address that is stored', async () => {
    const { u, a } = newDomain();
    const { userId } = await registeredFormerly(`ada@${u}`);
    for (const email of [`ada@${u}`, `ada@${a}`]) {
      const asked = await new RequestPasswordReset(commands, KEY).execute({ email }, context());
      expect(asked.kind).toBe('asked');
      const request = await last(emailStream(emailHash(KEY, `ada@${u}`)));
      expect(request.type).toBe('PasswordResetRequested');
      await offerPasswordReset(commands).react(request);
      const offer = await last(userStream(userId));
      expect(offer.type).toBe('PasswordResetOffered');
      expect(await personal.unseal((offer.data as { email: string }).email)).toBe(`ada@${u}`);
    }
  });

  it('is nobody else’s to change to, and changes to another by its password', async () => {
    const { u, a } = newDomain();
    await registeredFormerly(`ada@${u}`);
    const bob = await registeredFormerly(`bob@${u}`);
    const change = (email: string) =>
      new RequestEmailChange(
        commands,
        personal,
        { take: () => ({ waitMs: 0, giveBack: () => {} }) },
        KEY,
      ).execute(bob, { email, password: PASSWORD }, context());
    expect(await change(`ada@${a}`)).toMatchObject(taken);
    expect(await change(`bob.new@${u}`)).toMatchObject({ kind: 'accepted' });
  });

  it('is who an issuer vouches for, once both have verified the e-mail', async () => {
    const { u, a } = newDomain();
    const ada = await registeredFormerly(`ada@${u}`);
    expect(await link(`ada@${a}`)).toEqual({ kind: 'linked', link: ada });
    await registeredFormerly(`eve@${u}`, { verified: false });
    expect(await link(`eve@${a}`)).toEqual({ kind: 'refused', code: 'EMAIL_UNVERIFIED' });
  });

  it('is an operator’s where OPERATORS names it', async () => {
    const { u, a } = newDomain();
    const ada = await registeredFormerly(`ada@${u}`);
    expect(await verifiedHolderOf(commands, personal, KEY, `ada@${a}`)).toEqual(ada);
  });

  it('accepts invitations to either spelling, before and now', () => {
    const { u, a } = newDomain();
    const names = [`ada@${u}`, `ada@${a}`].map((email) => emailHash(KEY, email)).sort();
    expect([...hashesOfMailbox(KEY, `ada@${u}`)].sort()).toEqual(names);
    expect([...hashesOfMailbox(KEY, `ada@${a}`)].sort()).toEqual(names);
  });
});

describe('an account whose local part was folded', () => {
  it('signs in as it was typed, by its password', async () => {
    const { userId } = await registeredFormerly('ＡＤＡ@wide.example');
    expect(await signIn('ＡＤＡ@wide.example')).toMatchObject({ userId });
    expect(await signIn('ada@wide.example')).toMatchObject({ userId });
  });

  /** Mail servers may tell these from the account's own, so somebody else may have them. */
  const LOOKALIKES = ['ﬀoo', 'ｆｆｏｏ', 'ＦＦoo'].map((local) => [local, 'ffoo'] as const);

  it.each([...LOOKALIKES, ['\u212Aate', 'kate'], ['Édith', 'édith'], ['İnan', 'i̇nan']] as const)(
    'is not given to who has the mailbox "%s" at an issuer, nor an invitation to it',
    async (lookalike, local) => {
      const { a } = newDomain();
      const victim = await registeredFormerly(`${local}@${a}`);
      const linked = await link(`${lookalike}@${a}`);
      expect(linked).toMatchObject({ kind: 'linked' });
      expect(linked).not.toMatchObject({ link: victim });
      expect(hashesOfMailbox(KEY, `${lookalike}@${a}`)).not.toContain(emailHash(KEY, `${local}@${a}`));
      expect(await verifiedHolderOf(commands, personal, KEY, `${local}@${a}`)).toEqual(victim);
      // Each signs in as they are spelled.
      expect(await signIn(`${local}@${a}`)).toMatchObject(victim);
      expect(await signIn(`${lookalike}@${a}`)).toBeUndefined();
    },
  );
});
