import type Stripe from 'stripe';
import { OVERAGE, stripeOverage } from '../../src/adapters/stripe/overage.js';

/** Of an invoice with more lines than come with it, the last of which is of overage. */
const plan = { id: 'il_1', amount: 2900, metadata: {}, taxes: [] };
const overage = {
  id: 'il_11',
  amount: 1000,
  metadata: { [OVERAGE]: 'e1' },
  taxes: [{ amount: 190, tax_behavior: 'exclusive' }],
};

it('gives back tax also where the line stands behind the first ones', async () => {
  const notes: { amount: number }[] = [];
  const stripe = {
    invoiceItems: {
      list: () =>
        Promise.resolve({ data: [{ metadata: { [OVERAGE]: 'e1' }, invoice: 'in_1' }], has_more: false }),
    },
    invoices: {
      retrieve: () =>
        Promise.resolve({
          id: 'in_1',
          status: 'paid',
          amount_paid: 5000,
          post_payment_credit_notes_amount: 0,
          lines: { data: [plan], has_more: true },
        }),
      listLineItems: () => ({ autoPagingToArray: () => Promise.resolve([plan, overage]) }),
    },
    creditNotes: {
      list: () => Promise.resolve({ data: [] }),
      create: (note: { amount: number }) => {
        notes.push(note);
        return Promise.resolve({ id: 'cn_1' });
      },
    },
  } as unknown as Stripe;
  const line = { amount: -500, from: '2027-01-01T00:00:00.000Z', to: '2027-02-01T00:00:00.000Z' };
  const to = { customer: 'cus_1', currency: 'usd', eventId: 'e2', lines: [line] };
  const back = await stripeOverage(stripe).giveBack(to as never, ['e1']);
  expect(notes).toMatchObject([{ amount: 595, refund_amount: 595 }]);
  expect(back).toEqual({ creditNotes: ['cn_1'], owed: 0 });
});
