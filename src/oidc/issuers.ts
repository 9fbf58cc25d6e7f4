import { createSecretKey } from 'node:crypto';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
import type { OidcIssuer } from '../config.js';
import { Outage } from '../outage.js';
import { idProblem } from '../text/text.js';

/** Whom an issuer vouches for. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  /** When the sign-in began, or else when the token was issued: milliseconds since the epoch, whole seconds. */
  readonly since: number;
  /** Only where the issuer says that it is verified. */
  readonly email: string | undefined;
  readonly name: string | undefined;
}

export type IdentityCheck =
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly code: 'SESSION_EXPIRED' | 'SESSION_INVALID' };

/** With public keys alone: a published key must never be taken for a shared secret (RFC 8725, section 3.1). */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** ID tokens and access tokens (RFC 9068), never logout tokens and others that the same keys sign. */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
/** OpenID Connect Core 1.0, section 2: subjects have at most 255 ASCII characters. */
const MAX_SUBJECT_BYTES = 255;
/** How far the issuer's clock may be from ours, in seconds. */
const TOLERANCE_SECONDS = 10;
const TIMEOUT_MS = 3_000;
/** Keys are asked for again after that time, milliseconds. */
const KEYS_KEPT_MS = 10 * 60_000;
/** An unknown key id asks for the keys once in that time at most, and so does a discovery that failed. */
const COOLDOWN_MS = 30_000;
const DISCOVERY_COOLDOWN_MS = 5_000;

const INVALID: IdentityCheck = { kind: 'refused', code: 'SESSION_INVALID' };

export interface IssuersOptions {
  /** What HS256 tokens are signed with, where an issuer has them. */
  readonly sharedSecret?: string | undefined;
  /** Milliseconds that never go backwards. */
  readonly clock?: () => number;
  /** From one question for unknown keys to the next, in milliseconds. */
  readonly cooldownMs?: number;
}

/** Verifies tokens of configured OpenID Connect issuers (OpenID Connect Core 1.0, RFC 7519, RFC 8725). */
export class Issuers {
  readonly #issuers: ReadonlyMap<string, Issuer>;

  constructor(issuers: readonly OidcIssuer[], options: IssuersOptions = {}) {
    this.#issuers = new Map(issuers.map((config) => [config.issuer, new Issuer(config, options)]));
  }

  /**
   * @returns undefined for a token that names none of the issuers
   * @throws Outage when the issuer's keys cannot be had
   */
  async verify(token: string, now: Date): Promise<IdentityCheck | undefined> {
    let named: string | undefined;
    try {
      named = decodeJwt(token).iss;
    } catch {
      return undefined;
    }
    return named === undefined ? undefined : this.#issuers.get(named)?.verify(token, now);
  }
}

class Issuer {
  readonly #key: JWTVerifyGetKey;
  readonly #algorithms: string[];

  constructor(
    private readonly config: OidcIssuer,
    options: IssuersOptions,
  ) {
    if (config.algorithm === 'HS256') {
      if (options.sharedSecret === undefined) throw new Error(`${config.issuer} has no shared secret`);
      const secret = createSecretKey(Buffer.from(options.sharedSecret));
      this.#key = () => Promise.resolve(secret);
      this.#algorithms = ['HS256'];
    } else {
      const keys = new PublishedKeys(config.issuer, options);
      this.#key = (header, token) => keys.get(header, token);
      this.#algorithms = ALGORITHMS;
    }
  }

