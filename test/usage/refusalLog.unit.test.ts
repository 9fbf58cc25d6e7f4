import type { Use } from '../../src/usage/events.js';
import { RefusalLog } from '../../src/usage/refusalLog.js';
import { newUse } from './uses.js';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 22, 12);

const refusal = (at: number, code = 'RATE_LIMITED', key = 'key'): Use =>
  newUse({
    at,
    key,
    meters: {},
    status: 'refused',
    refusal: { amount: 10, code, count: 1, limit: 'requests-minute', used: 10 },
  });

let noted: [account: string, use: Use][];
let log: RefusalLog;
beforeEach(() => {
  noted = [];
  log = new RefusalLog((account, use) => noted.push([account, use]));
});
const counts = (): (number | undefined)[] => noted.map(([, use]) => use.refusal?.count);
const add = (times: number, at: number, code?: string, key?: string): void => {
  for (let i = 0; i < times; i++) log.add('a', refusal(at + i, code, key));
};
const ones = (length: number): number[] => Array.from({ length }, () => 1);

it('notes the first ten refusals of a minute as they are', () => {
  const uses = Array.from({ length: 10 }, (_, i) => refusal(NOON + i));
  for (const use of uses) log.add('a', use);
  expect(noted).toEqual(uses.map((use) => ['a', use]));
  log.sweep(NOON + MINUTE);
  expect(noted.length).toBe(10);
});

it('notes the rest of the minute once, with their count and the newest of them', () => {
  add(10, NOON);
  const newest = refusal(NOON + 59_999);
  add(6, NOON + 10);
  log.add('a', newest);
  expect(noted.length).toBe(10);
  log.sweep(NOON + MINUTE);
  expect(counts()).toEqual([...ones(10), 7]);
  expect(noted.at(-1)).toEqual(['a', { ...newest, refusal: { ...newest.refusal, count: 7 } }]);
});

it('counts every refusal exactly once, whenever the sweeps come', () => {
  for (let at = 0; at < 5 * MINUTE; at += 1_700) {
    log.add('a', refusal(NOON + at));
    if (at % 3 === 0) log.sweep(NOON + at);
  }
  log.sweep(NOON + 6 * MINUTE);
  const total = counts().reduce<number>((sum, count) => sum + (count ?? 0), 0);
  expect(total).toBe(Math.ceil((5 * MINUTE) / 1_700));
});

it('counts keys and codes apart', () => {
  add(12, NOON, 'RATE_LIMITED', 'k1');
  add(12, NOON, 'QUOTA_EXCEEDED', 'k1');
  add(12, NOON, 'RATE_LIMITED', 'k2');
  expect(noted.length).toBe(30);
  log.sweep(NOON + MINUTE);
  expect(noted.slice(30).map(([, use]) => [use.key, use.refusal?.code, use.refusal?.count])).toEqual([
    ['k1', 'RATE_LIMITED', 2],
    ['k1', 'QUOTA_EXCEEDED', 2],
    ['k2', 'RATE_LIMITED', 2],
  ]);
});

it('begins anew with each minute of the clock, and sums the last one up without a sweep', () => {
  add(12, NOON + MINUTE - 12);
  log.add('a', refusal(NOON + MINUTE));
  expect(counts()).toEqual([...ones(10), 2, 1]);
  expect(noted.at(-1)?.[1].at).toBe(NOON + MINUTE);
  log.sweep(NOON + 2 * MINUTE);
  expect(noted.length).toBe(12);
});

it('does not sum up a minute that goes on', () => {
  add(12, NOON);
  log.sweep(NOON + MINUTE - 1);
  expect(noted.length).toBe(10);
  add(1, NOON + MINUTE - 1);
  log.sweep(NOON + MINUTE);
  log.sweep(NOON + MINUTE);
  expect(counts()).toEqual([...ones(10), 3]);
});

it('sums up a minute that only a clock was in that was ahead', () => {
  add(12, NOON + 60 * MINUTE);
  log.sweep(NOON + MINUTE);
  expect(counts()).toEqual([...ones(10), 2]);
});
