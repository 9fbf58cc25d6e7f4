import type { CommandContext } from '../eventsourcing/commandHandler.js';
import type { Refusal } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import type { Session, SessionStart } from '../sessions/events.js';
import type { SessionTokens } from '../sessions/tokenTypes.js';

/** Begins a session for a user who has shown who they are. */
export interface StartsSession {
  execute(
    user: Omit<Session, 'sessionId'>,
    how: SessionStart,
    context: Omit<CommandContext, 'environment' | 'requestHash'>,
  ): Promise<
    | {
        readonly kind: 'started';
        /** Null when the command had been handled before. */
        readonly tokens: SessionTokens | null;
        readonly position: Position;
      }
    | { readonly kind: 'refused'; readonly refusal: Refusal }
  >;
}
