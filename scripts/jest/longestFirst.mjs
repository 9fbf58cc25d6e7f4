// The order of test files: the longest first, so that none is left to one worker alone in the end. jest goes by the
// durations of the last run on this machine; where there was none, by those listed here. Renew the list from what
// `npm test` prints at its end.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sequencer from '@jest/test-sequencer';

/** Files that take long, in seconds, on two cores. */
export const SECONDS = {
  'test/text/hostile.http.test.ts': 60,
  'test/process/roles.e2e.test.ts': 66,
  'test/crash/crash.e2e.test.ts': 61,
  'test/faults/faults.e2e.test.ts': 52,
  'test/process/startup.http.test.ts': 35,
  'test/catalogue/meaning.http.test.ts': 42,
  'test/analysis/crash.e2e.test.ts': 36,
  'test/analysis/stored.http.test.ts': 31,
  'test/eventsourcing/eventStoreDb.int.test.ts': 27,
  'test/billing/addsUp.http.test.ts': 24,
  'test/teams/teams.http.test.ts': 24,
  'test/process/start.e2e.test.ts': 25,
  'test/crash/registration.e2e.test.ts': 21,
  'test/process/sharedLimits.e2e.test.ts': 20,
  'test/crash/takes.e2e.test.ts': 18,
  'test/analysis/http.http.test.ts': 15,
  'test/catalogue/visibility.http.test.ts': 15,
  'test/graphql/subscriptions.e2e.test.ts': 15,
  'test/usage/reservations.e2e.test.ts': 15,
  'test/profiles/lifecycle.http.test.ts': 15,
  'test/clients/clients.http.test.ts': 13,
  'test/sql/checkpoints.int.test.ts': 13,
  'test/eventsourcing/eventStoreDb.e2e.test.ts': 13,
  'test/telemetry/tracing.http.test.ts': 13,
  'test/profiles/specql.http.test.ts': 13,
  'test/http/server.unit.test.ts': 12,
  'test/graphql/timeout.http.test.ts': 12,
  'test/following/projector.int.test.ts': 12,
  'test/usage/redisLimiter.int.test.ts': 12,
};
/** Of all others the larger ones are taken for longer, by milliseconds and bytes of what is compiled. */
const OTHERS = { least: 1_000, most: 10_000, perByte: 0.2 };

const compiled = fileURLToPath(new URL('../../dist', import.meta.url));
const sourceOf = (path) => relative(compiled, path).replaceAll('\\', '/').replace(/\.js$/, '.ts');

function guess({ path, context: { hasteFS } }) {
  const { least, most, perByte } = OTHERS;
  return Math.min(most, Math.max(least, (hasteFS.getSize(path) ?? 0) * perByte));
}

export default class LongestFirst extends Sequencer {
  time(test) {
    const seconds = SECONDS[sourceOf(test.path)];
    return super.time(test) ?? (seconds === undefined ? guess(test) : seconds * 1000);
  }
}
