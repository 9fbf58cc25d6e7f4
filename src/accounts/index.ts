import type { Capability, Services } from '../capability.js';
import { as } from '../eventsourcing/event.js';
import { audited } from './audited.js';
import { ConfirmEmailChange, RequestEmailChange } from './changeEmail.js';
import { ChangePassword } from './changePassword.js';
import { Credentials, holderOf } from './credentials.js';
import { DeleteAccount } from './delete.js';
import { DeletedAccounts } from './deletedAccounts.js';
import { parseEmail } from './email.js';
import { EmailResolver } from './emailResolvers.js';
import { claimedHash } from './emailStreams.js';
import { ENDED_KEPT_MS, EndedSessions } from './endedSessions.js';
import type { SessionEvent, UserEvent } from './events.js';
import { emailStream } from './events.js';
import { OperatorAccountsResolver } from './operatorResolvers.js';
import { Identities } from './identities.js';
import {
  changeEmail,
  eraseUser,
  forgetRefreshTokens,
  offerPasswordReset,
  openAccount,
  releaseEmail,
} from './policies.js';
import { publicEvents } from './publicEvents.js';
import { ProfileResolver } from './profileResolvers.js';
import { RefreshSession } from './refreshSession.js';
import { RequestPasswordReset, ResetPassword } from './resetPassword.js';
import { AccountResolver, AccountsResolver, UserResolver } from './resolvers.js';
import { SessionsResolver } from './sessionResolvers.js';
import { ATTEMPTS, ATTEMPTS_WINDOW_MS, SignIn } from './signIn.js';
import { StartSession } from './startSession.js';
import { Account, userOf } from './types.js';
import { UpdateProfile } from './updateProfile.js';
import { VerifyEmail } from './verifyEmail.js';

export const accounts: Capability = {
  streams: ['account', 'email', 'identity', 'session', 'user'],
  audited,
  publicEvents,
  policies: ({ commands, personal, refreshTokens }) => [
    openAccount(commands),
    offerPasswordReset(commands),
    changeEmail(commands),
    releaseEmail(commands),
    eraseUser(commands, personal),
    forgetRefreshTokens(refreshTokens),
  ],
  memory: async ({ queries, clock }) => {
    const deletedAccounts = new DeletedAccounts();
    const endedSessions = new EndedSessions();
    const identities = new Identities();
    deletedAccounts.load(await queries.accounts.deleted());
    endedSessions.load(await queries.sessions.endedSince(new Date(clock() - ENDED_KEPT_MS)));
    identities.load(await queries.identities.links(), await queries.sessions.ends());
    return { deletedAccounts, endedSessions, identities };
  },
  ends: {
    AccountDeleted: ({ streamId }) => streamId,
    SessionEnded: (event) => as<SessionEvent>(event).data.accountId,
    SessionsEnded: (event) => as<UserEvent>(event).data.accountId,
    PasswordChanged: (event) => as<UserEvent>(event).data.accountId,
  },
  graphql: {
    resolvers: [
      AccountsResolver,
      SessionsResolver,
      ProfileResolver,
      EmailResolver,
      UserResolver,
      AccountResolver,
      OperatorAccountsResolver,
    ],
    create: (services) => ({
      resolvers: resolversOf(services),
      nodes: {
        Account: async (ids, context) => {
          const found = await Promise.all(
            ids.map(async (id) => {
              const standing = await services.standingIn(context, id);
              return standing && new Account(id, standing);
            }),
          );
          return found.filter((account) => account !== undefined);
        },
        User: async (ids, { caller, loaders }) => {
          if (caller.kind !== 'session') return [];
          const { accountId, session } = caller;
          const rows = await Promise.all(ids.map((id) => loaders.user.load(id)));
          // Oneself, and who works in the same account, as in the list of its members.
          const seen = rows
            .filter((row) => row !== undefined)
            .filter(
              ({ id, account_id }) =>
                id === session.userId ||
                account_id === accountId ||
                services.memory.memberships.roleOf(accountId, id) !== undefined,
            );
          return seen.map(userOf);
        },
      },
    }),
    // What follows from a reset that is asked for depends on whether somebody has the e-mail, and waiting
    // beside it would tell.
    notAwaited: ['requestPasswordReset', 'refreshSession'],
  },
};

function resolversOf(services: Services): object[] {
  const { commands, personal, refreshTokens, secrets, memory, register, sessions } = services;
  const { positions, planOf, shown, settled, mailedTokens, guard, sender, standingIn } = services;
  const hashKey = secrets.EMAIL_HASH_KEY;
  const attempts = guard(ATTEMPTS, ATTEMPTS_WINDOW_MS);
  const startSession = new StartSession(commands, sessions, refreshTokens);
  const deleted = (account: string) => memory.deletedAccounts.has(account);
  return [
    new SessionsResolver(
      new SignIn(
        new Credentials(commands, personal),
        startSession,
        attempts,
        hashKey,
        (email) => claimedHash(commands, hashKey, email),
        deleted,
      ),
      new RefreshSession(commands, sessions, refreshTokens, deleted),
      sender,
      positions,
    ),
    new ProfileResolver(
      new ChangePassword(commands, personal, startSession, attempts, hashKey),
      new UpdateProfile(commands, personal, hashKey),
      new VerifyEmail(commands, mailedTokens),
      positions,
      shown,
    ),
    new AccountsResolver(
      register,
      new DeleteAccount(commands, personal, hashKey),
      startSession,
      positions,
      settled,
      standingIn,
    ),
    new EmailResolver(
      new RequestPasswordReset(commands, hashKey),
      new ResetPassword(commands, personal, mailedTokens),
      new RequestEmailChange(commands, personal, attempts, hashKey),
      new ConfirmEmailChange(commands, mailedTokens),
      positions,
      settled,
    ),
    new UserResolver(),
    new AccountResolver(planOf),
    new OperatorAccountsResolver(
      services.queries.accounts,
      services.cursors,
      () => memory.plans.profile.defaultPlan,
      async (text) => {
        const email = parseEmail(text);
        if (!email) return undefined;
        const stream = emailStream(await claimedHash(commands, hashKey, email));
        return holderOf(await commands.load(stream))?.data.accountId;
      },
    ),
  ];
}
