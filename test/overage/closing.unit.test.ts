import { fold } from '../../src/eventsourcing/decider.js';
import { closedPeriod } from '../../src/overage/closedPeriod.js';
import type { UseCorrection } from '../../src/overage/corrections.js';
import { overageDecider } from '../../src/overage/decide.js';
import type { OverageEvent } from '../../src/overage/events.js';
import { Statements } from '../../src/overage/statements.js';
import type { PaidLife } from '../../src/overage/terms.js';
import { periodOfLife } from '../../src/overage/terms.js';

const ANCHOR = Date.parse('2027-01-31T12:00:00.000Z');
const statements = new Statements({
  commands: undefined as never,
  ledger: undefined as never,
  profile: () => ({ plans: [], meters: [{ id: 'calls', unit: 'call', aggregation: 'sum' }] }) as never,
  now: () => ANCHOR,
});

/** A subscription to a plan that includes so much, as the newest profile says it. */
const lifeOf = (included: number): PaidLife => ({
  subscription: 'sub_1',
  currency: 'usd',
  interval: 'month',
  anchor: ANCHOR,
  endedAt: undefined,
  terms: [
    {
      revision: 3,
      eventId: 'e3',
      at: '2027-01-31T12:00:00.000Z',
      plan: 'pro',
      overage: [
        {
          limit: 'calls-month',
          meter: 'calls',
          currency: 'usd',
          per: 1,
          mode: 'graduated',
          included,
          tiers: [{ unitAmount: '3', flatAmount: 0 }],
        },
      ],
    },
  ],
});
const allowed: OverageEvent = {
  type: 'OverageAllowed',
  data: { cap: null, at: '2027-01-31T13:00:00.000Z', by: 'user:1' },
};

/** Closes the months one after the other. @returns the amounts of the lines of each */
function close(months: readonly { included: number; used: Readonly<Record<string, number>> }[]): number[][] {
  const events: OverageEvent[] = [allowed];
  return months.map(({ included, used }) => {
    const life = lifeOf(included);
    const state = events.reduce(
      (before, event) => overageDecider.evolve(before, event),
      fold(overageDecider, []),
    );
    const last = [...state.closed.values()].at(-1);
    const period = periodOfLife(life, last ? Date.parse(last.to) : ANCHOR);
    const use = { seen: 1, amount: (_: string, part: string) => BigInt(used[part.split(':')[2] ?? ''] ?? 0) };
    const account = { accountId: 'a', lives: [life], state };
    const data = closedPeriod(statements, account, { life, period }, use, () => 0);
    // What is stored is JSON.
    events.push({ type: 'PeriodClosed', data: JSON.parse(JSON.stringify(data)) as typeof data });
    return data.lines.map(({ amount }) => amount);
  });
}

it('bills closed periods by what was included then, whatever the profile says later', () => {
  const used = { 0: 600, 1: 650 };
  expect(
    close([
      { included: 500, used },
      { included: 500, used },
      { included: 700, used },
    ]),
  ).toEqual([[300], [450], []]);
});

it('corrects a closed period by the same', () => {
  const corrected = { 0: 580, 1: 0 };
  expect(
    close([
      { included: 500, used: { 0: 600 } },
      { included: 700, used: corrected },
    ]),
  ).toEqual([[300], [-60]]);
});

it('corrects a period however long ago it was closed, where a correction names it, and cites it', () => {
  const life = lifeOf(500);
  const events: OverageEvent[] = [allowed];
  const closing = (n: number, used: Readonly<Record<string, number>>, by: readonly UseCorrection[] = []) => {
    const state = fold(overageDecider, []);
    const now = events.reduce((before, event) => overageDecider.evolve(before, event), state);
    const last = [...now.closed.values()].at(-1);
    const period = periodOfLife(life, last ? Date.parse(last.to) : ANCHOR);
    const use = {
      seen: n + 1,
      amount: (_: string, part: string) => BigInt(used[part.split(':')[2] ?? ''] ?? 0),
    };
    const account = { accountId: 'a', lives: [life], state: now };
    const data = closedPeriod(statements, account, { life, period }, use, () => 0, by);
    events.push({ type: 'PeriodClosed', data: JSON.parse(JSON.stringify(data)) as typeof data });
    return data.lines;
  };
  for (let n = 0; n < 5; n++) closing(n, { 0: 600 });
  // Whatever else has changed of it, nobody has said so.
  expect(closing(5, { 0: 580 })).toEqual([]);
  const named = { eventId: 'reversed', position: 6, periods: [`month:${ANCHOR}:0:3`] };
  const unseen = { eventId: 'not seen', position: 99, periods: named.periods };
  const [line, ...others] = closing(6, { 0: 580 }, [named, unseen]);
  expect(others).toEqual([]);
  expect(line).toMatchObject({ kind: 'adjustment', amount: -60, events: ['e3', 'reversed'] });
});
