import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PUBLIC_EVENTS } from '../../src/capabilities.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';

interface Entry {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/** One event of every type, as it is stored. */
const ENTRIES = JSON.parse(
  readFileSync(join('test', 'eventsourcing', 'everyEventVersion.json'), 'utf8'),
) as readonly Entry[];

const told = ENTRIES.filter(({ type }) => type in PUBLIC_EVENTS);

/** The stream up to an entry. */
function historyOf(entry: Entry): StoredEvent[] {
  const stream = ENTRIES.slice(0, ENTRIES.indexOf(entry) + 1).filter((one) => one.stream === entry.stream);
  return stream.map(
    ({ stream: name, id, type, data, metadata }, revision) =>
      new StoredEvent(revision + 1, name, revision, id, type, data, metadata),
  );
}

it('there is a stored event of every type that is told', () => {
  expect(new Set(told.map(({ type }) => type))).toEqual(new Set(Object.keys(PUBLIC_EVENTS)));
});

it.each(told.map((entry) => [entry.type, entry] as const))(
  'what is told of %s belongs to an account, and has no secret and nothing that is sealed',
  (type, entry) => {
    const history = historyOf(entry);
    const event = PUBLIC_EVENTS[type];
    expect(event?.account(history.at(-1) as StoredEvent)).toMatch(/^[0-9a-z-]{8,}$/i);
    const state = event?.state(history);
    expect(Object.keys(state ?? {}).length).toBeGreaterThan(1);
    const text = JSON.stringify(state);
    expect(text).not.toMatch(/v1:|hash|pepper|secret|email/i);
    // As answers show them (decision 39).
    const { id = 'in_', accountId = 'acc_', userId = 'usr_' } = (state ?? {}) as Record<string, unknown>;
    expect([id, accountId, userId]).toEqual([
      expect.stringMatching(/^(acc|in|key|whe)_/),
      expect.stringMatching(/^acc_/),
      expect.stringMatching(/^usr_/),
    ]);
  },
);