  async verify(token: string, now: Date): Promise<IdentityCheck> {
    const { issuer } = this.config;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.#key, {
        algorithms: this.#algorithms,
        issuer,
        currentDate: now,
        clockTolerance: TOLERANCE_SECONDS,
        requiredClaims: ['sub', 'exp', 'iat'],
      });
      const { typ = 'JWT' } = protectedHeader;
      const latest = now.getTime() / 1000 + TOLERANCE_SECONDS;
      if (!TYPES.has(typ.toLowerCase()) || (payload.iat as number) > latest) return INVALID;
      const identity = this.#isForUs(payload) ? this.#identity(payload) : undefined;
      return identity ? { kind: 'identity', identity } : INVALID;
    } catch (error) {
      if (error instanceof Outage) throw error;
      const expired = error instanceof errors.JWTExpired;
      return { kind: 'refused', code: expired ? 'SESSION_EXPIRED' : 'SESSION_INVALID' };
    }
  }

  #isForUs(payload: JWTPayload): boolean {
    const { audience, claims, require } = this.config;
    // The first that is there decides: a token for another audience is not saved by its client.
    const said = claims.audience.map((name) => payload[name]).find((value) => value !== undefined);
    const given: readonly unknown[] = Array.isArray(said) ? said : [said];
    return (
      audience.some((one) => given.includes(one)) &&
      Object.entries(require).every(([name, values]) => values.some((value) => value === payload[name]))
    );
  }

  #identity(payload: JWTPayload): Identity | undefined {
    const { issuer, claims } = this.config;
    const { sub: subject, auth_time: signedIn } = payload;
    // Subjects that differ in broken Unicode alone would be hashed to the same user.
    if (typeof subject !== 'string' || idProblem('sub', subject, MAX_SUBJECT_BYTES)) return undefined;
    const issued = payload.iat as number;
    const began = typeof signedIn === 'number' ? Math.min(signedIn, issued) : issued;
    const [email, verified, name] = [
      payload[claims.email],
      payload[claims.emailVerified],
      payload[claims.name],
    ];
    // Some say it as a text.
    const good = verified === true || verified === 'true';
    return {
      issuer,
      subject,
      since: Math.floor(began) * 1000,
      email: good && typeof email === 'string' ? email : undefined,
      name: typeof name === 'string' ? name : undefined,
    };
  }
}

/** The keys that an issuer publishes: found by discovery, kept, and asked for again when one is unknown. */
class PublishedKeys {
  #keys: Promise<JWTVerifyGetKey> | undefined;
  #failedAt = -Infinity;
  readonly #clock: () => number;
  readonly #cooldownMs: number;

  constructor(
    private readonly issuer: string,
    { clock = () => performance.now(), cooldownMs = COOLDOWN_MS }: IssuersOptions,
  ) {
    this.#clock = clock;
    this.#cooldownMs = cooldownMs;
  }

  /** @throws Outage, or jose's error for a token that names no key of these */
  async get(...[header, token]: Parameters<JWTVerifyGetKey>): Promise<Awaited<ReturnType<JWTVerifyGetKey>>> {
    const keys = await this.#discovered();
    try {
      return await keys(header, token);
    } catch (error) {
      if (NO_SUCH_KEY.some((kind) => error instanceof kind)) throw error;
      throw new Outage(`the keys of ${this.issuer} cannot be had`, { cause: error });
    }
  }

  #discovered(): Promise<JWTVerifyGetKey> {
    if (this.#keys) return this.#keys;
    if (this.#clock() - this.#failedAt < DISCOVERY_COOLDOWN_MS) {
      return Promise.reject(new Outage(`${this.issuer} could not be reached a moment ago`));
    }
    return (this.#keys = this.#discover().catch((error: unknown) => {
      this.#keys = undefined;
      this.#failedAt = this.#clock();
      throw new Outage(`${this.issuer} cannot be discovered`, { cause: error });
    }));
  }

  /** OpenID Connect Discovery 1.0, section 4: what it says must be said of this very issuer. */
  async #discover(): Promise<JWTVerifyGetKey> {
    const address = `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`discovery answered ${response.status}`);
    const { issuer, jwks_uri: keys } = (await response.json()) as Record<string, unknown>;
    if (issuer !== this.issuer) throw new Error('discovery speaks of another issuer');
    if (typeof keys !== 'string') throw new Error('discovery names no keys');
    const url = new URL(keys);
    const plain = url.protocol === 'http:' && new URL(this.issuer).protocol === 'http:';
    if (url.protocol !== 'https:' && !plain) throw new Error('keys must come over https');
    return createRemoteJWKSet(url, {
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: KEYS_KEPT_MS,
      cooldownDuration: this.#cooldownMs,
    });
  }
}

/** The token's fault, not the issuer's. */
const NO_SUCH_KEY = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];
