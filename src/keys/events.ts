import type { Environment } from '../eventsourcing/event.js';

export const SCOPES = ['read', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Stream `key-<id>`: a secret that calls the API for an account. */
export type KeyEvent =
  | {
      readonly type: 'KeyIssued';
      readonly data: {
        readonly accountId: string;
        readonly name: string;
        readonly environment: Environment;
        readonly scopes: readonly Scope[];
        /** HMAC-SHA-256 of the key under the pepper; the key itself is stored nowhere (law 9). */
        readonly hash: string;
        readonly pepperId: string;
        /** What may be shown: the prefix and the last four characters. */
        readonly prefix: string;
        readonly last4: string;
        /** ISO 8601, or null for a key that does not expire. */
        readonly expiresAt: string | null;
      };
    }
  | { readonly type: 'KeyRevoked'; readonly data: { readonly accountId: string; readonly by: string } };

export const keyStream = (keyId: string): string => `key-${keyId}`;
