import { openTracing } from '../../src/adapters/opentelemetry/tracing.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { parseConfig } from '../../src/config.js';
import { START } from '../../src/eventsourcing/event.js';
import { silentLogger } from '../../src/logger.js';
import type { Tracing } from '../../src/telemetry/tracing.js';
import { Journal } from '../../src/usage/journal/journal.js';
import { deferred, InterceptedStore } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from '../usage/uses.js';
import type { Collector } from './collector.js';
import { openCollector } from './collector.js';

let database: Awaited<ReturnType<typeof freshSql>>;
let collector: Collector;
let tracing: Tracing;
beforeAll(async () => {
  database = await freshSql();
  collector = await openCollector();
  const { tracing: config } = parseConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  if (!config) throw new Error('nothing is traced');
  tracing = openTracing(config, 'test', silentLogger);
});
afterAll(async () => {
  await tracing.close();
  await collector.close();
  await database.remove();
});

it('a batch without a traced call belongs to no trace, though a traced one has begun the flushing', async () => {
  const store = new InterceptedStore(await PostgresEventStore.open(database.sql));
  const clock = () => Date.UTC(2026, 10, 22, 12);
  const journal = new Journal({ store, node: 'n', clock, log: silentLogger, flushMs: 0, tracing });
  const [sent, passes] = [deferred<void>(), deferred<void>()];
  store.onAppend = async (append) => {
    sent.resolve();
    await passes.promise;
    return append();
  };
  const call = tracing.begin({ name: 'call', kind: 'server', attributes: {}, parent: null });
  const traced = call.within(() => journal.record('a', newUse()));
  await sent.promise;
  // Waits for the same flushing, behind the batch that is on its way.
  const untraced = journal.record('b', newUse());
  passes.resolve();
  await Promise.all([traced, untraced]);
  call.end();
  await journal.close();

  const [first, second] = await store.readAll(START, 10, 1_000_000);
  await tracing.close();
  const flush = collector.spans().find(({ name }) => name === 'publish usage');
  expect(first?.metadata.traceparent).toBe(`00-${flush?.traceId}-${flush?.spanId}-01`);
  expect(flush?.links).toEqual([`00-${flush?.traceId}-${flush?.parentSpanId}-01`]);
  expect(second?.metadata.traceparent).toBeUndefined();
});

it('uses of several calls that are stored together belong each to its own trace, or to none', async () => {
  const links: (readonly string[])[] = [];
  const spy: Tracing = {
    ...tracing,
    active: () => 'of-the-turn',
    run: (span, work) => {
      links.push(span.links ?? []);
      return work();
    },
    detached: (work) => work(),
  };
  const store = new InterceptedStore(await PostgresEventStore.open(database.sql));
  const clock = () => Date.UTC(2026, 10, 22, 12);
  const journal = new Journal({ store, node: 'turn', clock, log: silentLogger, flushMs: 0, tracing: spy });
  await journal.recordAll([
    { account: 'a', use: newUse(), traceparent: 'first' },
    { account: 'b', use: newUse(), traceparent: undefined },
    { account: 'c', use: newUse(), traceparent: 'third' },
  ]);
  await journal.close();
  expect(links).toEqual([['first', 'third']]);
});
