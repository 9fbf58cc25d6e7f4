import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Refusal } from '../eventsourcing/decider.js';
import type { Environment, StoredEvent } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import { fingerprint, keyedHash } from '../secrets/secrets.js';
import { hashKey } from './cache.js';
import { key as decider } from './decide.js';
import type { KeyEvent, Scope } from './events.js';
import { keyStream } from './events.js';
import { mintKey } from './format.js';

export interface NewKey {
  readonly accountId: string;
  readonly name: string;
  readonly environment: Environment;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
}

export type IssuedKey =
  | {
      readonly kind: 'issued';
      readonly keyId: string;
      readonly key: Extract<KeyEvent, { type: 'KeyIssued' }>['data'];
      readonly stored: StoredEvent;
      /** The key itself; null when the command had been handled before. */
      readonly secret: string | null;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The command IssueKey. The key's id follows from the command's id, so that a repetition meets it. */
export class IssueKey {
  constructor(
    private readonly commands: CommandHandler,
    private readonly pepper: Buffer,
    private readonly prefixes: () => Readonly<Record<Environment, string>>,
  ) {}

  async execute(
    newKey: NewKey,
    context: Omit<CommandContext, 'requestHash' | 'environment'>,
  ): Promise<IssuedKey> {
    const { accountId, name, environment, scopes, expiresAt } = newKey;
    const keyId = derivedId('key', context.caller, context.commandId);
    const prefix = this.prefixes()[environment];
    const secret = mintKey(prefix);
    const result = await this.commands.handle(
      decider,
      keyStream(keyId),
      {
        type: 'IssueKey',
        at: context.at,
        key: {
          accountId,
          name,
          environment,
          scopes,
          hash: hashKey(this.pepper, secret),
          pepperId: fingerprint('KEY_PEPPER', this.pepper),
          prefix,
          last4: secret.slice(-4),
          expiresAt: expiresAt?.toISOString() ?? null,
        },
      },
      {
        ...context,
        environment,
        requestHash: keyedHash(this.pepper, 'request', JSON.stringify(newKey)),
      },
    );
    if (result.kind === 'refused') return result;
    const [event] = result.events;
    const [stored] = result.stored;
    if (event?.type !== 'KeyIssued' || !stored) throw new Error('IssueKey was accepted without KeyIssued');
    return { kind: 'issued', keyId, key: event.data, stored, secret: result.replayed ? null : secret };
  }
}
