import type { SignedTokens } from '../secrets/signedTokens.js';

/** @returns what the token of an invitation is about; undefined for one that is over, or none of ours */
export function invitationOf(
  tokens: SignedTokens,
  token: string,
  now: number,
): { readonly accountId: string; readonly invitationId: string } | undefined {
  // As `invitationSubject` has put it, under the kind of the mail.
  const [accountId, invitationId] = tokens.verify('invite-member', token, now)?.split(' ') ?? [];
  return accountId !== undefined && invitationId !== undefined ? { accountId, invitationId } : undefined;
}
