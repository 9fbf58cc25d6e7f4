import { Outage } from '../outage.js';
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Decider, Refusal } from './decider.js';
import { fold } from './decider.js';
import type { DomainEvent, Environment, EventMetadata, NewEvent, Position } from './event.js';
import { START, StoredEvent } from './event.js';
import type { EventStore } from './eventStore.js';
import { ConcurrencyConflict, EventIdReused } from './eventStore.js';
import { derivedId } from './ids.js';
import { storedJson } from './json.js';
import { schemaVersionOf } from './upcasting.js';

/** Who sends a command, under which id, and when. */
export interface CommandContext {
  /** Chosen by the client, or minted for it; unique within `caller`. */
  readonly commandId: string;
  readonly caller: string;
  /** Keyed hash of the request without its secrets: another content under the same id is refused. */
  readonly requestHash: string;
  readonly at: Date;
  readonly environment: Environment;
  readonly correlationId: string;
  readonly causationId?: string;
  /** Why, where an operator asks. */
  readonly reason?: string;
  /** From where, where an operator asks: the address as a keyed hash. */
  readonly address?: string;
}

export type CommandResult<E extends DomainEvent> =
  | {
      readonly kind: 'accepted';
      /** The events of this command, whether stored now or by its first sending. */
      readonly events: readonly E[];
      /** The same, as they are stored; empty when the command changed nothing. */
      readonly stored: readonly StoredEvent[];
      readonly position: Position;
      /** Whether this command had been handled before. */
      readonly replayed: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface HandleOptions<S> {
  /** How the stream is believed to stand: it is read where that proves wrong. Saves a look. */
  readonly believed?: { readonly state: S; readonly revision: number };
}

/** A stream that is hardly there yet. */
export const notThere = <S>({ initial }: { readonly initial: S }) => ({ state: initial, revision: -1 });

const MAX_ATTEMPTS = 20;
const MAX_BACKOFF_MS = 100;
const PAGE = 500;

/** Others changed the stream each time before this command could: nothing is stored of it, try again. */
export class CommandContended extends Outage {
  constructor(stream: string, options: { cause: unknown }) {
    super(`a command on ${stream} lost ${MAX_ATTEMPTS} races`, options);
    this.name = 'CommandContended';
  }
}

/** Loads, decides and appends: one command, one append, one stream (decision 1). */
export class CommandHandler {
  readonly #appended = new Set<(events: readonly StoredEvent[]) => void>();
  /** Appends that lost a race and were decided again, since the start. */
  conflicts = 0;

  /** @param traceparent of what is being done, where it is traced */
  constructor(
    private readonly store: EventStore,
    private readonly traceparent: () => string | undefined = () => undefined,
  ) {}

  /** Sees the events of every command of this process before its answer leaves. */
  onAppended(listener: (events: readonly StoredEvent[]) => void): void {
    this.#appended.add(listener);
  }

  /** @throws CommandContended, StoreUnavailable; UnreadableValue for events that no reader could use */
  async handle<S, C, E extends DomainEvent>(
    decider: Decider<S, C, E>,
    stream: string,
    command: C,
    context: CommandContext,
    { believed }: HandleOptions<S> = {},
  ): Promise<CommandResult<E>> {
    const commandId = scopedCommandId(context);
    for (let attempt = 1; ; attempt++) {
      let guess = attempt === 1 ? believed : undefined;
      let decision = guess && decider.decide(guess.state, command);
      // Nothing is refused, and nothing left undone, by what is only believed.
      if (decision?.kind === 'refused' || decision?.events.length === 0) guess = decision = undefined;
      const history = guess ? [] : await this.load(stream);
      const earlier = earlierResult<E>(history, context);
      if (earlier) return earlier;

      decision ??= decider.decide(fold(decider, history), command);
      if (decision.kind === 'refused') return decision;
      if (decision.events.length === 0) {
        const position = history.at(-1)?.position ?? START;
        return { kind: 'accepted', events: [], stored: [], position, replayed: false };
      }

      const traceparent = this.traceparent();
      const events = decision.events.map((event, index) =>
        envelope(event, index, stream, commandId, context, traceparent),
      );
      const expected = guess?.revision ?? history.length - 1;
      try {
        const result = await this.store.append(stream, expected, events);
        // A concurrent retry of this command won the race; return its result.
        if (result.repeated ?? (await this.#isAnothers(stream, expected + 1, events))) continue;
        const { position, revision } = result;
        // One append, one commit: all its events share the position that a reader may wait for.
        const stored = events.map(
          (event, index) =>
            new StoredEvent(
              position,
              stream,
              revision - (events.length - 1 - index),
              event.id,
              event.type,
              event.data,
              event.metadata,
            ),
        );
        for (const listener of this.#appended) listener(stored);
        return { kind: 'accepted', events: decision.events, stored, position, replayed: false };
      } catch (error) {
        // Known ids are another sending of this command that was quicker: it is met on the stream.
        const raced = error instanceof ConcurrencyConflict || error instanceof EventIdReused;
        if (!raced) throw error;
        if (attempt === MAX_ATTEMPTS) throw new CommandContended(stream, { cause: error });
        this.conflicts++;
        // Full jitter: those who met each other once come back at different moments.
        await delay(randomInt(1, Math.min(2 ** attempt, MAX_BACKOFF_MS) + 1));
      }
    }
  }

  /** Whether events of these ids were stored by somebody else: metadata differ from one sending to the next. */
  async #isAnothers(stream: string, from: number, events: readonly NewEvent[]): Promise<boolean> {
    const stored = await this.store.readStream(stream, { from, limit: events.length });
    return events.some(({ metadata }, index) => stored[index]?.metadataText !== metadata);
  }

  /** The whole stream; streams of commands are short (decision 4). */
  async load(stream: string): Promise<StoredEvent[]> {
    const history = await this.store.readStream(stream, { limit: PAGE });
    while (history.length > 0 && history.length % PAGE === 0) {
      const more = await this.store.readStream(stream, { from: history.length, limit: PAGE });
      if (more.length === 0) break;
      history.push(...more);
    }
    return history;
  }
}

function scopedCommandId(context: Pick<CommandContext, 'caller' | 'commandId'>): string {
  return derivedId('command', context.caller, context.commandId);
}

/**
 * What a command did when it was sent before, by the stream that it went to (decision 2).
 * @returns undefined for a command that is new there
 */
export function earlierResult<E extends DomainEvent>(
  history: readonly StoredEvent[],
  context: Pick<CommandContext, 'commandId' | 'caller' | 'requestHash'>,
): CommandResult<E> | undefined {
  const commandId = scopedCommandId(context);
  const earlier = history.filter((event) => event.metadata.commandId === commandId);
  const [first] = earlier;
  if (!first) return undefined;
  if (first.metadata.requestHash !== context.requestHash) {
    return {
      kind: 'refused',
      refusal: {
        code: 'COMMAND_ID_REUSED',
        message: 'This commandId was used before with another content. Send a new commandId.',
        field: 'commandId',
      },
    };
  }
  return {
    kind: 'accepted',
    events: earlier as readonly unknown[] as readonly E[],
    stored: earlier,
    position: (earlier.at(-1) as StoredEvent).position,
    replayed: true,
  };
}

/** Events of a command as they are appended, for a stream that is too long to be loaded for each. */
export const storedEvents = (
  stream: string,
  events: readonly DomainEvent[],
  context: CommandContext,
): NewEvent[] =>
  events.map((event, index) => envelope(event, index, stream, scopedCommandId(context), context, undefined));

function envelope(
  event: DomainEvent,
  index: number,
  stream: string,
  commandId: string,
  context: CommandContext,
  traceparent: string | undefined,
): NewEvent {
  const metadata: EventMetadata = {
    schemaVersion: schemaVersionOf(event.type),
    at: context.at.toISOString(),
    environment: context.environment,
    correlationId: context.correlationId,
    ...(context.causationId !== undefined && { causationId: context.causationId }),
    caller: context.caller,
    commandId,
    requestHash: context.requestHash,
    ...(context.reason !== undefined && { reason: context.reason }),
    ...(context.address !== undefined && { address: context.address }),
    ...(traceparent !== undefined && { traceparent }),
  };
  return {
    // The stream is part of the id: one cause may command several streams under one command id.
    id: derivedId('event', stream, commandId, index),
    type: event.type,
    data: storedJson(event.data),
    metadata: storedJson(metadata),
  };
}
