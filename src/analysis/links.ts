import type { Memory } from '../capability.js';
import type { Caller } from '../graphql/kit/context.js';
import type { SignedTokens } from '../secrets/signedTokens.js';
import { MAILED_RESULT, readMailedResult } from './events.js';

/** How long files may be uploaded after an analysis was asked for, and results fetched after a link was given. */
export const UPLOAD_MS = 3_600_000;
export const RESULT_MS = 900_000;

type Purpose = 'file' | 'result';

/** What the token of a link is about: the analysis, and on whose account it is used. */
type Linked = readonly [
  id: string,
  accountId: string,
  keyId: string,
  memberId: string,
  environment: 'live' | 'test',
];

/** On whose account a link is used, and for whom. */
export interface LinkedTo {
  readonly accountId: string;
  /** Empty for a session. */
  readonly keyId: string;
  /** Of the user, where it is another's account; empty for a key and for the user's own. */
  readonly memberId: string;
  readonly environment: 'live' | 'test';
}

export interface LinksOptions extends Pick<Memory, 'keys' | 'deletedAccounts' | 'memberships'> {
  /** The address that customers use, an origin. */
  readonly publicUrl: string;
  readonly tokens: SignedTokens;
}

/** Links with which a file is uploaded and a result fetched: whoever has one needs no other credential. */
export class AnalysisLinks {
  constructor(private readonly options: LinksOptions) {}

  /** @param until milliseconds since the epoch */
  to(
    purpose: Purpose,
    id: string,
    { accountId, keyId, memberId, environment }: LinkedTo,
    until: number,
  ): string {
    const { publicUrl, tokens } = this.options;
    const subject = JSON.stringify([id, accountId, keyId, memberId, environment] satisfies Linked);
    return `${publicUrl}/v1/analyses/${id}/${purpose}?token=${tokens.sign(`analysis ${purpose}`, subject, new Date(until))}`;
  }

  /** Who calls with a link: refused where it is over, of another analysis, or its account, key or member is no more. */
  callerOf(purpose: Purpose, id: string, token: unknown, now: number): Caller {
    const { tokens, keys, deletedAccounts, memberships } = this.options;
    const refused: Caller = { kind: 'refused', code: 'NOT_FOUND' };
    if (typeof token !== 'string') return refused;
    const subject =
      tokens.verify(`analysis ${purpose}`, token, now, UPLOAD_MS) ??
      (purpose === 'result' ? this.#mailed(token, now) : undefined);
    if (subject === undefined) return refused;
    const [of, accountId, keyId, memberId, environment] = JSON.parse(subject) as Linked;
    if (of !== id || deletedAccounts.has(accountId)) return refused;
    if (memberId !== '' && memberships.roleOf(accountId, memberId) === undefined) return refused;
    const key = keyId === '' ? undefined : keys.byId(keyId);
    if (key?.revoked) return refused;
    return {
      kind: 'key',
      accountId,
      operator: false,
      key: {
        id: keyId,
        accountId,
        environment,
        scopes: ['read', 'write'],
        hash: '',
        rotations: [],
        limits: key?.limits ?? [],
        revoked: false,
        expiresAt: null,
      },
    };
  }

  /** The link in a mail is good for as long as the mail is. */
  #mailed(token: string, now: number): string | undefined {
    const subject = this.options.tokens.verify(MAILED_RESULT, token, now);
    const result = subject === undefined ? undefined : readMailedResult(subject);
    return result && JSON.stringify([result.id, result.accountId, '', '', 'live'] satisfies Linked);
  }
}
