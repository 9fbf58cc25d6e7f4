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

-- All of these functions look up a few rows of a table that grows from nothing to millions under plans
-- that stay cached: without sequential scans a plan made for the small table is right for the large one.

-- Appends several batches in one commit, each all or nothing on its own.
--   streams[i], expected[i], sizes[i] describe batch i; its events lie next to each other in the
--   arrays ids, types, datas and metas.
-- One row for each batch: 'stored' | 'repeated' (stored before) | 'conflict' | 'reused', the last position, the stream's revision.
CREATE OR REPLACE FUNCTION store.append(
  streams text[], expected bigint[], sizes int[],
  ids uuid[], types text[], datas text[], metas text[]
) RETURNS TABLE (outcome text, last_position bigint, stream_revision bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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

-- The same where all is as expected, which it nearly always is: one INSERT for all batches. The unique
-- constraints find a taken revision and a known id, the sub-select finds a missing predecessor. Returns
-- the last position, or null with nothing stored when one event does not fit; store.append tells which.
--   batches: [{s: stream, r: revision, i: id, t: type, d: data, m: metadata, f: first of its batch}, …]
--   total: how many there are, since counting them would parse them a second time
CREATE OR REPLACE FUNCTION store.append_expected(batches json, total int) RETURNS bigint
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  head bigint;
  inserted int;
BEGIN
  PERFORM pg_advisory_xact_lock(7310426001);
  SELECT coalesce(max(e.position), 0) INTO head FROM store.events e;
  INSERT INTO store.events (position, stream, revision, id, type, data, metadata)
  SELECT head + n.ordinality, n.s, n.r, n.i, n.t, n.d, n.m
    FROM ROWS FROM (
           json_to_recordset(batches) AS (s text, r bigint, i uuid, t text, d text, m text, f boolean)
         ) WITH ORDINALITY AS n
   WHERE NOT n.f OR n.r = 0
      OR (SELECT true FROM store.events e WHERE e.stream = n.s AND e.revision = n.r - 1);
  GET DIAGNOSTICS inserted = ROW_COUNT;
  IF inserted < total THEN
    RAISE unique_violation;
  END IF;
  PERFORM pg_notify('tollgraph_events', '');
  RETURN head + inserted;
EXCEPTION WHEN unique_violation THEN
  RETURN NULL;
END $$;

-- And for a single event, as the usage journal appends it: its data are large and go as they are.
CREATE OR REPLACE FUNCTION store.append_expected(
  to_stream text, at_revision bigint, event_id uuid, event_type text, event_data text, event_meta text
) RETURNS bigint
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  appended bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(7310426001);
  INSERT INTO store.events (position, stream, revision, id, type, data, metadata)
  SELECT (SELECT coalesce(max(e.position), 0) + 1 FROM store.events e),
         to_stream, at_revision, event_id, event_type, event_data, event_meta
   WHERE at_revision = 0
      OR (SELECT true FROM store.events e WHERE e.stream = to_stream AND e.revision = at_revision - 1)
  RETURNING position INTO appended;
  IF appended IS NOT NULL THEN
    PERFORM pg_notify('tollgraph_events', '');
  END IF;
  RETURN appended;
EXCEPTION WHEN unique_violation THEN
  RETURN NULL;
END $$;
