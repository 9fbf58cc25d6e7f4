import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../clock.js';
import type { EventMetadata, NewEvent, Position } from '../../eventsourcing/event.js';
import { as, START } from '../../eventsourcing/event.js';
import type { EventStore } from '../../eventsourcing/eventStore.js';
import { ConcurrencyConflict, NO_STREAM, StoreUnavailable } from '../../eventsourcing/eventStore.js';
import { derivedId } from '../../eventsourcing/ids.js';
import { storedJson } from '../../eventsourcing/json.js';
import { schemaVersionOf } from '../../eventsourcing/upcasting.js';
import type { Logger } from '../../logger.js';
import { Outage } from '../../outage.js';
import type { Tracing } from '../../telemetry/tracing.js';
import type { Entry, Origin } from './batch.js';
import { batchJson, batchSize, MAX_BATCH_USES } from './batch.js';
import type { UnconfirmedBatch, UnconfirmedBatchFile } from './unconfirmedBatch.js';
import type { UsageEvent, Use, UseGroup } from '../events.js';
import { usageStream } from '../events.js';
import { FlushTiming } from './flushTiming.js';
import { completeUse, useJson } from './useJson.js';

/** From one try to the next while the store does not confirm. */
const RETRY_MS_MIN = 50;
/** Calls are taken again within a second of the store's return, though a look at it takes time too. */
const RETRY_MS_MAX = 250;

/** Batches read at once while a correction is looked for. */
const LATER_PAGE = 20;

/** The journal takes no uses at the moment: nothing was executed or nothing will be billed. */
export class JournalUnavailable extends Outage {
  constructor(message: string) {
    super(message);
    this.name = 'JournalUnavailable';
  }
}

export interface JournalOptions {
  readonly store: EventStore;
  readonly node: string;
  readonly clock: Clock;
  /** Milliseconds since the epoch, later than that of any earlier start of the node; by default now. */
  readonly startedAt?: number;
  readonly log: Logger;
  /** Shortest time from one flush to the next, in milliseconds; up to four times as much under load. */
  readonly flushMs: number;
  /** Uses that may wait at once; above it calls are refused before any work. */
  readonly maxWaiting?: number;
  /** How long an append may take before its outcome counts as unknown. */
  readonly appendTimeoutMs?: number;
  /** Where a batch of unknown outcome is kept; without it a crash meanwhile leaves it billed. */
  readonly debtFile?: UnconfirmedBatchFile;
  /** Sees each batch that was stored, and how long its append took. */
  readonly onFlushed?: (uses: number, seconds: number) => void;
  readonly tracing?: Tracing | undefined;
}

/** A batch that proved stored after its callers had been told to try again. */
export interface ProvedBatch {
  readonly groups: readonly UseGroup[];
  readonly position: Position;
  /** When it was first sent, milliseconds since the epoch. */
  readonly at: number;
}

interface Waiting extends Entry {
  /** The `traceparent` of the call, where it is traced. */
  readonly traceparent: string | undefined;
  /** Absent for what nobody waits for. */
  readonly stored?: { resolve(position: Position): void; reject(error: JournalUnavailable): void };
}

/**
 * A node's journal of uses: batches with one append in flight, on a stream of its own for each day.
 * A use is durable once `record` resolves, and only then may its answer leave (law 1).
 */
export class Journal {
  /** Names this process start; later starts of a node sort behind earlier ones. */
  readonly start: string;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #stream = '';
  #revision = NO_STREAM;
  readonly #startedAt: number;
  readonly #useIds: string;
  #batches = 0;
  #uses = 0;
  #lastPosition: Position = START;
  readonly #gathering: FlushTiming;
  #problem: string | undefined;
  #closed = false;
  /** Until somebody listens. */
  #proved: ProvedBatch[] = [];
  #onProved: ((batch: ProvedBatch) => void) | undefined;
  readonly #closing = new AbortController();

