import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { holderOf } from '../accounts/credentials.js';
import { accountDecider } from '../accounts/decideAccount.js';
import { emailDecider } from '../accounts/decideEmail.js';
import { userDecider } from '../accounts/decideUser.js';
import type { Email } from '../accounts/email.js';
import { parseEmail } from '../accounts/email.js';
import { mailboxHash } from '../accounts/emailStreams.js';
import type { EmailEvent } from '../accounts/events.js';
import { accountStream, emailStream, IMPORTED_BY, userStream } from '../accounts/events.js';
import { hashPassword } from '../accounts/passwords.js';
import { NAME } from '../accounts/register.js';
import type { Clock } from '../clock.js';
import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { DomainEvent } from '../eventsourcing/event.js';
import { contentHash, derivedId } from '../eventsourcing/ids.js';
import { hashKey } from '../keys/cache.js';
import { keyDecider } from '../keys/decide.js';
import type { Scope } from '../keys/events.js';
import { keyStream, SCOPES } from '../keys/events.js';
import { MAX_LENGTH } from '../keys/format.js';
import { profileDecider, subscriptionDecider } from '../plans/decide.js';
import { profileStream, subscriptionStream } from '../plans/events.js';
import type { Profile } from '../plans/profile.js';
import type { PersonalData } from '../secrets/personalData.js';
import { fingerprint } from '../secrets/secrets.js';
import { textProblem, tidy } from '../text/text.js';
import { timeOf } from '../text/time.js';
import type { IMPORT_COLUMNS } from './importFormat.js';
import { IMPORT_BATCH } from './importFormat.js';
import type { AdminCommands } from './server.js';

export type ImportRow = { readonly line: number } & Readonly<
  Partial<Record<(typeof IMPORT_COLUMNS)[number], string>>
>;

const Args = z.object({
  rows: z.array(z.looseObject({ line: z.number().int() })).max(IMPORT_BATCH),
  dryRun: z.boolean(),
  by: z.string().min(1),
});

/** What became of a row. */
export interface ImportedRow {
  readonly line: number;
  /** What was new of it, or would be; empty where it was imported before. */
  readonly added: readonly ('user' | 'plan' | 'key')[];
  /** Why it was left out; null where it was not. */
  readonly problem: string | null;
}

export interface ImportParts {
  readonly commands: CommandHandler;
  readonly personal: PersonalData;
  readonly secrets: { readonly EMAIL_HASH_KEY: Buffer; readonly KEY_PEPPER: Buffer };
  readonly profile: Profile;
  readonly clock: Clock;
}

/** A row that can be imported, as far as itself can tell. */
interface Wanted {
  readonly email: Email;
  readonly name: string;
  readonly plan: string | undefined;
  readonly until: Date | undefined;
  readonly key:
    { readonly secret: string; readonly name: string; readonly scopes: readonly Scope[] } | undefined;
}

/** The row cannot be imported; the message is for people and says nothing of the key. */
class Left extends Error {}

/**
 * Brings users of another system in, each with a plan that they keep and keys that go on working. Commands go
 * by what they are about, so that the same file again adds nothing, and a file that was cut short goes on.
 */
export function importCommands(parts: ImportParts): AdminCommands {
  // Nobody knows it: whoever is imported signs in once a password is set by mail.
  let password: Promise<string> | undefined;
  const locked = (): Promise<string> => (password ??= hashPassword(randomBytes(24).toString('base64url')));
  return {
    'import users': async (args): Promise<ImportedRow[]> => {
      const { rows, dryRun, by } = Args.parse(args);
      const { commands, profile } = parts;
      const { version } = fold(profileDecider, await commands.load(profileStream(profile.name)));
      const results: ImportedRow[] = [];
      for (const row of rows as readonly ImportRow[]) {
        try {
          const wanted = wantedOf(row, profile);
          const added = await importRow(parts, wanted, { dryRun, by, locked, version });
          results.push({ line: row.line, added, problem: null });
        } catch (error) {
          if (!(error instanceof Left)) throw error;
          results.push({ line: row.line, added: [], problem: error.message });
        }
      }
      return results;
    },
  };
}

