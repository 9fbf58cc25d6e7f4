import { usage } from '../../projections/usage/model.js';
import { AuditQueries } from '../../projections/audit/queries.js';
import { UsageQueries } from '../../projections/usage/queries.js';
import { EventStoreDbEventStore } from '../../src/adapters/eventstoredb/eventStore.js';
import { parkedCommands } from '../../src/admin/parked.js';
import { READ_MODELS } from '../../src/capabilities.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { CorrectedStore } from '../../src/eventsourcing/correctedStore.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { PolicyRunner } from '../../src/following/policyRunner.js';
import { Projector } from '../../src/following/projector.js';
import type { ReadModel } from '../../src/following/readModel.js';
import { EventReader } from '../../src/following/reader.js';
import { usageStream } from '../../src/usage/events.js';
import { EventStoreDbStandIn } from '../eventsourcing/eventStoreDbStandIn.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { fragile, notes, Poison } from '../projections/models.js';
import { freshSql } from '../support/database.js';
import type { Use } from '../../src/usage/events.js';
import { LEAVES_OUT, useJson } from '../../src/usage/journal/useJson.js';
import { newUse } from '../usage/uses.js';

const LONG = 60_000;
const MONTH = 'month:2026-11';
const SAID = { reason: 'a test', by: 'operator' };

