import type { Environment } from '../eventsourcing/event.js';
import type { ErrorCode } from '../graphql/kit/errors.js';
import type { Use } from '../usage/events.js';
import type { LimitStatus } from '../usage/limits/limitTypes.js';
import type { Reservation } from '../usage/reservations/reservationTypes.js';
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
  /** Whether the caller has named it, so that it may be a repeat. */
  readonly named: boolean;
}

/** Where whoever calls stands, and the headers that tell it. */
export interface Standing {
  readonly limits: readonly LimitStatus[];
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export type Spent =
  | (Standing & {
      readonly kind: 'spent';
      readonly useId: string;
      readonly reservation: Reservation | null;
    })
  | { readonly kind: 'reused' }
  | (Standing & {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      /** Undefined where it never passes. */
      readonly retryAfterMs: number | undefined;
    });

/** How keys are known and what they have left; from the composition root. */
export interface KeyDesk {
  /** Stands for whoever calls from an address without a key; undefined where nobody may. */
  demo(address: string, usageTime: number): KnownKey | undefined;
  /** @throws Outage when nobody can tell */
  find(secret: string): Promise<KnownKey | ErrorCode>;
  standing(key: KnownKey, usageTime: number): Promise<Standing>;
  /** Of whoever has no key that works. */
  nobody(usageTime: number): Promise<Standing>;
  /** Takes from the limits and stores a use, which is durable once this resolves. @throws Outage */
  spend(key: KnownKey, spending: Spending, usageTime: number): Promise<Spent>;
}

export interface Verification {
  /** Null for who has sent none. */
  readonly secret: string | null;
  /** Where such a caller calls from. */
  readonly address: string | null;
  readonly environment: Environment | null;
  readonly scopes: readonly Scope[];
  readonly spending: Spending | null;
}

export interface Verdict extends Standing {
  /** Whether it is about a caller without a key, who may try the service. */
  readonly demo: boolean;
  /** Null where no key of ours that works has this secret. */
  readonly key: KnownKey | null;
  /** Why it is not valid; null where it is. */
  readonly code: ErrorCode | null;
  readonly retryAfterMs: number | undefined;
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
    { secret, address, environment, scopes, spending }: Verification,
    usageTime: number,
  ): Promise<Verdict | 'reused'> {
    const demo = secret === null;
    const none = { demo, retryAfterMs: undefined, useId: null, reservation: null } as const;
    const key =
      secret === null
        ? ((address === null ? undefined : this.desk.demo(address, usageTime)) ?? 'KEY_MISSING')
        : await this.desk.find(secret);
    if (typeof key === 'string')
      return { key: null, code: key, ...none, ...(await this.desk.nobody(usageTime)) };
    const standing = (): Promise<Standing> => this.desk.standing(key, usageTime);
    if (environment !== null && key.environment !== environment) {
      return { key, code: 'ENVIRONMENT_MISMATCH', ...none, ...(await standing()) };
    }
    if (!scopes.every((scope) => key.scopes.includes(scope))) {
      return { key, code: 'SCOPE_MISSING', ...none, ...(await standing()) };
    }
    if (!spending) return { key, code: null, ...none, ...(await standing()) };
    const spent = await this.desk.spend(key, spending, usageTime);
    if (spent.kind === 'reused') return 'reused';
    const { limits, headers } = spent;
    if (spent.kind === 'spent') {
      const { useId, reservation } = spent;
      return { key, code: null, ...none, limits, headers, useId, reservation };
    }
    const { code, retryAfterMs } = spent;
    return { key, code, ...none, retryAfterMs, limits, headers };
  }
}
