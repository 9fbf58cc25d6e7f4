import type { Sql } from '../sql/sql.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
-- Numbers the events of an account that are told outside, so that receivers can put them in order.
CREATE TABLE IF NOT EXISTS vault.webhook_sequences (
  event_id   text PRIMARY KEY,
  account_id text NOT NULL,
  sequence   bigint NOT NULL,
  UNIQUE (account_id, sequence)
);`;

/**
 * A number for each event that is told, 1, 2, 3, … for each account: a position of the log would tell customers how
 * much happens elsewhere. Asked for by one policy, in the order of the log.
 */
export class WebhookSequences {
  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<WebhookSequences> {
    await sql.script(MIGRATION);
    return new WebhookSequences(sql);
  }

  /** The same event gets the same number again. */
  async of(accountId: string, eventId: string): Promise<number> {
    const [, [row]] = (await this.sql.transaction([
      {
        text: `INSERT INTO vault.webhook_sequences
               SELECT $2, $1, coalesce(max(sequence), 0) + 1 FROM vault.webhook_sequences WHERE account_id = $1
               ON CONFLICT (event_id) DO NOTHING`,
        params: [accountId, eventId],
      },
      { text: 'SELECT sequence FROM vault.webhook_sequences WHERE event_id = $1', params: [eventId] },
    ])) as [unknown, [{ sequence: number }]];
    return row.sequence;
  }
}
