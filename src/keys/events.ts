import type { Environment } from '../eventsourcing/event.js';
import type { Limit } from '../plans/profile.js';

export const SCOPES = ['read', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Metering that a key is held to beside its account's plan. */
export interface KeyLimit {
  readonly meter: Limit['meter'];
  readonly window: Limit['window'];
  readonly amount: number;
}

/** What the account has noted of a key. */
export interface KeyMetadata {
  readonly name: string;
  readonly value: string;
}

/** A secret of a key, as it is stored. */
export interface KeySecret {
  /** HMAC-SHA-256 of the secret under the pepper; the secret itself is stored nowhere (law 9). */
  readonly hash: string;
  readonly pepperId: string;
  /** What may be shown: the prefix and the last four characters. */
  readonly prefix: string;
  readonly last4: string;
}

/** Stream `key-<id>`: a secret that calls the API for an account. */
export type KeyEvent =
  | {
      readonly type: 'KeyIssued';
      readonly data: KeySecret & {
        readonly accountId: string;
        readonly name: string;
        readonly environment: Environment;
        readonly scopes: readonly Scope[];
        /** ISO 8601, or null for a key that does not expire. */
        readonly expiresAt: string | null;
        /** Beside those of the account's plan. */
        readonly limits: readonly KeyLimit[];
        readonly metadata: readonly KeyMetadata[];
      };
    }
  | {
      /** The key goes on, with its counters, under another secret. */
      readonly type: 'KeyRotated';
      readonly data: KeySecret & {
        readonly accountId: string;
        readonly by: string;
        /** Until then the secret before works too; ISO 8601. */
        readonly graceEndsAt: string;
      };
    }
  | { readonly type: 'KeyRevoked'; readonly data: { readonly accountId: string; readonly by: string } };

export const keyStream = (keyId: string): string => `key-${keyId}`;

const NONE: readonly Limit[] = [];

/** As the limiter takes them; `key-` tells them from the account's in headers and answers. */
export function limitsOfKey(limits: readonly KeyLimit[]): readonly Limit[] {
  // Nearly all keys have none, and share it.
  if (limits.length === 0) return NONE;
  return limits.map(({ meter, window, amount }) => ({
    id: `key-${meter}-${window}`,
    meter,
    window,
    amount,
    source: 'key',
  }));
}
