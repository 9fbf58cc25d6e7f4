import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Refusal } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import { sessionDecider } from './decideSession.js';
import type { SessionStart, Session } from './events.js';
import { sessionStream } from './events.js';
import type { RefreshTokens } from './refreshTokens.js';
import type { Sessions } from './sessions.js';
import { sessionEnd } from './sessions.js';

/** What a session is continued with. Shown once. */
export interface SessionTokens {
  readonly sessionToken: string;
  readonly refreshToken: string;
  /** When the session token is over. */
  readonly expiresAt: Date;
}

export type StartedSession =
  | {
      readonly kind: 'started';
      /** Null when the command had been handled before. */
      readonly tokens: SessionTokens | null;
      readonly position: Position;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The command StartSession. The session's id follows from the command's id, so that a repetition meets it. */
export class StartSession {
  constructor(
    private readonly commands: CommandHandler,
    private readonly sessions: Sessions,
    private readonly refreshTokens: RefreshTokens,
  ) {}

  async execute(
    { userId, accountId, epoch }: Omit<Session, 'sessionId'>,
    how: SessionStart,
    context: Omit<CommandContext, 'environment' | 'requestHash'>,
  ): Promise<StartedSession> {
    const sessionId = derivedId('session', context.caller, context.commandId);
    const result = await this.commands.handle(
      sessionDecider,
      sessionStream(sessionId),
      { type: 'StartSession', session: { userId, accountId, epoch, how } },
      { ...context, environment: 'live', requestHash: `start:${how}` },
    );
    if (result.kind === 'refused') return result;
    const { position } = result;
    if (result.replayed) return { kind: 'started', tokens: null, position };
    const session = { sessionId, userId, accountId, epoch };
    const now = context.at.getTime();
    const refreshToken = await this.refreshTokens.issue(session, now);
    const sessionToken = await this.sessions.issue(session, context.at);
    return {
      kind: 'started',
      tokens: { sessionToken, refreshToken, expiresAt: sessionEnd(now) },
      position,
    };
  }
}
