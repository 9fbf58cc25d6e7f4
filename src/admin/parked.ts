import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Projector } from '../following/projector.js';
import type { ParkedUseRow, UsageQueries } from '../../projections/usage/queries.js';
import type { Clock } from '../clock.js';
import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { correctionsDecider } from '../eventsourcing/correct.js';
import { correctedEvent } from '../eventsourcing/correctedStore.js';
import type { DomainEvent, EventMetadata, Position, StoredEvent } from '../eventsourcing/event.js';
import { CORRECTIONS_STREAM } from '../eventsourcing/events.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import { schemaVersionOf } from '../eventsourcing/upcasting.js';
import { OperatorRefusal } from '../following/operatorRefusal.js';
import type { ParkedStream, Skip, Unparking } from '../following/parking.js';
import type { PolicyRunner } from '../following/policyRunner.js';
import { batchProblem } from '../usage/journal/correctedBatch.js';
import { parkedUseDecider } from '../usage/decide.js';
import type { ParkedUse, UsageEvent, Use } from '../usage/events.js';
import { parkedUseStream } from '../usage/events.js';
import { rawUse, useProblem, usesOf } from '../usage/journal/readUses.js';
import { completeUse } from '../usage/journal/useJson.js';
import type { AdminCommands } from './server.js';

const Id = z.object({ id: z.string() });
const Said = Id.extend({ reason: z.string().trim().min(1).max(1_000), by: z.string().min(1) });
const SkipArgs = Said.extend({ all: z.boolean() });
const CorrectArgs = Said.extend({ content: z.unknown(), account: z.string().min(1).optional() });
/** As `show` prints it; of the metadata only the reason may be another. */
const EventContent = z.object({
  data: z.looseObject({}),
  metadata: z.looseObject({ reason: z.string().optional() }),
});

const BATCHES: ReadonlySet<string> = new Set<UsageEvent['type']>(['UsesRecorded', 'UsesCorrected']);
/** Uses that one answer lists. */
const MAX_LISTED = 1_000;
const CAUGHT_UP_MS = 10_000;

/** Dates are text on their way to the command line. */
export type ParkedLine = Omit<ParkedStream, 'since'> & { readonly since: string };

export interface ParkedUseLine {
  /** Batch#place. */
  readonly id: string;
  readonly account: string | null;
  readonly since: string;
  readonly reason: string;
}

export interface AllParked {
  readonly streams: readonly ParkedLine[];
  /** The oldest. */
  readonly uses: readonly ParkedUseLine[];
  readonly allUses: number;
}

/** What can be corrected, as it is now. */
export interface ParkedContent {
  readonly what: string;
  readonly content: unknown;
}

/** What became of streams that were parked, or of a use. */
export interface Settled {
  readonly streams: readonly Unparking[];
  /** The use, where it was one. */
  readonly use: string | null;
}

export interface ParkedParts {
  readonly projector: Projector;
  readonly policies: PolicyRunner;
  readonly usage: UsageQueries;
  readonly store: EventStore;
  readonly commands: CommandHandler;
  readonly clock: Clock;
}

