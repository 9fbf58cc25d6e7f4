import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { Elapsed } from '../clock.js';
import { elapsed } from '../clock.js';
import { decrypt, encrypt } from '../secrets/cipher.js';
import type { Sql } from '../sql/sql.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
-- The keys that sign session tokens; the private halves wrapped by the master key.
CREATE TABLE IF NOT EXISTS vault.signing_keys (
  kid      text PRIMARY KEY,
  public_x text NOT NULL,
  wrapped  text NOT NULL,
  -- Signs from here on, until the next one does.
  signs_at timestamptz NOT NULL
);`;

const DAY_MS = 24 * 3_600_000;
/** How long one key signs. */
export const ROTATION_MS = 30 * DAY_MS;
/** A new key is published this long before it signs: by then every node, and whoever caches our keys, has it. */
export const LEAD_MS = 3_600_000;
/** How old the list of keys may be for a node that signs; far less than the lead. */
const STALE_MS = 60_000;
/** An unknown key id makes the list be read again, at most so often: anybody can make ids up. */
const UNKNOWN_MS = 1_000;

/** A public key as RFC 7517 and RFC 8037 write it. */
export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

interface SigningKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly jwk: PublicKey;
  /** Milliseconds since the epoch. */
  readonly signsAt: number;
}

interface Row {
  readonly kid: string;
  readonly public_x: string;
  readonly wrapped: string;
  readonly signs_at: Date;
}

/**
 * The Ed25519 keys that session tokens are signed with, shared by all nodes through `vault` (decision 21).
 * Every 30 days there is a new one: published for an hour, then it signs; the one before verifies until
 * its last token is over.
 */
export class SigningKeys {
  /** The oldest first. */
  #keys: readonly SigningKey[] = [];
  /** As time passes. */
  #loadedAt = -Infinity;
  #loading: Promise<void> | undefined;

  private constructor(
    private readonly sql: Sql,
    private readonly masterKey: Buffer,
    private readonly tokenMs: number,
    private readonly time: Elapsed,
  ) {}

  /** @param tokenMs how long a token is good */
  static async open(
    sql: Sql,
    masterKey: Buffer,
    tokenMs: number,
    time: Elapsed = elapsed,
  ): Promise<SigningKeys> {
    await sql.script(MIGRATION);
    return new SigningKeys(sql, masterKey, tokenMs, time);
  }

  /** The key that signs at this time; makes the first one, and the next one when it is time. */
  async signing(now: number): Promise<Pick<SigningKey, 'kid' | 'privateKey'>> {
    await this.#refresh(STALE_MS);
    if (this.#isDue(now)) await this.#add(now);
    const key = this.#keys.findLast(({ signsAt }) => signsAt <= now) ?? this.#keys[0];
    if (!key) throw new Error('there is no signing key');
    return key;
  }

  /** @returns undefined where no token of that key can be good any more, or there is no such key */
  async verifying(kid: string, now: number): Promise<KeyObject | undefined> {
    const known = (): SigningKey | undefined => this.#good(now).find((key) => key.kid === kid);
    if (!known()) await this.#refresh(UNKNOWN_MS);
    return known()?.publicKey;
  }

  /** What others verify our tokens with, the coming key included. */
  async published(now: number): Promise<readonly PublicKey[]> {
    await this.#refresh(STALE_MS);
    return this.#good(now).map(({ jwk }) => jwk);
  }

  /** Without the keys whose last token is over. */
  #good(now: number): readonly SigningKey[] {
    return this.#keys.filter((_key, index) => {
      const next = this.#keys[index + 1];
      return next === undefined || next.signsAt + this.tokenMs > now;
    });
  }

  #isDue(now: number): boolean {
    const newest = this.#keys.at(-1);
    return newest === undefined || newest.signsAt + ROTATION_MS <= now + LEAD_MS;
  }

  /** Nodes that come here at the same time may each add one: all of them verify, one of them signs. */
  async #add(now: number): Promise<void> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const x = publicKey.export({ format: 'jwk' }).x as string;
    // RFC 7638, so that the id says which key it is.
    const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x });
    const wrapped = encrypt(this.masterKey, privateKey.export({ format: 'der', type: 'pkcs8' }), kid);
    await this.sql.query(
      `INSERT INTO vault.signing_keys (kid, public_x, wrapped, signs_at)
       SELECT $1, $2, $3,
              -- Nobody waits for the first one.
              CASE WHEN EXISTS (SELECT FROM vault.signing_keys) THEN $5::timestamptz ELSE $4::timestamptz END
        WHERE NOT EXISTS (SELECT FROM vault.signing_keys WHERE signs_at > $6)`,
      [
        kid,
        x,
        wrapped,
        new Date(now),
        new Date(now + LEAD_MS),
        // The newest that may be there when it is time for another one.
        new Date(now + LEAD_MS - ROTATION_MS),
      ],
    );
    await this.#load();
    // Whose last token is over has no more use. Only what was loaded is judged: another node may have added its
    // key since, and has signed with it.
    const good = new Set(this.#good(now));
    const over = this.#keys.filter((key) => !good.has(key)).map((key) => key.kid);
    if (over.length === 0) return;
    await this.sql.query('DELETE FROM vault.signing_keys WHERE kid = ANY($1::text[])', [over]);
  }

  /** An outage leaves what is known: the keys of a month do not change in its time. */
  async #refresh(maxAgeMs: number): Promise<void> {
    if (this.time() - this.#loadedAt < maxAgeMs) return;
    try {
      await (this.#loading ??= this.#load().finally(() => (this.#loading = undefined)));
    } catch (error) {
      if (this.#keys.length === 0) throw error;
    }
  }

  async #load(): Promise<void> {
    const rows = await this.sql.query<Row>('SELECT * FROM vault.signing_keys ORDER BY signs_at, kid');
    this.#loadedAt = this.time();
    const known = new Map(this.#keys.map((key) => [key.kid, key]));
    this.#keys = rows.map((row) => known.get(row.kid) ?? this.#open(row));
  }

  #open({ kid, public_x: x, wrapped, signs_at }: Row): SigningKey {
    const der = decrypt(this.masterKey, wrapped, kid);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return {
      kid,
      privateKey,
      publicKey: createPublicKey(privateKey),
      jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' },
      signsAt: signs_at.getTime(),
    };
  }
}
