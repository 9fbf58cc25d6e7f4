import fc from 'fast-check';
import type { DisputeStatus } from '../../src/disputes/decide.js';
import { disputeDecider } from '../../src/disputes/decide.js';
import type { Disputed, DisputeEvent } from '../../src/disputes/events.js';

const disputed: Disputed = {
  accountId: 'a',
  subject: 'credits',
  amount: 1000,
  currency: 'usd',
  reason: 'fraudulent',
  respondBy: '2027-02-08T00:00:00.000Z',
  charge: 'ch_1',
  payment: 'pi_1',
  invoice: null,
};

/** What is recorded where a dispute is seen to stand one way after the other. */
function recorded(statuses: readonly DisputeStatus[]): string[] {
  const events: DisputeEvent[] = [];
  for (const status of statuses) {
    const state = events.reduce(
      (before, event) => disputeDecider.evolve(before, event),
      disputeDecider.initial,
    );
    const decision = disputeDecider.decide(state, { type: 'RecordDispute', status, disputed });
    if (decision.kind === 'refused') throw new Error(decision.refusal.code);
    events.push(...decision.events);
  }
  return events.map(({ type }) => type);
}

it.each<[readonly DisputeStatus[], readonly string[]]>([
  [['inquiry', 'inquiry'], ['InquiryOpened']],
  [
    ['inquiry', 'inquiry_closed', 'inquiry'],
    ['InquiryOpened', 'InquiryClosed'],
  ],
  [['inquiry_closed'], ['InquiryOpened', 'InquiryClosed']],
  [
    ['inquiry', 'open', 'inquiry', 'lost'],
    ['InquiryOpened', 'DisputeOpened', 'DisputeLost'],
  ],
  // One that was closed can become a dispute all the same.
  [
    ['inquiry_closed', 'open'],
    ['InquiryOpened', 'InquiryClosed', 'DisputeOpened'],
  ],
  [
    ['open', 'open', 'won', 'won'],
    ['DisputeOpened', 'DisputeWon'],
  ],
  [['won'], ['DisputeOpened', 'DisputeWon']],
  // The webhook about its beginning comes last: it was fetched as it stands by then.
  [
    ['lost', 'lost', 'lost'],
    ['DisputeOpened', 'DisputeLost'],
  ],
])('%j is recorded as %j', (statuses, events) => {
  expect(recorded(statuses)).toEqual(events);
});

test('whatever is seen, it begins once, ends once, and nothing follows its end', () => {
  const status = fc.constantFrom<DisputeStatus>('inquiry', 'inquiry_closed', 'open', 'won', 'lost');
  fc.assert(
    fc.property(fc.array(status, { maxLength: 12 }), (statuses) => {
      const types = recorded(statuses);
      const first = statuses.find((one) => one === 'won' || one === 'lost');
      const taken = statuses.findIndex((one) => !one.startsWith('inquiry'));
      const asked = taken < 0 ? statuses : statuses.slice(0, taken);
      expect(types).toEqual([
        ...(asked.length > 0 ? ['InquiryOpened'] : []),
        ...(asked.includes('inquiry_closed') ? ['InquiryClosed'] : []),
        ...(taken < 0 ? [] : ['DisputeOpened']),
        ...(first === undefined ? [] : [first === 'won' ? 'DisputeWon' : 'DisputeLost']),
      ]);
    }),
  );
});
