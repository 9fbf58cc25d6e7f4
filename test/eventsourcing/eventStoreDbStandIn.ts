import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import features from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import featureMessages from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import { FaultyProxy } from '../faults/proxy.js';

type ReadReq = InstanceType<typeof messages.ReadReq>;
type ReadResp = InstanceType<typeof messages.ReadResp>;
type AppendReq = InstanceType<typeof messages.BatchAppendReq>;
type AppendResp = InstanceType<typeof messages.BatchAppendResp>;
type Proposed = InstanceType<typeof messages.BatchAppendReq.ProposedMessage>;
type ReadOptions = NonNullable<ReturnType<ReadReq['getOptions']>>;
type AppendOptions = NonNullable<ReturnType<AppendReq['getOptions']>>;
type AppendCall = ServerDuplexStream<AppendReq, AppendResp>;
type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

interface Recorded {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly customMetadata: Uint8Array;
  readonly data: Uint8Array;
}

/** The server's limits. */
const MAX_CALLS = 100;
const MAX_APPEND_BYTES = 1024 * 1024;
/** Events that the server reads at once for a subscription that catches up. */
const READ_BATCH = 32;
/** What a record takes in the log beside its name, type and content. */
const RECORD_BYTES = 89;
/** Stands in a read of a stream where the position is not known. */
const NO_POSITION = '18446744073709551615';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * EventStoreDB's streams protocol as a single node serves it, in this process and in memory, for the
 * real client over a real socket. What it does as the real server does (23.10, seen or read in its source):
 *
 * - system events stand at the beginning of `$all`; positions are byte offsets with gaps, no two reads of
 *   a stream show them, and one that is not an event's is refused; reading forwards begins with the event
 *   at the position, backwards with the one before it
 * - appends at an exact revision are all or nothing; the same ids at the same revision succeed again,
 *   whatever their content is now, and store nothing; at the exact head they are stored twice; a part of
 *   them is a conflict
 * - appends come by a call that many share, are stored one after the other, and each is answered by its id;
 *   one whose deadline is over by the server's clock is refused
 * - 1 MiB for an append, 100 calls for a connection; an event without type or with a malformed id is refused
 * - what has caught up is told so; a filtered subscription that is catching up is told after each of its
 *   search windows how far it is, which is where the window began if it held nothing
 * - behind its proxy it is killed and started again (`refuse`: what was stored is there afterwards, with
 *   the work of broken calls done or not), frozen and cut off
 *
 * It does not show: clusters and leaders, TLS and credentials, appends with a call of their own or at `any`
 * revision, deleted and truncated streams, links, filters
 * other than prefixes of stream names, live
 * subscriptions, deadlines on the server, and any speed.
 */
export class EventStoreDbStandIn {
  readonly #log: Recorded[] = [];
  readonly #streams = new Map<string, Recorded[]>();
  #end = 0;
  readonly #quiet: (() => void)[] = [];
  /** Calls that are open. */
  calls = 0;
  /** Appends that have come, whatever became of them, and the calls that they came by. */
  appends = 0;
  appendCalls = 0;
  /** Keeps the answer to an append that came by the n-th call back, until it is resolved. */
  holdBack: (stream: string, call: number) => Promise<void> | undefined = () => undefined;
  /** What is said of an append instead of what became of it. */
  sayInstead: (stream: string) => string | undefined = () => undefined;
  /** How far the clock of the server's machine is ahead of this one's, in milliseconds. */
  clockAheadMs = 0;
  /** Reads that any node may answer, and those that asked for the leader's own answer. */
  reads = 0;
  leaderReads = 0;
  maxAppendBytes = MAX_APPEND_BYTES;
  /** Reads of the log from its end or a place in it towards its beginning. */
  backwardReads = 0;
  /** Events of the log that were sent, to reads and subscriptions. */
  sentOfLog = 0;
  /** Subscriptions that were opened, live or not. */
  subscriptions = 0;
  /** The most reads of the log at once of which any node may answer. */
  mostLongReads = 0;
  #longReads = 0;
  /** The most calls that were open at once. */
  mostCalls = 0;

