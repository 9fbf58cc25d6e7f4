import type { Sql } from '../sql/sql.js';
import type { SpanShape, Tracing } from './tracing.js';

/** A database whose statements show in the traces that they belong to, by their first word alone. */
export function traceSql(sql: Sql, tracing: Tracing): Sql {
  const traced = <R>(operation: string, statements: number, work: () => Promise<R>): Promise<R> => {
    if (tracing.active() === undefined) return work();
    const shape: SpanShape = {
      name: operation,
      kind: 'client',
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': operation,
        ...(statements > 1 && { 'db.operation.batch.size': statements }),
      },
    };
    return tracing.run(shape, work);
  };
  return {
    query: (text, params, priority) =>
      traced(/^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'QUERY', 1, () =>
        sql.query(text, params, priority),
      ),
    transaction: (statements, priority) =>
      traced('TRANSACTION', statements.length, () => sql.transaction(statements, priority)),
    script: (text) => sql.script(text),
    ...(sql.listen && { listen: sql.listen.bind(sql) }),
    close: () => sql.close(),
  };
}
