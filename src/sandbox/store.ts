import { randomUUID } from 'node:crypto';
import type { Sql } from '../sql/sql.js';
import type { Kind, Objects } from './objects.js';

/** All that there is of one kind, in the order in which it was made. */
export type Table = Map<string, Objects[Kind]>;

/** What one request has changed: undefined for what it has deleted. */
export type Changes = ReadonlyMap<Kind, ReadonlyMap<string, Objects[Kind] | undefined>>;

const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS sandbox;
  CREATE TABLE IF NOT EXISTS sandbox.objects (
    seq  bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    id   text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (kind, id)
  );
  CREATE TABLE IF NOT EXISTS sandbox.host (single boolean PRIMARY KEY CHECK (single), owner text NOT NULL);
  CREATE OR REPLACE FUNCTION sandbox.hosted_by(process text) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM FROM sandbox.host WHERE owner = process FOR SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION 'another process hosts the sandbox now' USING ERRCODE = 'TG002'; END IF;
  END $$;`;

/**
 * The sandbox's state: in memory, and written through to the schema `sandbox` before a request is
 * answered. One process hosts it; the one that started last is the one that can write.
 */
export class SandboxStore {
  readonly #tables = new Map<Kind, Table>();
  readonly #owner = randomUUID();

  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<SandboxStore> {
    await sql.script(SCHEMA);
    const store = new SandboxStore(sql);
    await sql.query(
      `INSERT INTO sandbox.host VALUES (true, $1) ON CONFLICT (single) DO UPDATE SET owner = excluded.owner`,
      [store.#owner],
    );
    const rows = await sql.query<{ kind: Kind; id: string; body: string }>(
      'SELECT kind, id, body FROM sandbox.objects ORDER BY seq',
    );
    for (const { kind, id, body } of rows) store.table(kind).set(id, JSON.parse(body) as Objects[Kind]);
    return store;
  }

  table(kind: Kind): Table {
    let table = this.#tables.get(kind);
    if (!table) this.#tables.set(kind, (table = new Map<string, Objects[Kind]>()));
    return table;
  }

  /** All or nothing; memory changes only once the database has stored it. */
  async commit(changes: Changes): Promise<void> {
    const kinds: string[] = [];
    const ids: string[] = [];
    const bodies: string[] = [];
    const goneKinds: string[] = [];
    const goneIds: string[] = [];
    for (const [kind, objects] of changes) {
      for (const [id, object] of objects) {
        (object ? kinds : goneKinds).push(kind);
        (object ? ids : goneIds).push(id);
        if (object) bodies.push(JSON.stringify(object));
      }
    }
    if (kinds.length + goneKinds.length === 0) return;
    await this.sql.transaction([
      { text: 'SELECT sandbox.hosted_by($1)', params: [this.#owner] },
      {
        text: `INSERT INTO sandbox.objects (kind, id, body)
               SELECT kind, id, body FROM unnest($1::text[], $2::text[], $3::text[])
                 WITH ORDINALITY AS u (kind, id, body, n) ORDER BY n
               ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body`,
        params: [kinds, ids, bodies],
      },
      ...(goneIds.length === 0
        ? []
        : [
            {
              text: `DELETE FROM sandbox.objects o USING unnest($1::text[], $2::text[]) AS u (kind, id)
                      WHERE o.kind = u.kind AND o.id = u.id`,
              params: [goneKinds, goneIds],
            },
          ]),
    ]);
    for (const [kind, objects] of changes) {
      const table = this.table(kind);
      for (const [id, object] of objects) {
        if (object) table.set(id, object);
        else table.delete(id);
      }
    }
  }
}
