import type { Capability, Services } from '../capability.js';
import { audited } from './audited.js';
import { ConfirmEmailChange, RequestEmailChange } from './changeEmail.js';
import { ChangePassword } from './changePassword.js';
import { holderOf } from './credentials.js';
import { DeleteAccount } from './delete.js';
import { DeletedAccounts } from './deletedAccounts.js';
import { parseEmail } from './email.js';
import { EmailResolver } from './emailResolvers.js';
import { claimedHash } from './emailStreams.js';
import { emailStream } from './events.js';
import { InviteUserResolver } from './inviteUser.js';
import { accountLoaders } from './loaders.js';
import { AccountNameResolver } from './nameResolvers.js';
import { OperatorAccountsResolver } from './operatorResolvers.js';
import { changeEmail, eraseUser, offerPasswordReset, openAccount, releaseEmail } from './policies.js';
import { publicEvents } from './publicEvents.js';
import { ProfileResolver } from './profileResolvers.js';
import { RequestPasswordReset, ResetPassword } from './resetPassword.js';
import { AccountResolver, AccountsResolver, UserResolver } from './resolvers.js';
import { Account, userOf } from './types.js';
import { UpdateProfile } from './updateProfile.js';
import { VerifyEmail } from './verifyEmail.js';

export const accounts: Capability = {
  streams: ['account', 'email', 'user'],
  audited,
  publicEvents,
  policies: ({ commands, personal }) => [
    openAccount(commands),
    offerPasswordReset(commands),
    changeEmail(commands),
    releaseEmail(commands),
    eraseUser(commands, personal),
  ],
  memory: async ({ queries }) => {
    const deletedAccounts = new DeletedAccounts();
    deletedAccounts.load(await queries.accounts.deleted());
    return { deletedAccounts };
  },
  ends: {
    AccountDeleted: ({ streamId }) => streamId,
  },
  graphql: {
    resolvers: [
      AccountsResolver,
      ProfileResolver,
      EmailResolver,
      UserResolver,
      AccountResolver,
      AccountNameResolver,
      OperatorAccountsResolver,
      InviteUserResolver,
    ],
    loaders: accountLoaders,
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
    notAwaited: ['requestPasswordReset'],
  },
};

function resolversOf(services: Services): object[] {
  const { commands, personal, secrets, memory, register, passwordAttempts, startSession } = services;
  const { positions, sender, planOf, shown, settled, mailedTokens, standingIn } = services;
  const hashKey = secrets.EMAIL_HASH_KEY;
  return [
    new ProfileResolver(
      new ChangePassword(commands, personal, startSession, passwordAttempts, hashKey),
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
      new RequestEmailChange(commands, personal, passwordAttempts, hashKey),
      new ConfirmEmailChange(commands, mailedTokens),
      positions,
      settled,
    ),
    new UserResolver(),
    new AccountResolver(planOf, (account) => memory.plans.endOf(account)),
    new InviteUserResolver(commands, personal, hashKey, services.operatorAction, positions),
    new AccountNameResolver(sender, personal, hashKey),
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
