/** What an event says for the audit log; where it says nothing, its metadata and its stream do. */
export interface AuditEntry {
  readonly account: string;
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
