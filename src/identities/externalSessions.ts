import type { Issuers } from '../oidc/issuers.js';
import type { Identities, Link } from './identities.js';
import { identityHash } from './identities.js';
import type { LinkIdentity } from './linkIdentity.js';

/** A session that an OIDC issuer vouches for: it has begun there, and is ended there. */
export interface ExternalSession extends Link {
  /** Keyed hash of issuer and subject. */
  readonly identity: string;
}

export type ExternalCheck =
  | { readonly kind: 'session'; readonly session: ExternalSession }
  | {
      readonly kind: 'refused';
      readonly code:
        'SESSION_EXPIRED' | 'SESSION_INVALID' | 'SESSION_ENDED' | 'IDENTITY_NOT_LINKED' | 'EMAIL_UNVERIFIED';
    };

/** Tokens of OIDC issuers as sessions of the users that they are linked with. */
export class ExternalSessions {
  constructor(
    private readonly issuers: Pick<Issuers, 'verify'>,
    private readonly identities: Pick<Identities, 'linkOf' | 'endedSince'>,
    private readonly linking: Pick<LinkIdentity, 'execute'>,
    /** Names identities. */
    private readonly hashKey: Buffer,
  ) {}

  /**
   * @returns undefined for a token that names none of the issuers
   * @throws Outage when the issuer's keys cannot be had
   */
  async check(token: string, now: Date): Promise<ExternalCheck | undefined> {
    const verified = await this.issuers.verify(token, now);
    if (verified?.kind !== 'identity') return verified;
    const { identity: claims } = verified;
    const identity = identityHash(this.hashKey, claims.issuer, claims.subject);
    let link = this.identities.linkOf(identity);
    if (!link) {
      const linked = await this.linking.execute(identity, claims, now);
      if (linked.kind === 'refused') return linked;
      ({ link } = linked);
    }
    // What has ended all sessions of the user has ended the sign-in at the issuer too, as far as we are asked.
    if (this.identities.endedSince(link.userId, claims.since)) {
      return { kind: 'refused', code: 'SESSION_ENDED' };
    }
    return { kind: 'session', session: { ...link, identity } };
  }
}
