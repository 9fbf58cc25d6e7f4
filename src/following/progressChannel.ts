import type { Sql } from '../sql/sql.js';

/** Told whenever a checkpoint or a pointer moves, of a read model or a policy. */
const PROGRESS_CHANNEL = 'tollgraph_progress';

/** Has the database itself tell, in the transaction that moves it: nothing that writes can forget to. */
const MIGRATION = `
CREATE OR REPLACE FUNCTION read.tell_progress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('${PROGRESS_CHANNEL}', '');
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER tell_progress AFTER INSERT OR UPDATE OR DELETE ON read.models
  FOR EACH STATEMENT EXECUTE FUNCTION read.tell_progress();
CREATE OR REPLACE TRIGGER tell_progress AFTER INSERT OR UPDATE ON read.policies
  FOR EACH STATEMENT EXECUTE FUNCTION read.tell_progress();`;

/** For processes that follow what this one writes; where there can be none (PGlite) nothing is told. */
export async function announceProgress(sql: Sql): Promise<void> {
  if (sql.listen) await sql.script(MIGRATION);
}

/** Calls back when a checkpoint or a pointer has moved. @returns how to stop listening */
export const onProgress =
  (sql: Sql) =>
  (listener: () => void): (() => void) =>
    sql.listen?.(PROGRESS_CHANNEL, listener) ?? (() => undefined);
