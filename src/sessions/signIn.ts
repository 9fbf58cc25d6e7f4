import type { CommandContext } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { Refusal } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import type { Session } from './events.js';
import type { SessionTokens, StartSession } from './startSession.js';

export interface SigningIn {
  readonly email: string;
  readonly password: string;
  readonly commandId?: string | null | undefined;
}

/** Who has an e-mail and gives the right password. */
export interface Holder extends Omit<Session, 'sessionId'> {
  readonly sealedEmail: string;
  readonly sealedName: string;
  readonly emailVerified: boolean;
  readonly registeredAt: Date;
}

/** Checks an e-mail and a password, a limited number of times, and tells nobody whose e-mail there is. */
export interface ChecksPassword {
  execute(
    email: string,
    password: string,
  ): Promise<
    | {
        readonly kind: 'right';
        /** Names the stream of the e-mail. */
        readonly emailHash: string;
        readonly holder: Holder;
      }
    | { readonly kind: 'limited'; readonly waitMs: number }
    | { readonly kind: 'refused'; readonly refusal: Refusal }
  >;
}

export type SignedIn =
  | {
      readonly kind: 'signed-in';
      readonly holder: Holder;
      /** Null when the command had been handled before. */
      readonly tokens: SessionTokens | null;
      readonly position: Position;
    }
  | { readonly kind: 'limited'; readonly waitMs: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The command SignIn. */
export class SignIn {
  constructor(
    private readonly passwords: ChecksPassword,
    private readonly startSession: StartSession,
  ) {}

  async execute(
    { email, password, ...rest }: SigningIn,
    { at, correlationId }: Pick<CommandContext, 'at' | 'correlationId'>,
  ): Promise<SignedIn> {
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) {
      const refusal = { code: 'INVALID_INPUT', message: BAD_COMMAND_ID, field: 'commandId' };
      return { kind: 'refused', refusal };
    }
    const checked = await this.passwords.execute(email, password);
    if (checked.kind !== 'right') return checked;
    const { holder, emailHash } = checked;
    // A repetition gives the password again, so that its answer tells nobody else anything.
    const caller = `email:${emailHash}`;
    const context = { commandId: `sign-in:${commandId}`, caller, at, correlationId };
    const started = await this.startSession.execute(holder, 'password', context);
    if (started.kind === 'refused') return started;
    return { kind: 'signed-in', holder, tokens: started.tokens, position: started.position };
  }
}
