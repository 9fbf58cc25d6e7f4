import { createHash } from 'node:crypto';
import type { EventData, JSONType, MetadataType } from '@eventstore/db-client';
import { binaryEvent, jsonEvent } from '@eventstore/db-client';
import { stringify } from 'uuid';
import type messages from '@eventstore/db-client/generated/streams_pb.js';
import type { NewEvent, Position } from '../../eventsourcing/event.js';
import { StoredEvent } from '../../eventsourcing/event.js';

export type RecordedEvent = InstanceType<typeof messages.ReadResp.ReadEvent.RecordedEvent>;

/** The key in EventStoreDB's metadata under which our event id stands. */
const ID = 'eventId';
const ID_LENGTH = 36;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * An event as EventStoreDB stores it. The client writes and reads JSON by values, not by characters:
 * what it would write differently is stored as bytes, so that every text comes back as it was.
 */
export function encode(event: NewEvent): EventData {
  const id = storedId(event);
  const { type } = event;
  const metadata = encodeMetadata(event);
  const value = valueOf(event.data);
  return value === undefined
    ? binaryEvent({ id, type, data: Buffer.from(event.data), metadata })
    : jsonEvent({ id, type, data: value, metadata });
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

/** The value of a JSON text that `JSON.stringify` turns into the same characters again. */
function valueOf(text: string): JSONType | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return JSON.stringify(value) === text ? (value as JSONType) : undefined;
}

function encodeMetadata({ id, metadata }: NewEvent): MetadataType {
  const value = valueOf(metadata);
  if (value === undefined || Array.isArray(value) || Object.hasOwn(value as object, ID)) {
    // The id stands in front, so that the client does not take it for JSON when it reads.
    return Buffer.from(id + metadata);
  }
  return { ...(value as Record<string, unknown>), [ID]: id };
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
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const id = text.slice(0, ID_LENGTH);
    return UUID.test(id) ? { id, text: text.slice(ID_LENGTH) } : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { [ID]: id, ...rest } = value as Record<string, unknown>;
  return typeof id === 'string' ? { id, text: JSON.stringify(rest) } : undefined;
}
