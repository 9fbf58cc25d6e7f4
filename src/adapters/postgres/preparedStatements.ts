import type { PGlite } from '@electric-sql/pglite';
import { parse, protocol } from '@electric-sql/pglite';
import type { Row, Statement } from '../../sql/sql.js';
import type { Value } from './pipelineWriter.js';
import { PipelineWriter } from './pipelineWriter.js';

const { serialize } = protocol;

/** Above it all are forgotten: a rebuild has given tables other names, and with them statements other texts. */
const MAX_PREPARED = 200;
const MAX_SEEN = 1_000;

/** SQLSTATEs by which a prepared statement no longer fits: its result has other columns, or it is gone. */
const OUTDATED: ReadonlySet<string> = new Set(['0A000', '26000']);

const BEGIN: Statement = { text: 'BEGIN' };
const COMMIT: Statement = { text: 'COMMIT' };
/** For this transaction; a single statement shares one with what comes before it without a Sync. */
const PLANNED: Statement = { text: `SELECT set_config('plan_cache_mode', 'force_custom_plan', true)` };

interface Prepared {
  readonly name: string;
  /** Of its parameters. */
  readonly types: readonly number[];
}

/**
 * Statements that come again, prepared once. PGlite's own `query` parses and plans a statement each time, in
 * seven calls into the database, and takes twice as long for a batch of the journal.
 */
export class PreparedStatements {
  readonly #prepared = new Map<string, Prepared>();
  /** Texts that have come once: many never come again. */
  readonly #seen = new Set<string>();
  #names = 0;
  readonly #writer = new PipelineWriter();

  constructor(private readonly db: PGlite) {}

  /**
   * Runs statements as one transaction, in one call.
   * @param planned whether each is planned anew for its parameters; otherwise PostgreSQL keeps a plan for all
   * @returns undefined, with nothing done, where one of them is not prepared
   */
  async run(given: readonly Statement[], planned: boolean): Promise<Row[][] | undefined> {
    const alone = given.length === 1;
    const before = [...(alone ? [] : [BEGIN]), ...(planned ? [PLANNED] : [])];
    const statements = [...before, ...given, ...(alone ? [] : [COMMIT])];
    const known = await this.#all(statements);
    if (!known) return undefined;
    const values = statements.map(({ params = [] }, i) =>
      params.map((param, n) => this.#serialized(param, known[i]?.types[n] as number)),
    );
    known.forEach(({ name }, i) => this.#writer.execute(name, values[i] ?? []));
    try {
      const answer = await this.db.execProtocolStream(this.#writer.finish(), {});
      const results = parse.parseResults(answer, this.db.parsers).map(({ rows }) => rows as Row[]);
      return results.slice(before.length, before.length + given.length);
    } catch (error) {
      if (!alone) await this.db.exec('ROLLBACK');
      if (!OUTDATED.has((error as { code?: string }).code ?? '')) throw error;
      await this.#forget();
      return undefined;
    }
  }

  async #all(statements: readonly Statement[]): Promise<readonly Prepared[] | undefined> {
    const all: Prepared[] = [];
    for (const { text } of statements) {
      const known = this.#prepared.get(text) ?? (await this.#prepare(text));
      if (known) all.push(known);
    }
    return all.length === statements.length ? all : undefined;
  }

  async #prepare(text: string): Promise<Prepared | undefined> {
    if (!this.#seen.has(text)) {
      if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
      this.#seen.add(text);
      return undefined;
    }
    if (this.#prepared.size >= MAX_PREPARED) await this.#forget();
    const name = `s${this.#names++}`;
    const messages = [
      serialize.parse({ name, text }),
      serialize.describe({ type: 'S', name }),
      serialize.sync(),
    ];
    try {
      const answer = await this.db.execProtocolStream(Buffer.concat(messages), {});
      const prepared = { name, types: parse.parseDescribeStatementResults(answer) };
      this.#prepared.set(text, prepared);
      return prepared;
    } catch {
      // What is wrong with it is told to whoever runs it.
      return undefined;
    }
  }

  async #forget(): Promise<void> {
    this.#prepared.clear();
    await this.db.exec('DEALLOCATE ALL');
  }

  #serialized(param: unknown, type: number): Value {
    if (param === null || param === undefined) return null;
    const plain = param as string | number | boolean;
    // Bytes stay bytes, whatever PGlite's types say.
    return (this.db.serializers[type]?.(param) as Value | undefined) ?? String(plain);
  }
}
