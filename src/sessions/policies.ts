import type { AccountEvent, UserEvent } from '../accounts/events.js';
import { as } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import type { SessionEvent } from './events.js';
import type { RefreshTokens } from './refreshTokens.js';

type SessionsOver =
  | Extract<SessionEvent, { type: 'SessionEnded' }>
  | Extract<UserEvent, { type: 'SessionsEnded' | 'PasswordChanged' }>
  | Extract<AccountEvent, { type: 'AccountDeleted' }>;

/** The refresh tokens of ended sessions are removed. They are refused without it: this only tidies up. */
export function forgetRefreshTokens(tokens: RefreshTokens): Policy {
  return {
    name: 'forget-refresh-tokens',
    handles: new Set<SessionsOver['type']>([
      'SessionEnded',
      'SessionsEnded',
      'PasswordChanged',
      'AccountDeleted',
    ]),
    react: async (event) => {
      const { type, data } = as<SessionsOver>(event);
      if (type === 'SessionEnded') await tokens.forgetSession(event.streamId);
      else if (type === 'AccountDeleted') await tokens.forgetUser(data.ownerId, null);
      else await tokens.forgetUser(event.streamId, data.epoch);
    },
  };
}
