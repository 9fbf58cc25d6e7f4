import { Identities } from '../../src/identities/identities.js';
import { TestTime } from '../usage/testTime.js';

const NOON = Date.UTC(2026, 10, 22, 12);
const HOUR = 3_600_000;

let time: TestTime;
let identities: Identities;
beforeEach(() => {
  time = new TestTime(NOON);
  identities = new Identities(
    () => time.clock,
    () => time.elapsed,
  );
});
const endAll = (): void => identities.load([], [{ userId: 'u1', at: time.clock }]);

it('what was begun before the end of all sessions is over, what began afterwards is not', () => {
  endAll();
  time.pass(HOUR);
  expect([NOON - 1, NOON, NOON + 1].map((since) => identities.endedSince('u1', since))).toEqual([
    true,
    true,
    false,
  ]);
});

it('an end from a clock that was ahead refuses nobody who has signed in since', () => {
  time.set(HOUR);
  endAll();
  time.set(-HOUR);
  time.pass(60_000);
  expect(identities.endedSince('u1', NOON - 1)).toBe(true);
  expect(identities.endedSince('u1', NOON + 1_000)).toBe(false);
  // After a restart: who signs in from then on.
  identities = new Identities(
    () => time.clock,
    () => time.elapsed,
  );
  identities.load([], [{ userId: 'u1', at: NOON + HOUR }]);
  time.pass(60_000);
  expect(identities.endedSince('u1', NOON + 60_000)).toBe(true);
  expect(identities.endedSince('u1', NOON + 61_000)).toBe(false);
});