/** @throws Left */
function wantedOf(row: ImportRow, { plans }: Profile): Wanted {
  const cell = (name: keyof ImportRow): string | undefined => {
    const value = row[name];
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  };
  const email = parseEmail(cell('email') ?? '');
  if (!email) throw new Left('"email" is not an e-mail address.');
  const name = tidy(cell('name') ?? '');
  const badName = textProblem('name', name, NAME);
  if (badName !== undefined) throw new Left(badName);
  const plan = cell('plan');
  const ids = plans.map(({ id }) => id);
  if (plan !== undefined && !ids.includes(plan)) {
    throw new Left(`There is no plan "${plan}"; there are ${ids.join(', ')}.`);
  }
  const end = cell('plan_until');
  const until = end === undefined ? undefined : timeOf(end);
  if (end !== undefined && !until) {
    throw new Left('"plan_until" must be a time with a zone, like 2026-12-31T00:00:00Z.');
  }
  if (end !== undefined && plan === undefined) throw new Left('"plan_until" needs a plan.');
  return { email, name, plan, until, key: keyOf(cell) };
}

/** @throws Left */
function keyOf(cell: (name: keyof ImportRow) => string | undefined): Wanted['key'] {
  const secret = cell('key');
  if (secret === undefined) return undefined;
  if (!/^[!-~]+$/.test(secret) || secret.length < 16 || secret.length > MAX_LENGTH) {
    throw new Left(`"key" must have 16 to ${MAX_LENGTH} visible ASCII characters.`);
  }
  if (secret.startsWith('eyJ')) throw new Left('"key" begins with eyJ, as session tokens do.');
  const name = tidy(cell('key_name') ?? 'Imported key');
  const badName = textProblem('key_name', name, { min: 1, max: 100 });
  if (badName !== undefined) throw new Left(badName);
  const scopes = (cell('key_scopes') ?? 'read').split(/[\s,]+/);
  const known = scopes.filter((scope): scope is Scope => SCOPES.some((one) => one === scope));
  if (known.length < scopes.length) throw new Left(`"key_scopes" must be of ${SCOPES.join(', ')}.`);
  return { secret, name, scopes: [...new Set(known)] };
}

interface How {
  readonly dryRun: boolean;
  readonly by: string;
  readonly locked: () => Promise<string>;
  /** Of the profile that is in force. */
  readonly version: number;
}

/** @throws Left */
async function importRow(parts: ImportParts, wanted: Wanted, how: How): Promise<ImportedRow['added']> {
  const { commands, secrets, clock } = parts;
  const hash = await mailboxHash(commands, secrets.EMAIL_HASH_KEY, wanted.email);
  const history = await commands.load(emailStream(hash));
  const holder = holderOf(history)?.data;
  const given = history.findLast(({ type }) => type === 'EmailRegistered' || type === 'EmailClaimed');
  // Whoever else has registered the address may be anybody: they would get somebody's plan and keys.
  if (holder && given?.metadata.caller !== IMPORTED_BY) {
    throw new Left('A user has registered with this e-mail: what they have is changed by hand.');
  }
  // An e-mail that was released belongs to somebody new.
  const scope = [IMPORTED_BY, hash, String(history.length)];
  const userId = holder?.userId ?? derivedId('user', ...scope);
  const accountId = holder?.accountId ?? derivedId('account', ...scope);
  const at = new Date(clock());
  const context = (commandId: string): CommandContext => ({
    commandId,
    caller: IMPORTED_BY,
    requestHash: commandId,
    at,
    environment: 'live',
    correlationId: derivedId('import', hash),
    reason: `imported by ${how.by}`,
  });
  const rest = async (dryRun: boolean): Promise<('plan' | 'key')[]> => {
    const added: ('plan' | 'key')[] = [];
    const also = { ...how, dryRun };
    if (wanted.plan !== undefined && (await grant(parts, wanted, accountId, at, also, context)))
      added.push('plan');
    if (wanted.key && (await bringKey(parts, wanted.key, accountId, at, also, context))) added.push('key');
    return added;
  };
  // All of a row or nothing, as far as can be seen before.
  const missing = await rest(true);
  if (!how.dryRun) {
    const user = holder ?? (await register(parts, wanted, { userId, accountId, hash }, how, context));
    await open(commands, user, context);
    await rest(false);
  }
  return holder ? missing : ['user', ...missing];
}

