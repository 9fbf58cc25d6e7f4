/** Stream `session-<id>`: a user signed in on one device. Refreshing adds nothing to it (decision 4). */
export type SessionEvent =
  | {
      readonly type: 'SessionStarted';
      readonly data: {
        readonly userId: string;
        readonly accountId: string;
        /** The user's epoch at the time; with a later one the session has ended. */
        readonly epoch: number;
        readonly how: SessionStart;
      };
    }
  | {
      readonly type: 'SessionEnded';
      readonly data: {
        readonly userId: string;
        readonly accountId: string;
        readonly reason: SessionEnd;
      };
    };

export type SessionStart = 'registration' | 'password';
export type SessionEnd = 'signed_out' | 'refresh_token_reused';

/** What a session token says. */
export interface Session {
  readonly userId: string;
  readonly accountId: string;
  readonly sessionId: string;
  /** The user's epoch when the session began: it ends with the next epoch. */
  readonly epoch: number;
}

export const sessionStream = (sessionId: string): string => `session-${sessionId}`;
