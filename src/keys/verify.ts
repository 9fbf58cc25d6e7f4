import type { Environment } from '../eventsourcing/event.js';
import type { ErrorCode } from '../graphql/kit/errors.js';
import type { Use } from '../usage/events.js';
import type { LimitStatus } from '../usage/limitTypes.js';
import type { Reservation } from '../usage/reservationTypes.js';
import type { KnownKey } from './cache.js';
import type { Scope } from './events.js';

/** What a back end wants to spend of a key's limits. */
export interface Spending {
  /** By meter, as records have them; one request where they name none. */
  readonly quantities: Use['meters'];
  readonly endpoint: string;
  readonly method: string;
  readonly operation: string | null;
  readonly source: string | null;
  /** The end customer whom it is for, as the back end names them; with an id of its own alone. */
  readonly subject: string | undefined;
  /** Whether what it comes to in the end is told afterwards. */
  readonly reserve: boolean;
  /** Names the spending: the same for a repeat. Undefined where none is to be found again. */
  readonly useId: string | undefined;
}

export type Spent =
  | {
      readonly kind: 'spent';
      readonly useId: string;
      readonly limits: readonly LimitStatus[];
      readonly reservation: Reservation | null;
    }
  | { readonly kind: 'reused' }
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      /** Undefined where it never passes. */
      readonly retryAfterMs: number | undefined;
      readonly limits: readonly LimitStatus[];
    };

/** How keys are known and what they have left; from the composition root. */
export interface KeyDesk {
  /** @throws Outage when nobody can tell */
  find(secret: string): Promise<KnownKey | ErrorCode>;
  limits(key: KnownKey, usageTime: number): Promise<readonly LimitStatus[]>;
  /** Takes from the limits and stores a use, which is durable once this resolves. @throws Outage */
  spend(key: KnownKey, spending: Spending, usageTime: number): Promise<Spent>;
}

export interface Verification {
  readonly secret: string;
  readonly environment: Environment | null;
  readonly scopes: readonly Scope[];
  readonly spending: Spending | null;
}

export interface Verdict {
  /** Null where no key of ours that works has this secret. */
  readonly key: KnownKey | null;
  /** Why it is not valid; null where it is. */
  readonly code: ErrorCode | null;
  readonly retryAfterMs: number | undefined;
  readonly limits: readonly LimitStatus[];
  readonly useId: string | null;
  readonly reservation: Reservation | null;
}

/** Says to a back end whether a key may do what somebody wants with it, and takes what that spends. */
export class VerifyKey {
  constructor(private readonly desk: KeyDesk) {}

  /**
   * @returns `reused` where the spending was named before, for something else
   * @throws Outage when nobody can tell: nothing was spent that counts
   */
  async execute(
    { secret, environment, scopes, spending }: Verification,
    usageTime: number,
  ): Promise<Verdict | 'reused'> {
    const none = { retryAfterMs: undefined, limits: [], useId: null, reservation: null } as const;
    const key = await this.desk.find(secret);
    if (typeof key === 'string') return { key: null, code: key, ...none };
    const limits = (): Promise<readonly LimitStatus[]> => this.desk.limits(key, usageTime);
    if (environment !== null && key.environment !== environment) {
      return { key, code: 'ENVIRONMENT_MISMATCH', ...none, limits: await limits() };
    }
    if (!scopes.every((scope) => key.scopes.includes(scope))) {
      return { key, code: 'SCOPE_MISSING', ...none, limits: await limits() };
    }
    if (!spending) return { key, code: null, ...none, limits: await limits() };
    const spent = await this.desk.spend(key, spending, usageTime);
    if (spent.kind === 'reused') return 'reused';
    if (spent.kind === 'spent') {
      const { limits: left, useId, reservation } = spent;
      return { key, code: null, ...none, limits: left, useId, reservation };
    }
    const { code, retryAfterMs } = spent;
    return { key, code, ...none, retryAfterMs, limits: spent.limits };
  }
}
