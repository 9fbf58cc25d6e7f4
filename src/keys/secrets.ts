import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import type { Refusal } from '../eventsourcing/decider.js';
import type { Environment, StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { Profile } from '../plans/profile.js';
import { metersOf } from '../plans/profile.js';
import { fingerprint, keyedHash } from '../secrets/secrets.js';
import { hashKey } from './cache.js';
import type { Authority } from './decide.js';
import { keyDecider } from './decide.js';
import type { KeyEvent, KeyLimit, KeyMetadata, KeySecret, Scope } from './events.js';
import { keyStream } from './events.js';
import { mintKey } from './format.js';

export interface NewKey {
  readonly accountId: string;
  readonly name: string;
  readonly environment: Environment;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
  readonly limits?: readonly KeyLimit[];
  readonly metadata?: readonly KeyMetadata[];
}

export interface Rotation {
  readonly accountId: string;
  readonly keyId: string;
  readonly graceSeconds: number;
  /** Who rotates it. */
  readonly by: string;
}

type KeyIssued = Extract<KeyEvent, { type: 'KeyIssued' }>;
type Context = Omit<CommandContext, 'requestHash' | 'environment'>;

/** A command that has made a secret. */
export type Made =
  | {
      readonly kind: 'made';
      readonly stored: StoredEvent;
      /** The secret itself; null when the command had been handled before. */
      readonly secret: string | null;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The commands that make a secret: it is shown once and stored as a keyed hash (law 9). */
export class KeySecrets {
  constructor(
    private readonly commands: CommandHandler,
    private readonly pepper: Buffer,
    private readonly profile: () => Profile,
  ) {}

  /**
   * The command IssueKey. The key's id follows from the command's id, so that a repetition meets it.
   * @param authority of the key that issues it; undefined for a user
   */
  async issue(newKey: NewKey, authority: Authority | undefined, context: Context): Promise<Made> {
    const { accountId, name, environment, scopes, expiresAt, limits = [], metadata = [] } = newKey;
    const keyId = derivedId('key', context.caller, context.commandId);
    const { secret, stored } = this.#mint(environment);
    const result = await this.commands.handle(
      keyDecider,
      keyStream(keyId),
      {
        type: 'IssueKey',
        at: context.at,
        authority,
        meters: metersOf(this.profile()),
        hours: this.profile().plans.some((plan) => plan.limits.some(({ window }) => window === 'hour')),
        key: {
          accountId,
          name,
          environment,
          scopes,
          ...stored,
          expiresAt: expiresAt?.toISOString() ?? null,
          limits,
          metadata,
        },
      },
      {
        ...context,
        environment,
        requestHash: keyedHash(this.pepper, 'request', JSON.stringify(newKey)),
      },
    );
    return made(result, secret);
  }

  /** The command RotateKey: the key goes on under a new secret; the one before works for a grace period. */
  async rotate(rotation: Rotation, authority: Authority | undefined, context: Context): Promise<Made> {
    const { accountId, keyId, graceSeconds, by } = rotation;
    const [first] = await this.commands.load(keyStream(keyId));
    // Of a key that is not there the decider says so.
    const environment = first?.type === 'KeyIssued' ? as<KeyIssued>(first).data.environment : 'live';
    const { secret, stored } = this.#mint(environment);
    const result = await this.commands.handle(
      keyDecider,
      keyStream(keyId),
      { type: 'RotateKey', accountId, by, at: context.at, secret: stored, graceSeconds, authority },
      {
        ...context,
        environment,
        requestHash: keyedHash(this.pepper, 'request', JSON.stringify(['rotate', keyId, graceSeconds])),
      },
    );
    return made(result, secret);
  }

  #mint(environment: Environment): { readonly secret: string; readonly stored: KeySecret } {
    const { keys } = this.profile();
    const prefix = keys[environment];
    const secret = mintKey(prefix, keys.length);
    const hash = hashKey(this.pepper, secret);
    const pepperId = fingerprint('KEY_PEPPER', this.pepper);
    return { secret, stored: { hash, pepperId, prefix, last4: secret.slice(-4) } };
  }
}

function made(result: CommandResult<KeyEvent>, secret: string): Made {
  if (result.kind === 'refused') return result;
  const [stored] = result.stored;
  if (!stored) throw new Error('a command that makes a secret was accepted without an event');
  return { kind: 'made', stored, secret: result.replayed ? null : secret };
}