type Registration = Extract<EmailEvent, { type: 'EmailRegistered' }>['data'];

async function register(
  { commands, personal }: ImportParts,
  { email: { address }, name }: Wanted,
  { userId, accountId, hash }: { readonly userId: string; readonly accountId: string; readonly hash: string },
  { locked }: How,
  context: (commandId: string) => CommandContext,
): Promise<Registration> {
  const seal = (text: string): Promise<string> => personal.seal(userId, text);
  const registration = {
    userId,
    accountId,
    email: await seal(address),
    name: await seal(name),
    passwordHash: await seal(await locked()),
  };
  done(
    await commands.handle(
      emailDecider,
      emailStream(hash),
      { type: 'RegisterEmail', registration },
      context(`register:${userId}`),
    ),
  );
  return registration;
}

/**
 * What a policy does too; here plan and key follow at once. The e-mail is the user's: the operator says so, and
 * nobody signs in who does not read its mails.
 */
async function open(
  commands: CommandHandler,
  { userId, accountId, email, name }: Omit<Registration, 'passwordHash'>,
  context: (commandId: string) => CommandContext,
): Promise<void> {
  const user = userStream(userId);
  const command = { type: 'RegisterUser', user: { accountId, email, name } } as const;
  const open = { type: 'OpenAccount', ownerId: userId } as const;
  done(await commands.handle(accountDecider, accountStream(accountId), open, context('open-account')));
  done(await commands.handle(userDecider, user, command, context('register-user')));
  done(await commands.handle(userDecider, user, { type: 'VerifyEmail' }, context('verify-email')));
}

/** @returns whether the account did not have it */
async function grant(
  { commands, profile }: ImportParts,
  { plan = '', until }: Wanted,
  accountId: string,
  at: Date,
  { dryRun, version }: How,
  context: (commandId: string) => CommandContext,
): Promise<boolean> {
  const stream = subscriptionStream(accountId);
  const id = `grant:${contentHash(JSON.stringify([plan, until?.toISOString() ?? null]))}`;
  const history = await commands.load(stream);
  if (earlierResult(history, context(id))) return false;
  if (until && until <= at) throw new Left('"plan_until" must be in the future.');
  if (dryRun) return true;
  const command = {
    type: 'GrantPlan',
    plan,
    plans: profile.plans.map((one) => one.id),
    profileVersion: version,
    grantedBy: IMPORTED_BY,
    reason: 'what the user had before the import',
    until,
    at,
  } as const;
  return done(await commands.handle(subscriptionDecider, stream, command, context(id)));
}

/** @returns whether it was not there */
async function bringKey(
  { commands, secrets: { KEY_PEPPER: pepper }, profile }: ImportParts,
  { secret, name, scopes }: NonNullable<Wanted['key']>,
  accountId: string,
  at: Date,
  { dryRun }: How,
  context: (commandId: string) => CommandContext,
): Promise<boolean> {
  const { live, test } = profile.keys;
  const hash = hashKey(pepper, secret);
  const stream = keyStream(derivedId('imported-key', hash));
  const [issued] = await commands.load(stream);
  if (issued) {
    if ((issued.data as { accountId?: string }).accountId === accountId) return false;
    throw new Left('The key belongs to another user.');
  }
  if (dryRun) return true;
  // One prefix may begin with the other.
  const prefix = [live, test].sort((a, b) => b.length - a.length).find((one) => secret.startsWith(one)) ?? '';
  const environment = prefix === test ? 'test' : 'live';
  const key = {
    accountId,
    name,
    environment,
    scopes,
    hash,
    pepperId: fingerprint('KEY_PEPPER', pepper),
    prefix,
    last4: secret.slice(-4),
    expiresAt: null,
    limits: [],
    metadata: [],
  } as const;
  const command = { type: 'IssueKey', at, key } as const;
  return done(await commands.handle(keyDecider, stream, command, { ...context('issue-key'), environment }));
}

/** @throws Left for what a decider refuses */
function done<E extends DomainEvent>(result: CommandResult<E>): boolean {
  if (result.kind === 'refused') throw new Left(result.refusal.message);
  return !result.replayed && result.events.length > 0;
}
