-- The embedded event store. Text columns hold JSON exactly as it was appended: hashes of it hold.
CREATE SCHEMA IF NOT EXISTS store;

CREATE TABLE IF NOT EXISTS store.events (
  position bigint PRIMARY KEY,
  stream   text   NOT NULL,
  revision bigint NOT NULL,
  id       uuid   NOT NULL UNIQUE,
  type     text   NOT NULL,
  data     text   NOT NULL,
  metadata text   NOT NULL,
  UNIQUE (stream, revision)
);
-- Journal batches are large; compressing them costs more than it saves. Only once: the statement locks
-- out everybody, and would wait for a dump that reads the table.
DO $$ BEGIN
  IF (SELECT attstorage <> 'e' FROM pg_attribute WHERE attrelid = 'store.events'::regclass AND attname = 'data') THEN
    ALTER TABLE store.events ALTER COLUMN data SET STORAGE EXTERNAL;
  END IF;
END $$;

-- Appends several batches in one commit, each all or nothing on its own.
--   streams[i], expected[i], sizes[i] describe batch i; its events lie next to each other in the
--   arrays ids, types, datas and metas.
-- One row for each batch: 'stored' | 'repeated' (stored before) | 'conflict' | 'reused', the last position, the stream's revision.
CREATE OR REPLACE FUNCTION store.append(
  streams text[], expected bigint[], sizes int[],
  ids uuid[], types text[], datas text[], metas text[]
) RETURNS TABLE (outcome text, last_position bigint, stream_revision bigint)
LANGUAGE plpgsql AS $$
DECLARE
  first int := 1;
  last int;
  head bigint;
  head_before bigint;
  actual bigint;
  same int;
  known int;
BEGIN
  -- The lock is taken before positions are drawn and falls at the commit, so that positions become
  -- visible in their order and a reader that goes on from the highest one it saw misses nothing.
  PERFORM pg_advisory_xact_lock(7310426001);
  SELECT e.position INTO head FROM store.events e ORDER BY e.position DESC LIMIT 1;
  head := coalesce(head, 0);
  head_before := head;

  FOR i IN 1 .. array_length(streams, 1) LOOP
    last := first + sizes[i] - 1;
    SELECT e.revision INTO actual FROM store.events e WHERE e.stream = streams[i] ORDER BY e.revision DESC LIMIT 1;
    actual := coalesce(actual, -1);

    IF actual = expected[i] AND NOT EXISTS (SELECT FROM store.events e WHERE e.id = ANY (ids[first:last])) THEN
      INSERT INTO store.events (position, stream, revision, id, type, data, metadata)
      SELECT head + (n - first + 1), streams[i], actual + (n - first + 1), ids[n], types[n], datas[n], metas[n]
        FROM generate_series(first, last) AS n;
      head := head + sizes[i];
      outcome := 'stored';
      last_position := head;
      stream_revision := actual + sizes[i];
    ELSE
      SELECT count(*),
             count(*) FILTER (WHERE e.stream = streams[i]
                                AND e.revision = expected[i] + (n.ord - first + 1)
                                AND e.type = types[n.ord]
                                AND e.data = datas[n.ord]),
             max(e.position)
        INTO known, same, last_position
        FROM generate_series(first, last) AS n(ord) JOIN store.events e ON e.id = ids[n.ord];
      IF same = sizes[i] THEN
        outcome := 'repeated';
        stream_revision := expected[i] + sizes[i];
      ELSE
        outcome := CASE WHEN known > 0 THEN 'reused' ELSE 'conflict' END;
        stream_revision := actual;
      END IF;
    END IF;
    RETURN NEXT;
    first := last + 1;
  END LOOP;
  -- Delivered by the commit; without a payload, so that what nobody has read yet counts once.
  IF head > head_before THEN
    PERFORM pg_notify('tollgraph_events', '');
  END IF;
END $$;

-- The same for a single event, as the usage journal appends it: one statement where all is as expected.
CREATE OR REPLACE FUNCTION store.append_one(
  to_stream text, expected_revision bigint, event_id uuid, event_type text, event_data text, event_meta text
) RETURNS TABLE (outcome text, last_position bigint, stream_revision bigint)
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7310426001);
  INSERT INTO store.events (position, stream, revision, id, type, data, metadata)
  SELECT (SELECT coalesce(max(e.position), 0) + 1 FROM store.events e),
         to_stream, expected_revision + 1, event_id, event_type, event_data, event_meta
   WHERE (SELECT coalesce(max(e.revision), -1) FROM store.events e WHERE e.stream = to_stream) = expected_revision
     AND NOT EXISTS (SELECT FROM store.events e WHERE e.id = event_id)
  RETURNING 'stored', position, revision INTO outcome, last_position, stream_revision;
  IF FOUND THEN
    PERFORM pg_notify('tollgraph_events', '');
    RETURN NEXT;
  ELSE
    RETURN QUERY SELECT * FROM store.append(
      ARRAY[to_stream], ARRAY[expected_revision], ARRAY[1],
      ARRAY[event_id], ARRAY[event_type], ARRAY[event_data], ARRAY[event_meta]);
  END IF;
END $$;
