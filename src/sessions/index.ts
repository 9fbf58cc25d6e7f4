import type { UserEvent } from '../accounts/events.js';
import type { Capability } from '../capability.js';
import { as } from '../eventsourcing/event.js';
import { audited } from './audited.js';
import { ENDED_KEPT_MS, EndedSessions } from './endedSessions.js';
import type { SessionEvent } from './events.js';
import { forgetRefreshTokens } from './policies.js';
import { RefreshSession } from './refreshSession.js';
import { SessionsResolver } from './resolvers.js';
import { SignIn } from './signIn.js';

export const sessions: Capability = {
  streams: ['session'],
  audited,
  policies: ({ refreshTokens }) => [forgetRefreshTokens(refreshTokens)],
  memory: async ({ queries, clock }) => {
    const endedSessions = new EndedSessions();
    endedSessions.load(await queries.sessions.endedSince(new Date(clock() - ENDED_KEPT_MS)));
    return { endedSessions };
  },
  ends: {
    SessionEnded: (event) => as<SessionEvent>(event).data.accountId,
    SessionsEnded: (event) => as<UserEvent>(event).data.accountId,
    PasswordChanged: (event) => as<UserEvent>(event).data.accountId,
  },
  graphql: {
    resolvers: [SessionsResolver],
    create: ({
      commands,
      memory,
      passwordCheck,
      positions,
      refreshTokens,
      sender,
      sessions,
      startSession,
    }) => ({
      resolvers: [
        new SessionsResolver(
          new SignIn(passwordCheck, startSession),
          new RefreshSession(commands, sessions, refreshTokens, (account) =>
            memory.deletedAccounts.has(account),
          ),
          sender,
          positions,
        ),
      ],
    }),
    // It adds no event.
    notAwaited: ['refreshSession'],
  },
};
