import Stripe from 'stripe';
import { stripeOverage } from '../../src/adapters/stripe/overage.js';
import { OVERAGE } from '../../src/adapters/stripe/overageItems.js';

/** Of an invoice with more lines than come with it, the last of which is of overage. */
const plan = { id: 'il_1', amount: 2900, metadata: {}, taxes: [] };
const overage = {
  id: 'il_11',
  amount: 1000,
  metadata: { [OVERAGE]: 'e1' },
  taxes: [{ amount: 190, tax_behavior: 'exclusive' }],
};

interface Note {
  readonly amount?: number;
  readonly lines?: readonly { readonly invoice_line_item?: string; readonly amount?: number }[];
  readonly refund_amount?: number;
}

/** Gives 500 back. @param stripes what Stripe says of tax: undefined where it does not take lines */
async function giveBack(stripes: { tax: number } | undefined, paid = 5000) {
  const notes: Note[] = [];
  const withTax = (tax: number) => ({
    total: 500 + tax,
    total_taxes: [{ amount: tax, tax_behavior: 'exclusive' }],
  });
  const stripe = {
    invoiceItems: {
      list: () =>
        Promise.resolve({ data: [{ metadata: { [OVERAGE]: 'e1' }, invoice: 'in_1' }], has_more: false }),
      create: () => Promise.resolve({}),
    },
    invoices: {
      retrieve: () =>
        Promise.resolve({
          id: 'in_1',
          status: 'paid',
          amount_paid: paid,
          post_payment_credit_notes_amount: 0,
          lines: { data: [plan], has_more: true },
        }),
      listLineItems: () => ({ autoPagingToArray: () => Promise.resolve([plan, overage]) }),
    },
    creditNotes: {
      list: () => Promise.resolve({ data: [] }),
      preview: () =>
        stripes === undefined
          ? Promise.reject(new Stripe.errors.StripeInvalidRequestError({ message: 'no' }))
          : Promise.resolve(withTax(stripes.tax)),
      create: (note: Note) => {
        notes.push(note);
        const { amount = 0 } = note;
        return Promise.resolve({ id: 'cn_1', amount, total: amount, total_taxes: [] });
      },
    },
  } as unknown as Stripe;
  const line = { amount: -500, from: '2027-01-01T00:00:00.000Z', to: '2027-02-01T00:00:00.000Z' };
  const to = { customer: 'cus_1', currency: 'usd', eventId: 'e2', lines: [line] };
  return { back: await stripeOverage(stripe).giveBack(to as never, ['e1']), notes };
}

it('gives back the tax that Stripe reports, also where the line stands behind the first ones', async () => {
  // In proportion it were 95.
  const { back, notes } = await giveBack({ tax: 94 });
  expect(notes).toMatchObject([{ lines: [{ invoice_line_item: 'il_11', amount: 500 }], refund_amount: 594 }]);
  expect(back).toEqual({ creditNotes: ['cn_1'], owed: 0 });
});

it('gives it back in proportion where Stripe does not say', async () => {
  const { back, notes } = await giveBack(undefined);
  expect(notes).toMatchObject([{ amount: 595, refund_amount: 595 }]);
  expect(back).toEqual({ creditNotes: ['cn_1'], owed: 0 });
});

it('gives back no more than was paid', async () => {
  const { back, notes } = await giveBack({ tax: 94 }, 119);
  expect(notes).toMatchObject([{ amount: 119, refund_amount: 119 }]);
  expect(back).toEqual({ creditNotes: ['cn_1'], owed: 400 });
});
