/** Stream `identity-<keyed hash of issuer and subject>`: which user somebody is whom an OIDC issuer vouches for. */
export interface IdentityLinked {
  readonly type: 'IdentityLinked';
  readonly data: {
    readonly userId: string;
    readonly accountId: string;
    readonly issuer: string;
    /** Whether the user was made for it, or had the e-mail already. */
    readonly how: 'registered' | 'email';
  };
}

export const identityStream = (identity: string): string => `identity-${identity}`;