  private constructor(
    private readonly server: Server,
    /** What stands between the client and the server. */
    readonly proxy: FaultyProxy,
  ) {
    this.#addService(services.StreamsService, {
      read: (call: ReadCall) => void this.#read(call),
      batchAppend: (call: AppendCall) => void this.#serveAppends(call),
    });
    this.#addService(features.ServerFeaturesService, {
      getSupportedMethods: (_call: unknown, answer: sendUnaryData<unknown>) => {
        const supported = new featureMessages.SupportedMethods().setEventStoreServerVersion('23.10.0.0');
        for (const method of ['read', 'batchappend']) {
          supported.addMethods(
            new featureMessages.SupportedMethod()
              .setServiceName('event_store.client.streams.streams')
              .setMethodName(method),
          );
        }
        answer(null, supported);
      },
    });
    for (let n = 0; n < 40; n++) this.#store(n % 2 ? '$settings' : '$$$settings', n >> 1, '$metadata');
  }

  static async start(): Promise<EventStoreDbStandIn> {
    const server = new Server({
      'grpc.max_concurrent_streams': MAX_CALLS,
      'grpc.max_receive_message_length': -1,
    });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return new EventStoreDbStandIn(server, await FaultyProxy.open('127.0.0.1', port));
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.proxy.listening}?tls=false`;
  }

  async close(): Promise<void> {
    await this.proxy.close();
    this.server.forceShutdown();
  }

  /** When no call is open any more. */
  async quiet(): Promise<void> {
    if (this.calls > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }

  /** An event of somebody else who uses the same server. */
  storeForeign(stream: string, metadata = ''): void {
    const revision = this.#streams.get(stream)?.length ?? 0;
    this.#store(stream, revision, 'Foreign', undefined, 'application/json', Buffer.from(metadata));
  }

  #addService(service: object, implementation: UntypedServiceImplementation): void {
    this.server.addService(service as Parameters<Server['addService']>[0], implementation);
  }

  #store(
    stream: string,
    revision: number,
    type: string,
    id = crypto.randomUUID() as string,
    contentType = 'application/json',
    customMetadata: Uint8Array = new Uint8Array(),
    data: Uint8Array = Buffer.from('{}'),
  ): Recorded {
    const event: Recorded = {
      position: this.#end,
      stream,
      revision,
      id,
      metadata: new Map([
        ['type', type],
        ['created', `${BigInt(Date.now()) * 10_000n}`],
        ['content-type', contentType],
      ]),
      customMetadata,
      data,
    };
    this.#end += RECORD_BYTES + stream.length + type.length + customMetadata.length + data.length;
    this.#log.push(event);
    const events = this.#streams.get(stream);
    if (events) events.push(event);
    else this.#streams.set(stream, [event]);
    return event;
  }

  #enter(call: { on(event: 'close' | 'cancelled', listener: () => void): unknown }): () => void {
    this.mostCalls = Math.max(this.mostCalls, ++this.calls);
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      if (--this.calls === 0) for (const resolve of this.#quiet.splice(0)) resolve();
    };
    call.on('cancelled', leave);
    return leave;
  }

  async #serveAppends(call: AppendCall): Promise<void> {
    const leave = this.#enter(call);
    const number = ++this.appendCalls;
    const begun = new Map<string, { readonly options: AppendOptions; readonly proposed: Proposed[] }>();
    const held: Promise<void>[] = [];
    try {
      for await (const request of call as AsyncIterable<AppendReq>) {
        const id = request.getCorrelationId()?.getString() ?? '';
        const options = begun.get(id)?.options ?? request.getOptions();
        if (!options) continue;
        const proposed = [...(begun.get(id)?.proposed ?? []), ...request.getProposedMessagesList()];
        begun.set(id, { options, proposed });
        if (!request.getIsFinal()) continue;
        begun.delete(id);
        this.appends++;
        const decided = this.#decide(options, proposed);
        const stream = nameOf(options);
        const instead = this.sayInstead(stream);
        const answer = instead === undefined ? decided : failed(instead);
        answer.setCorrelationId(request.getCorrelationId());
        const hold = this.holdBack(stream, number);
        const send = (): void => void (call.cancelled || call.write(answer));
        if (hold) held.push(hold.then(send));
        else send();
      }
      await Promise.all(held);
      call.end();
    } catch (error) {
      call.emit('error', error);
    } finally {
      leave();
    }
  }

  #decide(options: AppendOptions, proposed: readonly Proposed[]): AppendResp {
    const stream = nameOf(options);
    const deadline = options.getDeadline()?.toDate();
    if (deadline && deadline.getTime() <= Date.now() + this.clockAheadMs) return failed('Timeout');
    let bytes = 0;
    for (const message of proposed) {
      const map = message.getMetadataMap();
      const isUuid = UUID.test(message.getId()?.getString() ?? '');
      if (!isUuid || !map.get('type') || !map.get('content-type')) return failed('BadRequest');
      bytes += message.getData_asU8().length + message.getCustomMetadata_asU8().length;
    }
    if (bytes > this.maxAppendBytes) {
      return failed('MaximumAppendSizeExceeded', new shared.MaximumAppendSizeExceeded());
    }
    if (!options.hasNoStream() && !options.hasStreamPosition()) return failed('only exact revisions');
    const events = this.#streams.get(stream) ?? [];
    const current = events.length - 1;
    const expected = options.hasNoStream() ? -1 : Number(options.getStreamPosition());
    const ids = proposed.map((message) => message.getId()?.getString() ?? '');
    let last: Recorded | undefined;
    if (expected === current) {
      for (const [n, message] of proposed.entries()) {
        const map = message.getMetadataMap();
        last = this.#store(
          stream,
          current + 1 + n,
          map.get('type') ?? '',
          ids[n],
          map.get('content-type'),
          message.getCustomMetadata_asU8(),
          message.getData_asU8(),
        );
      }
    } else if (expected < current && ids.every((id, n) => events[expected + 1 + n]?.id === id)) {
      last = events[expected + ids.length];
    }
    if (!last) {
      const conflict = new shared.WrongExpectedVersion();
      if (current < 0) conflict.setCurrentNoStream(new shared.Empty());
      else conflict.setCurrentStreamRevision(`${current}`);
      if (expected < 0) conflict.setExpectedNoStream(new shared.Empty());
      else conflict.setExpectedStreamPosition(`${expected}`);
      return failed('WrongExpectedVersion', conflict);
    }
    return new messages.BatchAppendResp().setSuccess(
      new messages.BatchAppendResp.Success()
        .setCurrentRevision(`${last.revision}`)
        .setPosition(
          new shared.AllStreamPosition()
            .setCommitPosition(`${last.position}`)
            .setPreparePosition(`${last.position}`),
        ),
    );
  }

  async #read(call: ReadCall): Promise<void> {
    const leave = this.#enter(call);
    try {
      const options = call.request.getOptions();
      if (!options) throw refusal(status.INVALID_ARGUMENT);
      if (call.metadata.get('requires-leader').includes('true')) this.leaderReads++;
      else this.reads++;
      if (options.hasSubscription()) await this.#subscribe(call, options);
      else if (options.hasStream()) await this.#readStream(call, options);
      else {
        const long = !call.metadata.get('requires-leader').includes('true');
        if (long) this.mostLongReads = Math.max(this.mostLongReads, ++this.#longReads);
        try {
          await this.#readLog(call, options);
        } finally {
          if (long) this.#longReads--;
        }
      }
      call.end();
    } catch (error) {
      call.emit('error', error);
    } finally {
      leave();
    }
  }

  async #readStream(call: ReadCall, options: ReadOptions): Promise<void> {
    const { stream: from } = options.toObject();
    const name = nameOf(options.getStream());
    const events = this.#streams.get(name);
    if (!events) {
      const notFound = new messages.ReadResp.StreamNotFound();
      notFound.setStreamIdentifier(identifier(name));
      await send(call, new messages.ReadResp().setStreamNotFound(notFound));
      return;
    }
    const backwards = isBackwards(options);
    const first = from?.start ? 0 : from?.end ? events.length - 1 : Number(from?.revision);
    const step = backwards ? -1 : 1;
    let left = Number(options.getCount());
    for (let n = first; left > 0 && events[n]; n += step, left--) {
      if (!(await send(call, shown(events[n] as Recorded, false)))) return;
    }
  }

  async #readLog(call: ReadCall, options: ReadOptions): Promise<void> {
    const all = options.getAll();
    const backwards = isBackwards(options);
    const position = all?.getPosition();
    let at: number;
    if (position) {
      at = this.#indexAt(Number(position.getCommitPosition()));
      if (backwards) at--;
    } else {
      at = all?.hasStart() ? 0 : this.#log.length - 1;
    }
    if (backwards) this.backwardReads++;
    const matches = filterOf(options);
    const step = backwards ? -1 : 1;
    let left = Number(options.getCount());
    for (; left > 0 && this.#log[at]; at += step) {
      const event = this.#log[at] as Recorded;
      if (!matches(event)) continue;
      if (!(await this.#sendOfLog(call, event))) return;
      left--;
    }
  }

  #sendOfLog(call: ReadCall, event: Recorded): Promise<boolean> {
    this.sentOfLog++;
    return send(call, shown(event, true));
  }

  async #subscribe(call: ReadCall, options: ReadOptions): Promise<void> {
    const all = options.getAll();
    this.subscriptions++;
    const matches = filterOf(options);
    const position = all?.getPosition();
    // Other than a read, a subscription goes on behind its position.
    let at = position
      ? this.#indexAt(Number(position.getCommitPosition())) + 1
      : all?.hasStart()
        ? 0
        : this.#log.length;

    const confirmation = new messages.ReadResp.SubscriptionConfirmation();
    await send(
      call,
      new messages.ReadResp().setConfirmation(confirmation.setSubscriptionId(crypto.randomUUID())),
    );
    const window = options.getFilter()?.getMax() || READ_BATCH;
    while (at < this.#log.length) {
      let checkpoint = this.#log[at] as Recorded;
      let found = 0;
      for (let looked = 0; looked < window && found < READ_BATCH && at < this.#log.length; looked++, at++) {
        const event = this.#log[at] as Recorded;
        if (!matches(event)) continue;
        found++;
        checkpoint = event;
        if (!(await this.#sendOfLog(call, event))) return;
      }
      if (options.hasFilter() && at < this.#log.length) {
        const note = new messages.ReadResp.Checkpoint();
        note.setCommitPosition(`${checkpoint.position}`).setPreparePosition(`${checkpoint.position}`);
        if (!(await send(call, new messages.ReadResp().setCheckpoint(note)))) return;
      }
    }

    await send(call, new messages.ReadResp().setCaughtUp(new messages.ReadResp.CaughtUp()));
    if (!call.cancelled) await new Promise<void>((resolve) => call.on('cancelled', resolve));
  }

  /** Where in the log the event at a position stands. */
  #indexAt(position: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#log[middle] as Recorded).position < position) low = middle + 1;
      else high = middle;
    }
    if (this.#log[low]?.position !== position) {
      throw refusal(status.UNKNOWN, undefined, {}, 'Unexpected ReadAllResult: Error');
    }
    return low;
  }
}

/** What a call asks for: all, or streams with some prefixes. */
function filterOf(options: ReadOptions): (event: Recorded) => boolean {
  const prefixes = options.getFilter()?.getStreamIdentifier()?.getPrefixList() ?? [''];
  return ({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix));
}

const isBackwards = (options: ReadOptions): boolean =>
  options.getReadDirection() === messages.ReadReq.Options.ReadDirection.BACKWARDS;

function nameOf(
  options: { getStreamIdentifier(): { getStreamName_asU8(): Uint8Array } | undefined } | undefined,
): string {
  return Buffer.from(options?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();
}

function identifier(stream: string): InstanceType<typeof shared.StreamIdentifier> {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream).toString('base64'));
}

function shown(event: Recorded, withPosition: boolean): ReadResp {
  const position = withPosition ? `${event.position}` : NO_POSITION;
  const recorded = new messages.ReadResp.ReadEvent.RecordedEvent();
  recorded
    .setId(new shared.UUID().setString(event.id))
    .setStreamIdentifier(identifier(event.stream))
    .setStreamRevision(`${event.revision}`)
    .setCommitPosition(position)
    .setPreparePosition(position)
    .setCustomMetadata(event.customMetadata)
    .setData(event.data);
  for (const [name, value] of event.metadata) recorded.getMetadataMap().set(name, value);
  const read = new messages.ReadResp.ReadEvent().setEvent(recorded);
  if (withPosition) read.setCommitPosition(position);
  else read.setNoPosition(new shared.Empty());
  return new messages.ReadResp().setEvent(read);
}

/** Sends at the reader's pace. @returns false when the reader has gone */
async function send(call: ReadCall, response: ReadResp): Promise<boolean> {
  if (call.cancelled) return false;
  if (!call.write(response)) {
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        for (const event of ['drain', 'cancelled', 'close']) call.off(event, goOn);
        resolve();
      };
      for (const event of ['drain', 'cancelled', 'close']) call.on(event, goOn);
    });
  }
  return !call.cancelled;
}

/** What the server says of an append that it has not stored. */
function failed(what: string, details: { serializeBinary(): Uint8Array } = new shared.Empty()): AppendResp {
  // The client's package shows the type of the details by an instance alone: this is a status with empty ones.
  const error = statuses.Status.deserializeBinary(Uint8Array.of(0x1a, 0)).setMessage(what);
  error.getDetails()?.pack(details.serializeBinary(), `event_store.client.${what}`);
  return new messages.BatchAppendResp().setError(error);
}

function refusal(
  code: status,
  exception?: string,
  properties: Record<string, string> = {},
  details = exception ?? 'refused',
): Error {
  const metadata = new Metadata();
  if (exception !== undefined) metadata.set('exception', exception);
  for (const [name, value] of Object.entries(properties)) metadata.set(name, value);
  return Object.assign(new Error(details), { code, details, metadata });
}
