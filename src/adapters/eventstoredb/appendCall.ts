import { randomUUID } from 'node:crypto';
import type { EventStoreDBClient } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Position } from '../../eventsourcing/event.js';
import { NO_STREAM } from '../../eventsourcing/eventStore.js';
import { NoAnswer, protocolOf } from './connection.js';
import type { EncodedEvent } from './encoding.js';

type Request = InstanceType<typeof messages.BatchAppendReq>;
type Answer = InstanceType<typeof messages.BatchAppendResp>;

/** What became of an append. */
export type AppendOutcome =
  /** The position is of its last event. */
  | { readonly kind: 'stored'; readonly position: Position }
  /** The stream is at another revision. */
  | { readonly kind: 'conflict'; readonly actual: number }
  | { readonly kind: 'too large' }
  /** Another try would only repeat it. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It may be stored or not: try again with the same ids. */
  | { readonly kind: 'unknown'; readonly error: unknown };

interface InFlight {
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: Error) => void;
}

/** Of a server that will not do it whenever it is asked. */
const REFUSALS: ReadonlySet<string> = new Set(['AccessDenied', 'InvalidTransaction', 'StreamDeleted']);

/**
 * One call that all appends of a connection share: a call for each costs more than the append. The client
 * does the same with one table of what is in flight for all its connections: when a call breaks, it fails
 * appends on healthy ones, and a late answer throws where nobody can catch it. Here each call has its own.
 *
 * No deadline goes with an append: the protocol wants a time of day, and the clocks may differ. The server's
 * own time-out holds, and here time is measured as it passes.
 */
export class AppendCall {
  readonly #inFlight = new Map<string, InFlight>();
  readonly #opening: Promise<ClientDuplexStream<Request, Answer>>;
  #lost: Error | undefined;
  /** When it was opened, or something came. */
  #heard = performance.now();

  /**
   * @param timeoutMs how long one append may take
   * @param onAnswer something came from the server
   */
  constructor(
    readonly client: EventStoreDBClient,
    private readonly timeoutMs: number,
    private readonly onAnswer: () => void,
  ) {
    const { GRPCStreamCreator, callArguments } = protocolOf(client);
    this.#opening = GRPCStreamCreator(services.StreamsClient, 'batchAppend', (streams) =>
      streams.batchAppend(...callArguments({ requiresLeader: false }, { deadline: Infinity })),
    )();
    this.#opening.then(
      (call) => {
        call.on('data', (answer: Answer) => this.#settle(answer));
        call.on('error', (error) => this.lose(error));
        call.on('end', () => this.lose(new Error('the server has ended the call')));
      },
      (error: Error) => this.lose(error),
    );
  }

  /** Whether another call is needed for what comes next. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws NoAnswer and others: whether it is stored is not known */
  async append(stream: string, expected: number, events: readonly EncodedEvent[]): Promise<AppendOutcome> {
    const id = randomUUID();
    const since = performance.now();
    const late = (): void => {
      if (!this.#inFlight.has(id)) return;
      this.#fail(id, new NoAnswer(this.timeoutMs));
      // Others may be answered while this one waits in the server; where none is, the call is of no use.
      if (this.#heard < since) this.lose(new NoAnswer(this.timeoutMs));
    };
    // Behind what has arrived meanwhile, if it is this process that was busy.
    const timer = setTimeout(() => setImmediate(late), this.timeoutMs);
    try {
      return await new Promise<AppendOutcome>((resolve, reject) => {
        if (this.#lost) throw this.#lost;
        this.#inFlight.set(id, { resolve, reject });
        const request = requestOf(id, stream, expected, events);
        this.#opening.then(
          (call) => this.#inFlight.has(id) && call.write(request),
          // Has been lost.
          () => undefined,
        );
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing comes on it any more: of all that is in flight the outcome is unknown. */
  lose(error: Error): void {
    this.#lost ??= error;
    for (const id of this.#inFlight.keys()) this.#fail(id, error);
    this.#opening.then(
      (call) => call.cancel(),
      () => undefined,
    );
  }

  /** Says to the server that nothing follows. */
  close(): void {
    this.#lost ??= new Error('the event store is closed');
    this.#opening.then(
      (call) => call.end(),
      () => undefined,
    );
  }

  #fail(id: string, error: Error): void {
    const waiting = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    waiting?.reject(error);
  }

  #settle(answer: Answer): void {
    this.#heard = performance.now();
    this.onAnswer();
    const id = answer.getCorrelationId()?.getString() ?? '';
    const waiting = this.#inFlight.get(id);
    // It may come after its time.
    if (!waiting) return;
    this.#inFlight.delete(id);
    waiting.resolve(outcomeOf(answer));
  }
}

function requestOf(
  id: string,
  stream: string,
  expected: number,
  events: readonly EncodedEvent[],
): InstanceType<typeof messages.BatchAppendReq> {
  const options = new messages.BatchAppendReq.Options();
  const name = new shared.StreamIdentifier();
  name.setStreamName(Buffer.from(stream));
  options.setStreamIdentifier(name);
  if (expected === NO_STREAM) options.setNoStream(new shared.Empty());
  else options.setStreamPosition(`${expected}`);

  const request = new messages.BatchAppendReq();
  request.setCorrelationId(uuid(id));
  request.setOptions(options);
  for (const event of events) {
    const message = new messages.BatchAppendReq.ProposedMessage();
    message.setId(uuid(event.id));
    message.getMetadataMap().set('type', event.type).set('content-type', event.contentType);
    message.setData(event.data);
    message.setCustomMetadata(event.metadata);
    request.addProposedMessages(message);
  }
  request.setIsFinal(true);
  return request;
}

function uuid(text: string): InstanceType<typeof shared.UUID> {
  const id = new shared.UUID();
  id.setString(text);
  return id;
}

function outcomeOf(answer: Answer): AppendOutcome {
  const success = answer.getSuccess();
  if (success) {
    const position = success.getPosition();
    if (position) return { kind: 'stored', position: Number(position.getCommitPosition()) };
    return unknown('the first try of this append is not yet replicated');
  }
  const error = answer.getError();
  const details = error?.getDetails();
  const what = details?.getTypeName().replace('event_store.client.', '') ?? '';
  if (what === 'WrongExpectedVersion') {
    const conflict = shared.WrongExpectedVersion.deserializeBinary(
      details?.getValue_asU8() ?? new Uint8Array(),
    );
    const actual = conflict.hasCurrentStreamRevision()
      ? Number(conflict.getCurrentStreamRevision())
      : NO_STREAM;
    return { kind: 'conflict', actual };
  }
  if (what === 'MaximumAppendSizeExceeded') return { kind: 'too large' };
  if (REFUSALS.has(what)) return { kind: 'refused', why: what };
  return unknown(`the event store said "${error?.getMessage() ?? ''}" of an append`);
}

const unknown = (message: string): AppendOutcome => ({ kind: 'unknown', error: new Error(message) });
