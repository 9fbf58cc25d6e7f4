import { finished, Readable } from 'node:stream';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { MEMBERS } from '../graphql/kit/access.js';
import { ApiError, invalidInput } from '../graphql/kit/errors.js';
import type { Logger } from '../logger.js';
import { onlyParameters } from '../rest/commandRoute.js';
import type { Route } from '../rest/route.js';
import { guarded } from '../rest/route.js';

/** What is read, and held, at once. */
const PAGE_EVENTS = 500;
const PAGE_BYTES = 1024 * 1024;
/** An answer that follows ends so long after its beginning: who may read is judged anew for the next one. */
export const FOLLOW_MS = 20_000;
/** Between two looks, where no event has woken it. */
const LOOK_MS = 1_000;
/** Answers of this process that follow, at once. */
export const MAX_FOLLOWERS = 20;
export const MAX_TYPES = 100;
const TYPE = /^[A-Z][A-Za-z0-9]{0,99}$/;

/** What reads the log. */
export type ReadsLog = Pick<EventStore, 'readAll' | 'readStream' | 'readTypes' | 'head' | 'onWake'>;

const QUERY = {
  after: 'The position of a line, behind which to go on.',
  types: `Up to ${MAX_TYPES} types of events, with commas between; by default all.`,
  follow: `1: goes on with what happens now, for ${FOLLOW_MS / 1000} seconds.`,
};

interface Asked {
  readonly after: Position;
  /** Undefined for all. */
  readonly types: ReadonlySet<string> | undefined;
  readonly follow: boolean;
}

/**
 * `/v1/events.ndjson`: every event in the order of the log, one a line, for operators. `after` resumes behind the
 * `position` of a line; `types` narrows to some types; with `follow=1` the answer goes on with what happens now.
 * Personal fields stay sealed.
 */
export function historyRoute(
  log: ReadsLog,
  positions: PositionTokens,
  logger: Logger,
  followMs = FOLLOW_MS,
): Route {
  let followers = 0;

  async function* lines(asked: Asked, gone: AbortSignal): AsyncGenerator<string> {
    // The head of an answer leaves with its first byte; what follows may take long.
    if (asked.follow) yield '\n';
    for await (const page of pages(log, asked, followMs, gone)) {
      yield page.map((event) => `${lineOf(event, positions)}\n`).join('');
    }
  }

  return guarded(
    'GET',
    '/v1/events.ndjson',
    {
      access: { scope: 'admin', roles: MEMBERS, operator: true },
      spec: {
        summary:
          'Every event in the order of the log, one a line, with personal fields sealed; a blank line says nothing. For operators.',
        query: QUERY,
        text: 'application/x-ndjson',
      },
    },
    ({ query, http }) => {
      const asked = askedOf(query, positions);
      if (asked.follow && followers >= MAX_FOLLOWERS) throw new ApiError('TOO_MANY_CONNECTIONS');
      const gone = new AbortController();
      const body = Readable.from(lines(asked, gone.signal), { objectMode: false });
      if (asked.follow) followers++;
      // Of the answer and not of the body, which nobody reads where whoever asked has gone away before.
      finished(http.reply.raw, () => {
        if (asked.follow) followers--;
        gone.abort();
        body.destroy();
      });
      body.on('error', (error) => logger.error('an export of the events ended early', error));
      return {
        headers: {
          'content-type': 'application/x-ndjson; charset=utf-8',
          'cache-control': 'no-store',
        },
        body,
      };
    },
  );
}

async function* pages(
  log: ReadsLog,
  { after, types, follow }: Asked,
  followMs: number,
  gone: AbortSignal,
): AsyncGenerator<readonly StoredEvent[]> {
  const end = performance.now() + followMs;
  let wake: (() => void) | undefined;
  const unsubscribe = log.onWake(() => wake?.());
  gone.addEventListener('abort', () => wake?.());
  try {
    for (let place = after; !gone.aborted;) {
      // Before the page is read: what comes meanwhile is not slept through.
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const head = await log.head();
      const page =
        types === undefined
          ? await log.readAll(place, PAGE_EVENTS, PAGE_BYTES)
          : await log.readTypes(types, place, head, PAGE_EVENTS, PAGE_BYTES);
      const last = page.at(-1);
      if (last) {
        place = last.position;
        yield page;
        continue;
      }
      place = Math.max(place, types === undefined ? START : head);
      const left = end - performance.now();
      if (!follow || left <= 0) return;
      await within(Math.min(left, LOOK_MS), woken);
    }
  } finally {
    unsubscribe();
  }
}

async function within(ms: number, woken: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([woken, timeUp]);
  clearTimeout(timer);
}

function lineOf(event: StoredEvent, positions: PositionTokens): string {
  const { position, id, stream, revision, type, metadata, data } = event;
  const { at, environment, caller = null, reason = null, correlationId, causationId = null } = metadata;
  return JSON.stringify({
    position: positions.encode(position),
    id,
    stream,
    revision,
    type,
    at,
    environment,
    actor: caller,
    reason,
    correlationId,
    causationId,
    data,
  });
}

/** @throws ApiError INVALID_INPUT */
function askedOf(query: Readonly<Record<string, unknown>>, positions: PositionTokens): Asked {
  onlyParameters({ query }, Object.keys(QUERY));
  const { after, types, follow } = query;
  if (follow !== undefined && follow !== '0' && follow !== '1') {
    throw invalidInput('follow', '"follow" must be 0 or 1.');
  }
  return { after: placeOf(after, positions), types: typesOf(types), follow: follow === '1' };
}

function placeOf(after: unknown, positions: PositionTokens): Position {
  if (after === undefined || after === '') return START;
  const place = typeof after === 'string' ? positions.decode(after) : undefined;
  if (place === undefined) {
    throw invalidInput('after', '"after" must be the position of a line, of this service.');
  }
  return place;
}

function typesOf(types: unknown): ReadonlySet<string> | undefined {
  if (types === undefined || types === '') return undefined;
  const named = typeof types === 'string' ? types.split(',') : [];
  if (named.length === 0 || named.length > MAX_TYPES || !named.every((type) => TYPE.test(type))) {
    throw invalidInput(
      'types',
      `"types" must be 1 to ${MAX_TYPES} types like KeyIssued, with commas between.`,
    );
  }
  return new Set(named);
}
