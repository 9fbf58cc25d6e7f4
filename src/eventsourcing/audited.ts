import type { EventCorrected } from './events.js';

/** What an event says for the audit log; where it says nothing, its metadata and its stream do. */
export interface AuditEntry {
  /** Null where it is about no single account. */
  readonly account: string | null;
  /** Who acted, e.g. `user:<id>`. */
  readonly actor?: string;
  /** What was acted on, e.g. `invitation:<id>`. */
  readonly subject?: string;
  readonly reason?: string;
}

/**
 * What the audit log keeps of events, by their types. The id is that of the stream.
 * Never a personal text, never a secret.
 */
export type Audited<E extends { readonly type: string; readonly data: object }> = {
  readonly [T in E['type']]: (data: Extract<E, { readonly type: T }>['data'], id: string) => AuditEntry;
};

/** The same of events of any capability. */
export type AuditedTypes = Readonly<Record<string, (data: never, id: string) => AuditEntry>>;

const ACCOUNT_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Corrections are about the account that the event names which they correct. */
export const corrections: Audited<EventCorrected> = {
  EventCorrected: ({ eventType, stream, revision, data }) => {
    const own = stream.startsWith('account-') ? stream.slice('account-'.length) : undefined;
    const { accountId = own } = data as { readonly accountId?: unknown };
    return {
      account: typeof accountId === 'string' && ACCOUNT_ID.test(accountId) ? accountId : null,
      subject: `${eventType}:${stream}:${revision}`,
    };
  },
};
