import type { CommandContext } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { Refusal } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import type { Credentials, Holder } from './credentials.js';
import type { Email } from './email.js';
import { emailHash, parseEmail } from './email.js';
import type { SessionTokens, StartSession } from './startSession.js';

export interface SigningIn {
  readonly email: string;
  readonly password: string;
  readonly commandId?: string | null | undefined;
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

/** Failed attempts for each e-mail in each window. */
export const ATTEMPTS = 10;
export const ATTEMPTS_WINDOW_MS = 15 * 60_000;

/** Counts attempts in a sliding window. */
export interface Attempts {
  take(who: string): {
    /** Milliseconds to wait; 0 when there is one more. */
    readonly waitMs: number;
    giveBack(): void;
  };
}

/** The command SignIn. Nothing in its answer, nor in its work, tells whether anybody has the e-mail. */
export class SignIn {
  constructor(
    private readonly credentials: Credentials,
    private readonly startSession: StartSession,
    /** An attempt counts from its beginning, so that many at once are no way round it; success gives it back. */
    private readonly attempts: Attempts,
    private readonly emailKey: Buffer,
    /** Names the stream of whoever may sign in with an e-mail. */
    private readonly hashOf: (email: Email) => Promise<string>,
    private readonly deleted: (accountId: string) => boolean,
  ) {}

  async execute(
    { email, password, ...rest }: SigningIn,
    { at, correlationId }: Pick<CommandContext, 'at' | 'correlationId'>,
  ): Promise<SignedIn> {
    const parsed = parseEmail(email);
    if (parsed === undefined) return refused('INVALID_INPUT', '"email" is not an e-mail address.', 'email');
    const commandId = commandIdOf(rest.commandId);
    if (commandId === undefined) return refused('INVALID_INPUT', BAD_COMMAND_ID, 'commandId');

    const attempt = this.attempts.take(emailHash(this.emailKey, parsed.loosest));
    if (attempt.waitMs > 0) return { kind: 'limited', waitMs: attempt.waitMs };
    const hash = await this.hashOf(parsed);
    const holder = await this.credentials.check(hash, password);
    if (!holder || this.deleted(holder.accountId)) {
      return refused('SIGN_IN_REFUSED', 'This e-mail and this password do not belong together.');
    }
    attempt.giveBack();
    // A repetition gives the password again, so that its answer tells nobody else anything.
    const caller = `email:${hash}`;
    const context = { commandId: `sign-in:${commandId}`, caller, at, correlationId };
    const started = await this.startSession.execute(holder, 'password', context);
    if (started.kind === 'refused') return started;
    return { kind: 'signed-in', holder, tokens: started.tokens, position: started.position };
  }
}

function refused(code: string, message: string, field?: string): SignedIn {
  return { kind: 'refused', refusal: field === undefined ? { code, message } : { code, message, field } };
}