/** What an operator can ask and do about what is parked. */
export function parkedCommands(parts: ParkedParts): AdminCommands {
  const { projector, policies, usage, store, commands, clock } = parts;

  const parked = async (): Promise<ParkedStream[]> => [
    ...(await projector.parked()),
    ...(await policies.parked()),
  ];
  const streamOf = async (id: string): Promise<ParkedStream> => {
    const stream = (await parked()).find((candidate) => candidate.id === id);
    if (!stream) throw unknown(id);
    return stream;
  };
  const unpark = async (stream: ParkedStream, skip?: Skip): Promise<Unparking> => {
    const done = projector.unpark(stream, skip) ?? policies.unpark(stream, skip);
    if (!done) throw unknown(stream.id);
    return done;
  };
  const eventAt = async (place: { stream: string; revision: number }): Promise<StoredEvent> => {
    const { stream, revision } = place;
    const [event] = await store.readStream(stream, { from: revision, limit: 1 });
    if (!event) throw new OperatorRefusal(`${stream} has no event ${revision}`);
    return event;
  };
  const accepted = async <E extends DomainEvent>(result: Promise<CommandResult<E>>): Promise<Position> => {
    const done = await result;
    if (done.kind === 'refused') throw new OperatorRefusal(done.refusal.message);
    return done.position;
  };
  const asked = (by: string, reason: string): CommandContext => {
    const commandId = randomUUID();
    return {
      commandId,
      caller: `operator:${by}`,
      requestHash: commandId,
      at: new Date(clock()),
      environment: 'live',
      correlationId: commandId,
      reason,
    };
  };
  /** A use that is parked: its row, its batch, and what its batch says of it. */
  const useOf = async (id: string): Promise<FoundUse | undefined> => {
    const [event, place] = id.split('#');
    if (event === undefined || !/^\d+$/.test(place ?? '')) return undefined;
    const index = Number(place);
    const row = z.uuid().safeParse(event).success ? await usage.parkedUse(event, index) : undefined;
    if (!row) throw unknown(id);
    const batch = await eventAt(row);
    if (batch.id !== event) throw new OperatorRefusal(`the batch ${event} is not at its place`);
    const { sign, bad } = usesOf(batch);
    const use = bad.find((candidate) => candidate.index === index);
    if (!use) throw new OperatorRefusal('It was corrected with its batch; the ledger is about to count it.');
    return { row, use: { event, index, sign, held: use.held }, content: rawUse(batch, index) };
  };
  const checkBatch = async (batch: StoredEvent, data: object): Promise<void> => {
    // What was decided before has to show.
    if (!(await projector.reached('usage', await store.head(), CAUGHT_UP_MS)))
      throw new OperatorRefusal('The ledger is behind. Try again in a moment.');
    const content = { data: JSON.stringify(data), schemaVersion: schemaVersionOf(batch.type), reason: null };
    const decided = await usage.decidedPlaces(batch.id);
    const problem = batchProblem(batch, correctedEvent(batch, content), decided);
    if (problem !== undefined) throw new OperatorRefusal(problem);
  };
  const settle = async (position: Position): Promise<void> => {
    if (!(await projector.reached('usage', position, CAUGHT_UP_MS)))
      throw new OperatorRefusal('It is stored, and the ledger has not seen it yet.');
  };

  /** One decision at a time: each looks at what was decided before. */
  let before: Promise<unknown> = Promise.resolve();
  const alone = <R>(decide: () => Promise<R>): Promise<R> => {
    const decided = before.then(decide);
    before = decided.catch(() => undefined);
    return decided;
  };

  const skip = async (args: unknown): Promise<Settled> => {
    const { id, reason, by, all } = SkipArgs.parse(args);
    const found = await useOf(id);
    if (!found) return { streams: [await unpark(await streamOf(id), { reason, by, all })], use: null };
    const { use, row } = found;
    const command = { type: 'LeaveOut', parked: use, account: row.account } as const;
    const stream = parkedUseStream(use.event, use.index);
    await settle(await accepted(commands.handle(parkedUseDecider, stream, command, asked(by, reason))));
    return { streams: [], use: id };
  };
  const correct = async (args: unknown): Promise<Settled> => {
    const { id, reason, by, content, account: given } = CorrectArgs.parse(args);
    const found = await useOf(id);
    if (found) {
      const { use: parkedOne, row } = found;
      // As it was shown, without what is not said of it; what is judged and kept says everything.
      const said = typeof content === 'object' && content !== null && !Array.isArray(content);
      const use = said ? completeUse(content as Use) : content;
      const problem = useProblem(use);
      if (problem !== undefined)
        throw new OperatorRefusal(`The use could not be counted either: ${problem}.`);
      const account = row.account ?? given;
      if (account === undefined)
        throw new OperatorRefusal('Its account cannot be told: name it with --account.');
      const command = { type: 'Correct', parked: parkedOne, account, use: use as Use } as const;
      const stream = parkedUseStream(parkedOne.event, parkedOne.index);
      await settle(await accepted(commands.handle(parkedUseDecider, stream, command, asked(by, reason))));
      return { streams: [], use: id };
    }
    const stream = await streamOf(id);
    const event = await eventAt(stream);
    const { data, metadata } = EventContent.parse(content);
    checkMetadata(event.metadata, metadata);
    if (BATCHES.has(event.type)) await checkBatch(event, data);
    const command = { event, data, reason: metadata.reason ?? null };
    const context = asked(by, reason);
    const position = await accepted(
      commands.handle(correctionsDecider, CORRECTIONS_STREAM, command, context),
    );
    // Who has it parked meets the correction in its place first, and then needs no rebuild.
    await Promise.all([
      projector.allReached(position, CAUGHT_UP_MS),
      policies.reached(position, CAUGHT_UP_MS),
    ]);
    const same = (await parked()).filter(
      (other) => other.stream === stream.stream && other.revision === stream.revision,
    );
    const streams: Unparking[] = [];
    for (const other of same) streams.push(await unpark(other));
    return { streams, use: null };
  };

  return {
    parked: async (): Promise<AllParked> => ({
      streams: (await parked()).map((stream) => ({ ...stream, since: stream.since.toISOString() })),
      uses: (await usage.parkedUses(MAX_LISTED)).map(({ event, place, account, stored_at, reason }) => ({
        id: `${event}#${place}`,
        account,
        since: stored_at,
        reason,
      })),
      allUses: await usage.parkedCount(),
    }),
    'parked show': async (args): Promise<ParkedContent> => {
      const { id } = Id.parse(args);
      const use = await useOf(id);
      if (use) return { what: `use ${id} of the account ${use.row.account ?? '?'}`, content: use.content };
      const stream = await streamOf(id);
      const { type, data, metadata } = await eventAt(stream);
      return { what: `${type} ${stream.stream} ${stream.revision}`, content: { data, metadata } };
    },
    'parked replay': async (args): Promise<Settled> => {
      const stream = await streamOf(Id.parse(args).id);
      return { streams: [await unpark(stream)], use: null };
    },
    'parked skip': (args) => alone(() => skip(args)),
    'parked correct': (args) => alone(() => correct(args)),
  };
}

interface FoundUse {
  readonly row: ParkedUseRow;
  readonly use: ParkedUse;
  readonly content: unknown;
}

const unknown = (id: string): OperatorRefusal =>
  new OperatorRefusal(`Nothing that is parked has the id "${id}"; \`parked\` lists what is.`);

/** Who did it, when and by which command stays as it is. */
function checkMetadata(stored: EventMetadata, given: Readonly<Record<string, unknown>>): void {
  const names = new Set([...Object.keys(stored), ...Object.keys(given)]);
  for (const name of names) {
    if (name === 'reason' || name === 'schemaVersion') continue;
    if (given[name] !== stored[name as keyof EventMetadata]) {
      throw new OperatorRefusal(`Of the metadata only the reason can be corrected, not "${name}".`);
    }
  }
}
