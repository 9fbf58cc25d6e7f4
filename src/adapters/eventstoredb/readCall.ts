import type { EventStoreDBClient, ReadPosition } from '@eventstore/db-client';
import { END, START } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { protocolOf } from './connection.js';

export type ReadResp = InstanceType<typeof messages.ReadResp>;
type Options = InstanceType<typeof messages.ReadReq.Options>;

/** Events that the server looks at before it says how far it is; with a long silence it would seem dead. */
const SEARCH_WINDOW = 1_000;

/** A read of one stream. */
export interface StreamRead {
  readonly stream: string;
  /** A revision, inclusive. */
  readonly from: number | typeof END;
  readonly backwards?: boolean;
  readonly count: number;
}

/** A read of the log. */
export interface LogRead {
  /** Forwards it begins with the event at a position, backwards with the one before it. */
  readonly from: ReadPosition;
  readonly backwards?: boolean;
  /** Without a number the call goes on for ever, says how far it is, and when it has caught up. */
  readonly count?: number;
  /** Of streams with these prefixes alone; without them everything. */
  readonly prefixes?: readonly string[];
  /** Whether the answer must be the leader's own. */
  readonly leader: boolean;
}

/**
 * Opens a read by the protocol itself. The client's own `readAll` knows no filter, which makes a hundred
 * times the difference where a log holds much of others, and its subscriptions do not tell in which order
 * events, checkpoints and the end have come.
 */
export function openRead(
  client: EventStoreDBClient,
  read: StreamRead | LogRead,
): Promise<ClientReadableStream<ReadResp>> {
  const options = new messages.ReadReq.Options();
  const uuids = new messages.ReadReq.Options.UUIDOption();
  uuids.setString(new shared.Empty());
  options.setUuidOption(uuids);
  options.setReadDirection(read.backwards === true ? 1 : 0);
  if (read.count === undefined) options.setSubscription(new messages.ReadReq.Options.SubscriptionOptions());
  else options.setCount(`${read.count}`);
  if ('stream' in read) ofStream(options, read);
  else ofLog(options, read);
  const request = new messages.ReadReq();
  request.setOptions(options);

  const { GRPCStreamCreator, callArguments } = protocolOf(client);
  const requiresLeader = 'stream' in read || read.leader;
  const open = GRPCStreamCreator(services.StreamsClient, 'read', (streams) =>
    streams.read(request, ...callArguments({ requiresLeader }, { deadline: Infinity })),
  );
  return open();
}

function ofStream(options: Options, { stream, from }: StreamRead): void {
  const name = new shared.StreamIdentifier();
  name.setStreamName(Buffer.from(stream));
  const one = new messages.ReadReq.Options.StreamOptions();
  one.setStreamIdentifier(name);
  if (from === END) one.setEnd(new shared.Empty());
  else one.setRevision(`${from}`);
  options.setStream(one);
  options.setNoFilter(new shared.Empty());
}

function ofLog(options: Options, { from, prefixes }: LogRead): void {
  const all = new messages.ReadReq.Options.AllOptions();
  if (from === START) all.setStart(new shared.Empty());
  else if (from === END) all.setEnd(new shared.Empty());
  else {
    const position = new messages.ReadReq.Options.Position();
    position.setCommitPosition(`${from.commit}`);
    position.setPreparePosition(`${from.prepare}`);
    all.setPosition(position);
  }
  options.setAll(all);
  if (prefixes === undefined) {
    options.setNoFilter(new shared.Empty());
    return;
  }
  const names = new messages.ReadReq.Options.FilterOptions.Expression();
  names.setPrefixList([...prefixes]);
  const filter = new messages.ReadReq.Options.FilterOptions();
  filter.setStreamIdentifier(names);
  filter.setMax(SEARCH_WINDOW);
  filter.setCheckpointintervalmultiplier(1);
  options.setFilter(filter);
}
