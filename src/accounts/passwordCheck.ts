import type { Refusal } from '../eventsourcing/decider.js';
import type { Attempts } from './attempts.js';
import type { Credentials, Holder } from './credentials.js';
import type { Email } from './email.js';
import { emailHash, parseEmail } from './email.js';

export type CheckedPassword =
  | {
      readonly kind: 'right';
      /** Names the stream of the e-mail. */
      readonly emailHash: string;
      readonly holder: Holder;
    }
  | { readonly kind: 'limited'; readonly waitMs: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Checks an e-mail and a password of whoever signs in. Nothing in its answer, nor in its work, tells whether
 * anybody has the e-mail.
 */
export class PasswordCheck {
  constructor(
    private readonly credentials: Credentials,
    /** An attempt counts from its beginning, so that many at once are no way round it; success gives it back. */
    private readonly attempts: Attempts,
    private readonly emailKey: Buffer,
    /** Names the stream of whoever may sign in with an e-mail. */
    private readonly hashOf: (email: Email) => Promise<string>,
    private readonly deleted: (accountId: string) => boolean,
  ) {}

  async execute(email: string, password: string): Promise<CheckedPassword> {
    const parsed = parseEmail(email);
    if (parsed === undefined) {
      const message = '"email" is not an e-mail address.';
      return { kind: 'refused', refusal: { code: 'INVALID_INPUT', message, field: 'email' } };
    }
    const attempt = this.attempts.take(emailHash(this.emailKey, parsed.loosest));
    if (attempt.waitMs > 0) return { kind: 'limited', waitMs: attempt.waitMs };
    const hash = await this.hashOf(parsed);
    const holder = await this.credentials.check(hash, password);
    if (!holder || this.deleted(holder.accountId)) {
      const message = 'This e-mail and this password do not belong together.';
      return { kind: 'refused', refusal: { code: 'SIGN_IN_REFUSED', message } };
    }
    attempt.giveBack();
    return { kind: 'right', emailHash: hash, holder };
  }
}
