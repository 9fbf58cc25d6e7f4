import type { Position } from '../../src/eventsourcing/event.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import type { DisabledReason } from '../../src/webhooks/events.js';
import { EVERY_TYPE } from '../../src/webhooks/events.js';

export interface EndpointRow {
  readonly id: string;
  readonly account_id: string;
  readonly all_accounts: boolean;
  /** Sealed. */
  readonly url: string;
  readonly event_types: readonly string[];
  readonly enabled: boolean;
  readonly disabled_reason: DisabledReason | null;
  readonly created_at: Date;
}

/** Whose endpoints: of an account, or those that operators share. */
export type EndpointsOf = { readonly accountId: string } | 'operators';

/** The place behind a row in the order of a list. */
export interface EndpointCursor {
  readonly at: Date;
  readonly id: string;
}

export class WebhookQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** The oldest first; one more than `first` where there are more. */
  endpoints(of: EndpointsOf, first: number, after: EndpointCursor | undefined): Promise<EndpointRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('endpoints')}
        WHERE ${OF} AND ($2::timestamptz IS NULL OR (created_at, id) > ($2::timestamptz, $3::text))
        ORDER BY created_at, id LIMIT $4`,
      [accountOf(of), after?.at ?? null, after?.id ?? null, first + 1],
    );
  }

  async count(of: EndpointsOf): Promise<number> {
    const [row] = await this.sql.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${this.model.t('endpoints')} WHERE ${OF}`,
      [accountOf(of)],
    );
    return row?.count ?? 0;
  }

  async find(id: string): Promise<EndpointRow | undefined> {
    const [row] = await this.sql.query<EndpointRow>(
      `SELECT * FROM ${this.model.t('endpoints')} WHERE id = $1`,
      [id],
    );
    return row;
  }

  byIds(ids: readonly string[]): Promise<EndpointRow[]> {
    return this.sql.query(`SELECT * FROM ${this.model.t('endpoints')} WHERE id = ANY($1::text[])`, [ids]);
  }

  /** Those that want to be told of an event of an account; those of the operators want it of every account. */
  listening(accountId: string, eventType: string, position: Position): Promise<EndpointRow[]> {
    return this.sql.query(
      `SELECT * FROM ${this.model.t('endpoints')}
        WHERE (account_id = $1 OR all_accounts) AND enabled AND created < $3
          AND event_types && ARRAY[$2::text, '${EVERY_TYPE}']
        ORDER BY id`,
      [accountId, eventType, position],
    );
  }

  /** Ids of all that belong to an account itself. */
  async ids(accountId: string): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM ${this.model.t('endpoints')} WHERE account_id = $1 AND NOT all_accounts ORDER BY id`,
      [accountId],
    );
    return rows.map(({ id }) => id);
  }
}

/** The first parameter: an account, or null for the operators. */
const OF = '(($1::text IS NULL AND all_accounts) OR (account_id = $1 AND NOT all_accounts))';

const accountOf = (of: EndpointsOf): string | null => (of === 'operators' ? null : of.accountId);
