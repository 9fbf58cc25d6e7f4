import { createHash } from 'node:crypto';
import { stringify } from 'uuid';
import type messages from '@eventstore/db-client/generated/streams_pb.js';
import type { NewEvent, Position } from '../../eventsourcing/event.js';
import { StoredEvent } from '../../eventsourcing/event.js';

export type RecordedEvent = InstanceType<typeof messages.ReadResp.ReadEvent.RecordedEvent>;

/** The key in EventStoreDB's metadata under which our event id stands. */
const ID = 'eventId';
const ID_LENGTH = 36;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An event as EventStoreDB stores it. */
export interface EncodedEvent {
  readonly id: string;
  readonly type: string;
  /** What the server's own tools take the data for. */
  readonly contentType: 'application/json' | 'application/octet-stream';
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** An event whose every text comes back as it was: data are stored as they are, metadata with our id. */
export function encode(event: NewEvent): EncodedEvent {
  return {
    id: storedId(event),
    type: event.type,
    contentType: parsed(event.data) === undefined ? 'application/octet-stream' : 'application/json',
    data: Buffer.from(event.data),
    metadata: Buffer.from(encodeMetadata(event)),
  };
}

/**
 * EventStoreDB takes an id that it knows for a repetition without a look at the content, and answers
 * with a success that stored nothing. With the content in the id, other content is another event,
 * and so meets the expected revision. Our own id stands in the metadata.
 */
export function storedId({ id, type, data }: NewEvent): string {
  const hash = createHash('sha256').update(`${id}${type}\0`).update(data).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80; // version 8: of our own making (RFC 9562, section 5.8)
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return stringify(hash);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function encodeMetadata({ id, metadata }: NewEvent): string {
  const value = parsed(metadata);
  const isOurs =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !Object.hasOwn(value, ID) &&
    JSON.stringify(value) === metadata;
  // What would be read in other characters stands behind the id, so that it is not taken for JSON.
  return isOurs ? JSON.stringify({ ...value, [ID]: id }) : id + metadata;
}

/** An event of ours as it was given; undefined for what Tollgraph has not written. */
export function decode(record: RecordedEvent, position: Position): StoredEvent | undefined {
  const metadata = decodeMetadata(record.getCustomMetadata_asU8());
  return (
    metadata &&
    new StoredEvent(
      position,
      streamOf(record),
      Number(record.getStreamRevision()),
      metadata.id,
      record.getMetadataMap().get('type') ?? '',
      Buffer.from(record.getData_asU8()).toString(),
      metadata.text,
    )
  );
}

export const streamOf = (record: RecordedEvent): string =>
  Buffer.from(record.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();

/** Our event id, and the metadata in their own characters; undefined for what Tollgraph has not written. */
function decodeMetadata(bytes: Uint8Array): { id: string; text: string } | undefined {
  const text = Buffer.from(bytes).toString();
  const value = parsed(text);
  if (value === undefined) {
    const id = text.slice(0, ID_LENGTH);
    return UUID.test(id) ? { id, text: text.slice(ID_LENGTH) } : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { [ID]: id, ...rest } = value as Record<string, unknown>;
  return typeof id === 'string' ? { id, text: JSON.stringify(rest) } : undefined;
}
