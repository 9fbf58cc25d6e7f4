import { upcast } from './upcasting.js';

/**
 * A place in the global order of events. A safe integer inside; outside it is only ever shown as an
 * opaque token (see positionToken.ts). Positions grow but need not be dense.
 */
export type Position = number;

/** The position before the first event. */
export const START: Position = 0;

export type Environment = 'live' | 'test';

/** What every stored event says of where it comes from (decision 2). */
export interface EventMetadata {
  /** Version of the event type's data; older ones are lifted by upcasting.ts. */
  schemaVersion: number;
  /** When the command was decided, ISO 8601 in UTC. Order is by position, never by this. */
  at: string;
  environment: Environment;
  correlationId: string;
  causationId?: string;
  /** Who asked, e.g. `user:…`, `operator:…`, `policy:…`. */
  caller?: string;
  /** The command's id, scoped by caller; how a stream remembers its commands. */
  commandId?: string;
  /** Keyed hash of the command without its secrets. */
  requestHash?: string;
  /** Why, in an operator's words. */
  reason?: string;
  /** From where an operator did it: the address as a keyed hash that changes every month. */
  address?: string;
  /**
   * The span that it was made in (W3C Trace Context), where that was recorded: what is done with the
   * event later is linked to it. For people who look at traces; nothing is ever decided by it.
   */
  traceparent?: string;
}

/** An event as capabilities write and read it: a type and its data. */
export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/** An event on its way into a stream; text is final, so that hashes of it hold for ever. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/**
 * Characters above which data are kept parsed for one turn of the event loop only. Those who share a page look at
 * it in the same turn; batches of the journal, kept for longer, are most of what the garbage collector copies.
 */
const LONG = 4_000;

/** An event as it was stored. Data is parsed on first use: most readers skip most events. */
export class StoredEvent {
  #data: object | undefined;
  #metadata: EventMetadata | undefined;

  constructor(
    readonly position: Position,
    readonly stream: string,
    readonly revision: number,
    readonly id: string,
    readonly type: string,
    readonly dataText: string,
    readonly metadataText: string,
  ) {}

  get metadata(): EventMetadata {
    return (this.#metadata ??= JSON.parse(this.metadataText) as EventMetadata);
  }

  /** The data in its newest schema version. */
  get data(): object {
    if (this.#data) return this.#data;
    const data = upcast(this.type, this.metadata.schemaVersion, JSON.parse(this.dataText) as object);
    this.#data = data;
    if (this.dataText.length > LONG) setImmediate(() => (this.#data = undefined));
    return data;
  }

  /** The same event at another place: by its stream, some stores do not tell its own (eventStore.ts). */
  at(position: Position): StoredEvent {
    const { stream, revision, id, type, dataText, metadataText } = this;
    return new StoredEvent(position, stream, revision, id, type, dataText, metadataText);
  }

  /** The part of the stream's name behind `category-`. */
  get streamId(): string {
    return this.stream.slice(this.stream.indexOf('-') + 1);
  }
}

/** A stored event seen as one of a capability's own events. The type names the shape of the data. */
export function as<E extends DomainEvent>(event: StoredEvent): E {
  return event as unknown as E;
}
