import type { Memory } from '../capability.js';
import type { Caller } from '../graphql/kit/context.js';
import type { SignedTokens } from '../secrets/signedTokens.js';

/** How long files may be uploaded after an analysis was asked for, and results fetched after a link was given. */
export const UPLOAD_MS = 3_600_000;
export const RESULT_MS = 900_000;

type Purpose = 'file' | 'result';

/** On whose account a link is used: of a session the key is empty. */
export interface LinkedTo {
  readonly accountId: string;
  readonly keyId: string;
  readonly environment: 'live' | 'test';
}

export interface LinksOptions extends Pick<Memory, 'keys' | 'deletedAccounts'> {
  /** The address that customers use, an origin. */
  readonly publicUrl: string;
  readonly tokens: SignedTokens;
}

/** Links with which a file is uploaded and a result fetched: whoever has one needs no other credential. */
export class AnalysisLinks {
  constructor(private readonly options: LinksOptions) {}

  /** @param until milliseconds since the epoch */
  to(purpose: Purpose, id: string, { accountId, keyId, environment }: LinkedTo, until: number): string {
    const { publicUrl, tokens } = this.options;
    const subject = JSON.stringify([id, accountId, keyId, environment]);
    return `${publicUrl}/v1/analyses/${id}/${purpose}?token=${tokens.sign(`analysis ${purpose}`, subject, new Date(until))}`;
  }

  /** Who calls with a link: refused where it is over, of another analysis, or its account or key is no more. */
  callerOf(purpose: Purpose, id: string, token: unknown, now: number): Caller {
    const { tokens, keys, deletedAccounts } = this.options;
    const refused: Caller = { kind: 'refused', code: 'NOT_FOUND' };
    if (typeof token !== 'string') return refused;
    const subject = tokens.verify(`analysis ${purpose}`, token, now, UPLOAD_MS);
    if (subject === undefined) return refused;
    const [of, accountId, keyId, environment] = JSON.parse(subject) as [
      string,
      string,
      string,
      'live' | 'test',
    ];
    if (of !== id || deletedAccounts.has(accountId)) return refused;
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
}
