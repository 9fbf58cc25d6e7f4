import { randomUUID } from 'node:crypto';
import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import { sessionDecider } from './decideSession.js';
import { allSessionsDecider } from './decideAllSessions.js';
import { sessionStream } from './events.js';
import { userStream } from '../accounts/events.js';
import type { RefreshTokens } from './refreshTokens.js';
import type { Sessions } from './sessions.js';
import { sessionEnd } from './sessions.js';
import type { SessionTokens } from './startSession.js';

export type Refreshed =
  | { readonly kind: 'refreshed'; readonly tokens: SessionTokens; readonly position: Position }
  | { readonly kind: 'refused'; readonly code: 'REFRESH_TOKEN_INVALID' | 'REFRESH_TOKEN_REUSED' };

const INVALID = { kind: 'refused', code: 'REFRESH_TOKEN_INVALID' } as const;

/**
 * Continues a session: a refresh token is exchanged for a new one, and a new session token. It adds no
 * event: a session lives for months and its stream stays short (decision 4). A token that is used twice
 * is in two hands, of which one has stolen it: the whole session ends.
 */
export class RefreshSession {
  constructor(
    private readonly commands: CommandHandler,
    private readonly sessions: Sessions,
    private readonly refreshTokens: RefreshTokens,
    private readonly deleted: (accountId: string) => boolean,
  ) {}

  async execute(
    token: string,
    { at, correlationId }: Pick<CommandContext, 'at' | 'correlationId'>,
  ): Promise<Refreshed> {
    const now = at.getTime();
    const found = await this.refreshTokens.find(token, now);
    if (!found) return INVALID;
    const { sessionId, userId, epoch } = found;
    // In the events themselves: what lives in memory may be a moment behind, and forgets.
    const history = await this.commands.load(sessionStream(sessionId));
    const { started, ended } = fold(sessionDecider, history);
    const all = fold(allSessionsDecider, await this.commands.load(userStream(userId)));
    if (!started || ended || all.erased || all.epoch > epoch || this.deleted(started.accountId)) {
      return INVALID;
    }
    const rotation = await this.refreshTokens.rotate(token, now);
    if (!rotation) return INVALID;
    if (rotation.kind === 'reused') {
      await this.commands.handle(
        sessionDecider,
        sessionStream(sessionId),
        { type: 'EndSession', reason: 'refresh_token_reused' },
        {
          commandId: randomUUID(),
          caller: `session:${sessionId}`,
          requestHash: 'reused',
          at,
          environment: 'live',
          correlationId,
        },
      );
      return { kind: 'refused', code: 'REFRESH_TOKEN_REUSED' };
    }
    const session = { sessionId, userId, accountId: started.accountId, epoch };
    return {
      kind: 'refreshed',
      tokens: {
        sessionToken: await this.sessions.issue(session, at),
        refreshToken: rotation.token,
        expiresAt: sessionEnd(now),
      },
      position: history.at(-1)?.position ?? 0,
    };
  }
}
