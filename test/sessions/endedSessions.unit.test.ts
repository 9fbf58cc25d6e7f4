import fc from 'fast-check';
import { ENDED_KEPT_MS, EndedSessions } from '../../src/sessions/endedSessions.js';
import type { SessionEvent } from '../../src/sessions/events.js';
import type { UserEvent } from '../../src/accounts/events.js';
import { sessionStream } from '../../src/sessions/events.js';
import { userStream } from '../../src/accounts/events.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';

const NOON = Date.parse('2026-11-22T12:00:00Z');

let position = 0;
function stored(stream: string, { type, data }: SessionEvent | UserEvent, at: number): StoredEvent {
  const metadata = {
    schemaVersion: 1,
    at: new Date(at).toISOString(),
    environment: 'live',
    correlationId: 'c',
  };
  position++;
  return new StoredEvent(
    position,
    stream,
    0,
    `event-${position}`,
    type,
    JSON.stringify(data),
    JSON.stringify(metadata),
  );
}
const signedOut = (sessionId: string, at = NOON): StoredEvent =>
  stored(
    sessionStream(sessionId),
    { type: 'SessionEnded', data: { userId: 'u1', accountId: 'a1', reason: 'signed_out' } },
    at,
  );
const everywhere = (userId: string, epoch: number, at = NOON): StoredEvent =>
  stored(userStream(userId), { type: 'SessionsEnded', data: { accountId: 'a1', epoch } }, at);
const session = (sessionId: string, epoch = 0, userId = 'u1') => ({
  sessionId,
  userId,
  accountId: 'a1',
  epoch,
});

it('a session that was signed out has ended, no other', () => {
  const ended = new EndedSessions();
  ended.apply(signedOut('s1'));
  expect([ended.has(session('s1')), ended.has(session('s2'))]).toEqual([true, false]);
});

it('all sessions of earlier epochs have ended, those of the present one and of others go on', () => {
  const ended = new EndedSessions();
  ended.apply(everywhere('u1', 2));
  expect([0, 1, 2, 3].map((epoch) => ended.has(session('s1', epoch)))).toEqual([true, true, false, false]);
  expect(ended.has(session('s1', 0, 'u2'))).toBe(false);
});

it('an event that comes again, or late, changes nothing', () => {
  const ended = new EndedSessions();
  ended.apply(everywhere('u1', 2));
  ended.apply(everywhere('u1', 1));
  ended.apply(everywhere('u1', 2));
  expect(ended.has(session('s1', 1))).toBe(true);
  expect(ended.size).toBe(1);
});

it('what was loaded counts like what is applied', () => {
  const ended = new EndedSessions();
  ended.load({ sessions: [{ sessionId: 's1' }], epochs: [{ userId: 'u2', epoch: 1 }] });
  expect([ended.has(session('s1')), ended.has(session('s2', 0, 'u2'))]).toEqual([true, true]);
});

it('forgets what is older than any token, and nothing sooner', () => {
  const step = fc.record({
    id: fc.nat({ max: 5 }),
    wait: fc.nat({ max: ENDED_KEPT_MS }),
    all: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      let now = 0;
      const ended = new EndedSessions(() => now);
      const sessions = new Map<string, number>();
      const epochs = new Map<string, { epoch: number; at: number }>();
      for (const { id, wait, all } of steps) {
        now += wait;
        if (all) {
          const epoch = (epochs.get(`u${id}`)?.epoch ?? 0) + 1;
          epochs.set(`u${id}`, { epoch, at: now });
          ended.apply(everywhere(`u${id}`, epoch));
        } else if (!sessions.has(`s${id}`)) {
          sessions.set(`s${id}`, now);
          ended.apply(signedOut(`s${id}`));
        }
      }
      const young = (at: number): boolean => at >= now - ENDED_KEPT_MS;
      for (const [id, at] of sessions) {
        if (young(at)) expect(ended.has(session(id, 99, 'nobody'))).toBe(true);
      }
      for (const [id, { epoch, at }] of epochs) {
        if (young(at)) expect(ended.has(session('none', epoch - 1, id))).toBe(true);
      }
      now += 2 * ENDED_KEPT_MS;
      ended.apply(signedOut('last'));
      expect(ended.size).toBe(1);
    }),
  );
});

it.each([1, -1])('an end that is dated a day off brings no other session back: %i day', (days) => {
  const ended = new EndedSessions();
  ended.apply(signedOut('s1'));
  ended.apply(everywhere('u2', 1));
  ended.apply(signedOut('s3', NOON + days * 26 * 3_600_000));
  expect([ended.has(session('s1')), ended.has(session('s2', 0, 'u2')), ended.has(session('s3'))]).toEqual([
    true,
    true,
    true,
  ]);
});
