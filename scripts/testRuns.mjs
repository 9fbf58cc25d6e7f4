// On what `npm test` runs jest, one after the other; the servers come from the environment.

/**
 * What has no database, or is about HTTP alone (`unit`, `http`), would find nothing new on another one, nor would
 * the event store that lies elsewhere.
 */
const WITH_DATABASE = [
  ...['--selectProjects', 'int', 'e2e', '--passWithNoTests'],
  ...['--testPathIgnorePatterns', '/eventStoreDb\\.int\\.'],
];
/** All else stands on the port, whose contract the server then keeps. */
const EVENT_STORE_DB_ALONE = ['--passWithNoTests', '--testPathIgnorePatterns', '^(?!.*/eventStoreDb\\.)'];

/**
 * @param {Record<string, string | undefined>} environment
 * @param {readonly string[]} args for jest
 * @returns {{ problem?: string, runs: { on: string, env: Record<string, string>, args: string[] }[], left: string[] }}
 *   the runs with what each adds to the environment, and which servers were left out, and why
 */
export function testRuns(environment, args) {
  const { DATABASE_URL, EVENTSTORE_URL, EVENTSTOREDB_URL = EVENTSTORE_URL } = environment;
  if (EVENTSTORE_URL && EVENTSTORE_URL !== EVENTSTOREDB_URL) {
    const problem = 'EVENTSTORE_URL is another name for EVENTSTOREDB_URL, and says something else';
    return { problem, runs: [], left: [] };
  }
  const runs = [{ on: 'the embedded database (PGlite)', env: {}, args: [...args] }];
  const left = [];
  if (DATABASE_URL) {
    runs.push({ on: 'PostgreSQL (DATABASE_URL)', env: { DATABASE_URL }, args: [...args, ...WITH_DATABASE] });
  } else {
    left.push('DATABASE_URL is not set: the suite ran on the embedded database alone.');
  }
  if (EVENTSTOREDB_URL) {
    const on = `the EventStoreDB at ${withoutCredentials(EVENTSTOREDB_URL)} (EVENTSTOREDB_URL)`;
    runs.push({ on, env: { EVENTSTOREDB_URL }, args: [...args, ...EVENT_STORE_DB_ALONE] });
  } else {
    left.push('EVENTSTOREDB_URL is not set: no EventStoreDB was contacted, only the stand-in of the tests.');
  }
  return { runs, left };
}

/** The nodes of a connection string; what stands before them and behind them may be secret. */
const withoutCredentials = (url) => url.replace(/^([^:]*:\/\/)?([^/?]*@)?/, '').replace(/[/?].*$/, '');
