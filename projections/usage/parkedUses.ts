import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import type { Statement } from '../../src/sql/sql.js';
import type { ParkedUse } from '../../src/usage/events.js';
import { subjectsOf } from '../../src/usage/events.js';
import type { BadUse } from '../../src/usage/journal/readUses.js';
import type { Tables } from '../../src/following/readModel.js';

/** A row of `held`. */
interface Held {
  readonly event: string;
  readonly place: number;
  readonly subject: string;
  readonly meter: string;
  readonly period: string;
  amount: number;
}

/** The rows of one page about uses that cannot be counted. */
export class ParkedUses {
  readonly #parked: object[] = [];
  readonly #held = new Map<string, Held>();
  readonly #settled = new Map<string, object>();

  static tables(t: Tables): string {
    return `
      -- Uses that cannot be counted, and those of them that an operator has decided.
      CREATE TABLE ${t('parked')} (
        -- The batch and the place in it.
        event       uuid NOT NULL,
        place       int NOT NULL,
        -- Of the batch. These six are null for a use that was settled before its batch was read.
        stream      text,
        revision    bigint,
        position    bigint,
        stored_at   text,
        reason      text,
        -- Null also where that cannot be told.
        account     text,
        settled     boolean NOT NULL,
        PRIMARY KEY (event, place)
      );
      CREATE INDEX ON ${t('parked')} (position, place) WHERE NOT settled;
      CREATE INDEX ON ${t('parked')} (account) WHERE NOT settled;
      -- What they spent, where that can be told.
      CREATE TABLE ${t('held')} (
        event       uuid NOT NULL,
        place       int NOT NULL,
        subject     text NOT NULL,
        meter       text NOT NULL,
        period      text NOT NULL,
        amount      bigint NOT NULL,
        PRIMARY KEY (subject, meter, period, event, place)
      );`;
  }

  park(
    { id, stream, revision, position, metadata }: StoredEvent,
    { index, account, reason, held }: BadUse,
    sign: 1 | -1,
  ): void {
    const batch = { event: id, stream, revision, position, stored_at: metadata.at };
    this.#parked.push({ ...batch, place: index, reason, account });
    if (!held || account === null) return;
    const { meters, periods } = held;
    for (const subject of subjectsOf(account, held)) {
      for (const meter in meters) {
        for (const period of periods) {
          const amount = sign * (meters[meter] as number);
          const row = { event: id, place: index, subject, meter, period, amount };
          const name = compositeKey(id, index, subject, meter, period);
          const known = this.#held.get(name);
          // A period that the use names twice counts twice, as it would in a use that can be counted.
          if (known) known.amount += amount;
          else this.#held.set(name, row);
        }
      }
    }
  }

  settle({ event, index }: Pick<ParkedUse, 'event' | 'index'>): void {
    this.#settled.set(compositeKey(event, index), { event, place: index });
  }

  statements(t: Tables): Statement[] {
    const statements: Statement[] = [];
    if (this.#parked.length > 0) {
      statements.push({
        text: `INSERT INTO ${t('parked')}
                 (event, place, stream, revision, position, stored_at, reason, account, settled)
               SELECT r.*, false FROM json_to_recordset($1::json)
                 AS r(event uuid, place int, stream text, revision bigint, position bigint, stored_at text,
                      reason text, account text)
               ON CONFLICT (event, place) DO UPDATE SET stream = excluded.stream,
                 revision = excluded.revision, position = excluded.position,
                 stored_at = excluded.stored_at, reason = excluded.reason, account = excluded.account`,
        params: [JSON.stringify(this.#parked)],
      });
    }
    if (this.#held.size > 0) {
      statements.push({
        text: `INSERT INTO ${t('held')} SELECT * FROM json_to_recordset($1::json)
                 AS r(event uuid, place int, subject text, meter text, period text, amount bigint)`,
        params: [JSON.stringify([...this.#held.values()])],
      });
    }
    if (this.#settled.size > 0) {
      statements.push({
        text: `INSERT INTO ${t('parked')} (event, place, settled)
               SELECT r.*, true FROM json_to_recordset($1::json) AS r(event uuid, place int)
               ON CONFLICT (event, place) DO UPDATE SET settled = true`,
        params: [JSON.stringify([...this.#settled.values()])],
      });
    }
    return statements;
  }
}