let closing: (() => Promise<unknown> | void)[];
beforeEach(() => {
  closing = [];
  poison.cure();
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

/** A reader that parks whole batches, while the ledger parks single uses. */
const poison = new Poison();
const picky = fragile({ ...notes, name: 'picky', handles: new Set(['UsesRecorded']) }, poison);

const audit = READ_MODELS.find(({ name }) => name === 'audit') as ReadModel;

/** What an operator can do about uses whose batches lie in an EventStoreDB, between events of others. */
async function open(): Promise<{
  flush: (...uses: readonly object[]) => Promise<string>;
  requests: () => Promise<number[]>;
  run: (command: string, args: object) => Promise<unknown>;
  projector: Projector;
  /** What the audit log says, the newest first. */
  audited: () => Promise<object[]>;
}> {
  const server = await EventStoreDbStandIn.start();
  closing.push(() => server.close());
  const categories = ['corrections', 'parked_use', 'usage'];
  const store = await CorrectedStore.open(new EventStoreDbEventStore({ url: server.url, categories }));
  closing.push(() => store.close());
  const database = await freshSql();
  closing.push(() => database.remove());
  const { sql } = database;
  const reader = new EventReader(store);
  const projector = await Projector.open(sql, reader, [usage, picky, audit], () => undefined, {
    retryMs: [],
  });
  const policies = await PolicyRunner.open(sql, reader, [], () => undefined);
  projector.start();
  closing.push(async () => {
    reader.close();
    await projector.stop();
  });
  const gone = new AbortController().signal;
  const usageQueries = new UsageQueries(sql, projector.access('usage'));
  const commands = parkedCommands({
    projector,
    policies,
    usage: usageQueries,
    store,
    commands: new CommandHandler(store),
    clock: Date.now,
  });
  const stream = usageStream('node', '2026-11-22');
  let revision = NO_STREAM;
  return {
    projector,
    flush: async (...uses) => {
      server.storeForeign('others-1');
      const data = JSON.stringify({ groups: [{ account: 'a', uses }], node: 'n', start: 's' });
      const made = newEvent({ type: 'UsesRecorded', data });
      const metadata = JSON.parse(made.metadata) as object;
      const event = { ...made, metadata: JSON.stringify({ ...metadata, schemaVersion: LEAVES_OUT }) };
      const { position } = await store.append(stream, revision++, [event]);
      await projector.allReached(position, LONG);
      return event.id;
    },
    requests: async () => {
      const subject = { accountId: 'a', environment: 'live', keyId: undefined } as const;
      const { amounts, held } = await usageQueries.counters(subject, [MONTH]);
      return [amounts.of('requests', MONTH), held.of('requests', MONTH)];
    },
    audited: async () => {
      const rows = await new AuditQueries(sql, projector.access('audit')).page({}, 10, undefined);
      return rows.map(({ action, actor, account_id, subject, reason }) => ({
        action,
        actor,
        account: account_id,
        subject,
        reason,
      }));
    },
    run: async (command, args) => commands[command]?.(args, { progress: () => undefined, signal: gone }),
  };
}

it('finds the batch of a parked use where positions are places in a file', async () => {
  const { flush, requests, run, projector, audited } = await open();
  // As the journal writes it: what is not said of a use is left out.
  const bad = JSON.parse(useJson({ ...newUse(), durationUs: -1 })) as Use;
  await flush(newUse());
  const batch = await flush(newUse(), bad, newUse());
  const other = await flush(bad);
  expect(await requests()).toEqual([3, 2]);
  const id = `${batch}#1`;
  expect(await run('parked show', { id })).toMatchObject({ content: bad });
  expect(bad).not.toHaveProperty('status');
  const content = { ...bad, durationUs: 1 };
  expect(await run('parked correct', { id, content, ...SAID })).toMatchObject({ use: id });
  const skipped = { id: `${other}#0`, all: false };
  expect(await run('parked skip', { ...skipped, ...SAID })).toMatchObject({ use: skipped.id });
  expect(await requests()).toEqual([4, 0]);
  expect((await projector.rebuild('usage')).differing).toEqual([]);
  const said = { actor: 'operator:operator', account: 'a', reason: 'a test' };
  expect(await audited()).toEqual([
    { action: 'ParkedUseLeftOut', subject: `use:${skipped.id}`, ...said },
    { action: 'ParkedUseCorrected', subject: `use:${id}`, ...said },
  ]);
});

/** When the ledger is in its n-th generation. */
const generation = (projector: Projector, wanted: number): Promise<void> =>
  new Promise((resolve) => {
    projector.onChanged('usage', () => {
      if (projector.access('usage').state().generation === wanted) resolve();
    });
  });

it('a batch is not corrected so that a use counts twice which was decided before', async () => {
  const { flush, requests, run, projector, audited } = await open();
  const bad = { ...newUse(), durationUs: -1 };
  poison.also = () => true;
  const batch = await flush(bad, newUse(), bad);
  poison.cure();
  await run('parked correct', { id: `${batch}#0`, content: { ...bad, durationUs: 1 }, ...SAID });
  expect(await requests()).toEqual([2, 1]);

  const [{ id } = { id: '' }] = await projector.parked();
  const { content } = (await run('parked show', { id })) as { content: { data: object; metadata: object } };
  const correct = (...uses: readonly object[]): Promise<unknown> => {
    const data = { ...content.data, groups: [{ account: 'a', uses }] };
    return run('parked correct', { id, content: { ...content, data }, ...SAID });
  };
  const mended = { ...bad, durationUs: 2 };
  for (const uses of [
    [mended, newUse(), mended],
    [newUse(), bad, mended],
    [newUse(), mended],
  ]) {
    await expect(correct(...uses)).rejects.toThrow(`The use ${batch}#0 has been decided already`);
  }
  expect(await requests()).toEqual([2, 1]);
  // What was not decided is corrected beside it.
  const rebuilt = generation(projector, 2);
  await correct(bad, newUse(), mended);
  await expect(run('parked skip', { id: `${batch}#2`, all: false, ...SAID })).rejects.toThrow(
    /was corrected with its batch|Nothing that is parked/,
  );
  await rebuilt;
  expect(await requests()).toEqual([3, 0]);
  // A batch has uses of many accounts.
  expect((await audited())[0]).toEqual({
    action: 'EventCorrected',
    actor: 'operator:operator',
    account: null,
    subject: 'UsesRecorded:usage-node-2026-11-22:0',
    reason: 'a test',
  });
});

it('of two decisions at the same moment the second knows the first', async () => {
  const { flush, requests, run, projector } = await open();
  const bad = { ...newUse(), durationUs: -1 };
  poison.also = () => true;
  const batch = await flush(bad, newUse());
  poison.cure();
  const [{ id } = { id: '' }] = await projector.parked();
  const { content } = (await run('parked show', { id })) as { content: { data: object; metadata: object } };
  const mended = { ...bad, durationUs: 1 };
  const data = { ...content.data, groups: [{ account: 'a', uses: [mended, newUse()] }] };
  const both = await Promise.allSettled([
    run('parked correct', { id: `${batch}#0`, content: mended, ...SAID }),
    run('parked correct', { id, content: { ...content, data }, ...SAID }),
  ]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(await requests()).toEqual([2, 0]);
});