  constructor(private readonly options: JournalOptions) {
    this.#startedAt = options.startedAt ?? options.clock();
    this.start = `${new Date(this.#startedAt).toISOString()}-${randomBytes(4).toString('hex')}`;
    this.#gathering = new FlushTiming({
      flushMs: options.flushMs,
      max: MAX_BATCH_USES,
      size: () => this.#waiting.length,
    });
    this.#useIds = `${this.start.slice(-8)}.${this.start.slice(0, 23).replace(/\D/g, '')}.`;
  }

  /** Why the journal takes no uses, if it takes none. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Position of the newest stored batch of this process. */
  get lastPosition(): Position {
    return this.#lastPosition;
  }

  /** Uses that wait for the next flush. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** A use id that no other process start can mint. It says when it was minted (`mintedAt`). */
  mintUseId(): string {
    const sinceStart = Math.max(0, this.options.clock() - this.#startedAt);
    return `${this.#useIds}${sinceStart.toString(36)}-${(this.#uses++).toString(36)}`;
  }

  /** @throws JournalUnavailable when no further use can be taken; asked before any work (decision 7) */
  admit(): void {
    if (this.#problem !== undefined) throw new JournalUnavailable(this.#problem);
    if (this.#waiting.length >= (this.options.maxWaiting ?? 20_000)) {
      throw new JournalUnavailable('the usage journal is behind');
    }
  }

  /**
   * Stores a use.
   * @returns the position of its batch
   * @throws JournalUnavailable when it could not be stored, or not for certain; it is then not billed
   */
  record(account: string, use: Use): Promise<Position> {
    if (this.#problem !== undefined) {
      return Promise.reject(new JournalUnavailable(this.#problem));
    }
    return new Promise((resolve, reject) => {
      this.#enqueue(account, useJson(use), this.traceparent, { resolve, reject });
    });
  }

  /** Of the call that is under way, where it is traced: for uses that another turn stores. */
  get traceparent(): string | undefined {
    return this.options.tracing?.active();
  }

  /**
   * Stores uses; they may fall into several batches.
   * @returns in the order of the uses, the position of its batch, or why it is not stored, or not for certain; one
   * that has no JSON fails alone
   */
  recordAll(
    uses: readonly {
      readonly account: string;
      readonly use: Use;
      /** Of the call that told of it, which may be another than the one that is under way; undefined for no trace. */
      readonly traceparent: string | undefined;
    }[],
  ): Promise<(Position | Error)[]> {
    const { length } = uses;
    if (this.#problem !== undefined) {
      return Promise.resolve(Array.from({ length }, () => new JournalUnavailable(this.#problem ?? '')));
    }
    if (length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const outcomes = new Array<Position | Error>(length);
      let left = length;
      for (const [i, { account, use, traceparent }] of uses.entries()) {
        const end = (outcome: Position | Error): void => {
          outcomes[i] = outcome;
          if (--left === 0) resolve(outcomes);
        };
        let json: string;
        try {
          json = useJson(use);
        } catch (error) {
          end(error as Error);
          continue;
        }
        this.#enqueue(account, json, traceparent, { resolve: end, reject: end });
      }
    });
  }

  /** Stores a use that no answer waits for: a refusal. Lost if the process ends before the flush. */
  note(account: string, use: Use): void {
    if (this.#problem === undefined) this.#enqueue(account, useJson(use), this.traceparent);
  }

  /**
   * Settles what an earlier process of this node left open; before the first use.
   * @throws StoreUnavailable
   */
  async settleDebt(): Promise<void> {
    const debt = await this.options.debtFile?.read();
    if (debt) await this.#settle(debt);
  }

  /**
   * Tells of batches that proved stored after all, also of those that already have. Uses without a phase are taken
   * back by a correction and count nothing; the others count (`PhasedUses` in projections/usage).
   */
  onProved(listener: (batch: ProvedBatch) => void): void {
    this.#onProved = listener;
    for (const batch of this.#proved.splice(0)) listener(batch);
  }

  /** Flushes what waits and takes nothing more. What the store does not confirm is left to the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#problem = 'the server is shutting down';
    this.#closing.abort();
    this.#gathering.close();
    await this.#draining;
  }

  #enqueue(account: string, json: string, traceparent: string | undefined, stored?: Waiting['stored']): void {
    const { tracing } = this.options;
    this.#waiting.push({ account, json, traceparent, ...(stored && { stored }) });
    this.#draining ??= tracing ? tracing.detached(() => this.#drain()) : this.#drain();
    this.#gathering.added();
  }

  async #drain(): Promise<void> {
    for (let quiet = true; this.#waiting.length > 0; quiet = false) {
      await this.#gathering.gather(quiet);
      await this.#flush(this.#waiting.splice(0, batchSize(this.#waiting, this.options.node)));
    }
    // In the same turn that saw the queue empty: what is enqueued a microtask later starts anew.
    this.#draining = undefined;
  }

  /** Traced as part of the first call's trace that is recorded, and linked to all of them. */
  #flush(batch: readonly Waiting[]): Promise<void> {
    const { tracing } = this.options;
    const links = tracing ? batch.flatMap(({ traceparent }) => traceparent ?? []) : [];
    const [parent] = links;
    if (!tracing || parent === undefined) return this.#store(batch);
    return tracing.run(
      {
        name: 'publish usage',
        kind: 'producer',
        parent,
        links,
        attributes: {
          'messaging.system': 'tollgraph',
          'messaging.operation.type': 'send',
          'messaging.operation.name': 'publish',
          'messaging.destination.name': 'usage',
          'messaging.batch.message_count': batch.length,
        },
      },
      () => this.#store(batch),
    );
  }

  async #store(batch: readonly Waiting[]): Promise<void> {
    const id = derivedId('usage', this.options.node, this.start, this.#batches++);
    const event = this.#event(id, 'UsesRecorded', batchJson(batch, this.#origin));
    const stream = this.#todaysStream();
    const began = performance.now();
    try {
      const position = await this.#append(stream, event);
      this.#lastPosition = position;
      this.options.onFlushed?.(batch.length, (performance.now() - began) / 1000);
      for (const { stored } of batch) stored?.resolve(position);
    } catch (error) {
      this.#problem ??= 'the usage journal is not available';
      const debt = error instanceof StoreUnavailable ? this.#debt(stream, event, batch) : undefined;
      // Before the callers are told: what they are told must come true.
      if (debt) await this.#remember(debt);
      const unavailable = new JournalUnavailable('the usage journal could not store this call');
      // What still waits was never sent: it is simply not billed.
      const unsent = this.#waiting.splice(0);
      for (const { stored } of [...batch, ...unsent]) stored?.reject(unavailable);
      if (!this.#isSuperseded()) await this.#recover(debt, error);
    }
  }

  /** Absent where the stream's head could not be learned, so that nothing was sent. */
  #debt(stream: string, batch: NewEvent, uses: readonly Waiting[]): UnconfirmedBatch | undefined {
    if (stream !== this.#stream) return undefined;
    const refused = uses.filter(({ stored }) => stored !== undefined);
    if (refused.length === 0) return { stream, revision: this.#revision, batch, correction: null };
    const id = derivedId('correction', batch.id);
    const correction = this.#event(id, 'UsesCorrected', batchJson(refused, this.#origin, batch.id));
    return { stream, revision: this.#revision, batch, correction };
  }

  async #remember(debt: UnconfirmedBatch): Promise<void> {
    try {
      await this.options.debtFile?.write(debt);
    } catch (error) {
      this.options.log.error('what may have to be corrected cannot be kept on disk', error);
    }
  }

  /** Calls are refused until the debt is settled and the store answers. */
  async #recover(debt: UnconfirmedBatch | undefined, cause: unknown): Promise<void> {
    this.options.log.error('the usage journal does not get through', cause);
    for (let wait = RETRY_MS_MIN; ; wait = Math.min(wait * 2, RETRY_MS_MAX)) {
      // A shutdown does not wait for another try.
      await delay(wait, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      try {
        if (debt) await this.#settle(debt);
        debt = undefined;
        await this.#meetOther(this.#todaysStream());
        this.options.log.info('the usage journal is available again');
        this.#problem = this.#closed ? 'the server is shutting down' : undefined;
        return;
      } catch (error) {
        if (this.#isSuperseded() || this.#closed) return;
        if (!(error instanceof StoreUnavailable)) {
          this.options.log.error('the usage journal cannot go on', error);
          return;
        }
      }
    }
  }

  /**
   * The outcome of an append is unknown: the same event is tried again behind the same revision. If it
   * proves stored, a correction takes back the uses whose callers were told to try again.
   */
  async #settle({ stream, revision, batch, correction }: UnconfirmedBatch): Promise<void> {
    const { store, debtFile } = this.options;
    try {
      const { position } = await this.#bounded(store.append(stream, revision, [batch], 'journal'));
      if (correction) await this.#correct(stream, revision + 1, correction);
      this.#prove(batch, position);
    } catch (error) {
      // Another's event stands in its place, so that it is not stored and never will be.
      if (!(error instanceof ConcurrencyConflict)) throw error;
    }
    await debtFile?.remove();
  }

  #prove({ data, metadata }: NewEvent, position: Position): void {
    const stored = JSON.parse(data) as Pick<ProvedBatch, 'groups'>;
    const groups = stored.groups.map(({ account, uses }) => ({ account, uses: uses.map(completeUse) }));
    const { at } = JSON.parse(metadata) as Pick<EventMetadata, 'at'>;
    const batch = { groups, position, at: Date.parse(at) };
    if (!this.#onProved) {
      this.#proved.push(batch);
      return;
    }
    try {
      this.#onProved(batch);
    } catch (error) {
      this.options.log.error('nobody could be told of a batch that proved stored', error);
    }
  }

  /** Appends a correction behind the batch that it corrects, unless an earlier try has done so. */
  async #correct(stream: string, behind: number, correction: NewEvent): Promise<void> {
    const { store } = this.options;
    for (let head = behind; ;) {
      const later = await this.#bounded(store.readStream(stream, { from: head + 1, limit: LATER_PAGE }));
      if (later.some(({ id }) => id === correction.id)) return;
      head += later.length;
      if (later.length > 0) continue;
      try {
        const { position } = await this.#bounded(store.append(stream, head, [correction], 'journal'));
        this.#lastPosition = position;
        return;
      } catch (error) {
        // Somebody else's append was faster: look again.
        if (!(error instanceof ConcurrencyConflict)) throw error;
      }
    }
  }

  get #origin(): Origin {
    return { node: this.options.node, start: this.start };
  }

  #todaysStream(): string {
    return usageStream(this.options.node, new Date(this.options.clock()).toISOString().slice(0, 10));
  }

  /** Appends at the exact head; learns the head first where it isn't known. */
  async #append(stream: string, event: NewEvent): Promise<Position> {
    if (stream !== this.#stream) {
      this.#revision = (await this.#bounded(this.options.store.readLast(stream)))?.revision ?? NO_STREAM;
      this.#stream = stream;
    }
    for (;;) {
      try {
        const result = await this.#bounded(
          this.options.store.append(stream, this.#revision, [event], 'journal'),
        );
        this.#revision = result.revision;
        return result.position;
      } catch (error) {
        if (!(error instanceof ConcurrencyConflict)) throw error;
        await this.#meetOther(stream);
      }
    }
  }

  /** Learns the head where another process may write this node's stream: the older start gives way (decision 10). */
  async #meetOther(stream: string): Promise<void> {
    const last = await this.#bounded(this.options.store.readLast(stream));
    const other = last && as<UsageEvent>(last).data.start;
    if (other !== undefined && other > this.start) {
      this.#problem = SUPERSEDED;
      this.options.log.error('a newer process writes the journal of this node', undefined, { other });
      throw new JournalUnavailable(SUPERSEDED);
    }
    this.#revision = last?.revision ?? NO_STREAM;
    this.#stream = stream;
  }

  #isSuperseded(): boolean {
    return this.#problem === SUPERSEDED;
  }

  async #bounded<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const ms = this.options.appendTimeoutMs ?? 5_000;
      timer = setTimeout(() => reject(new StoreUnavailable(`no answer within ${ms} ms`)), ms);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #event(id: string, type: UsageEvent['type'], data: string): NewEvent {
    const traceparent = this.options.tracing?.active();
    const metadata: EventMetadata = {
      schemaVersion: schemaVersionOf(type),
      at: new Date(this.options.clock()).toISOString(),
      // Batches mix both; each use says its own.
      environment: 'live',
      correlationId: id,
      ...(traceparent !== undefined && { traceparent }),
    };
    return { id, type, data, metadata: storedJson(metadata) };
  }
}

const SUPERSEDED = 'a newer process has taken over the journal of this node';
