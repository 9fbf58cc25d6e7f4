import type { Customer, Invoice, PaymentMethod, Subscription } from '../objects.js';
import { formatted } from '../rules/money.js';
import { amountRow, amountTable, sumRow } from './amounts.js';
import { cardFields, fault, testCards } from './checkoutPage.js';
import type { Html } from './html.js';
import { document, html } from './html.js';

export interface Portal {
  readonly base: string;
  readonly returnUrl: string | null;
  readonly customer: Customer;
  readonly subscriptions: readonly (Subscription & { readonly what: string })[];
  readonly methods: readonly PaymentMethod[];
  readonly invoices: readonly Invoice[];
}

const day = (seconds: number): Html => {
  const iso = new Date(seconds * 1000).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)}</time>`;
};

/** Where a customer ends a subscription, changes the card and reads invoices. */
export function portalPage(portal: Portal, problem?: string): string {
  const { base, customer, subscriptions, methods, invoices, returnUrl } = portal;
  return document(
    'Billing',
    html`<h1>Billing</h1>
      ${fault(problem)} ${customer.email !== null && html`<p class="soft">${customer.email}</p>`}
      <h2>Subscription</h2>
      ${subscriptions.length === 0 ? html`<p>There is none.</p>` : subscriptions.map((one) => subscriptionRow(base, one))}
      <h2>Cards</h2>
      ${
        methods.length === 0
          ? html`<p>There is none.</p>`
          : html`<ul>
              ${methods.map(({ id, card }) => {
                if (!card) return undefined;
                const until = `${`${card.exp_month}`.padStart(2, '0')}/${card.exp_year}`;
                const used = customer.invoice_settings.default_payment_method === id;
                return html`<li>${card.brand} •••• ${card.last4}, until ${until}${used && ' (pays)'}</li>`;
              })}
            </ul>`
      }
      <details>
        <summary>Pay with another card</summary>
        <form method="post" action="${base}/card">
          ${cardFields}
          <button class="full">Use this card</button>
        </form>
      </details>
      <h2>Invoices</h2>
      ${
        invoices.length === 0
          ? html`<p>There is none yet.</p>`
          : html`<table>
              <thead>
                <tr>
                  <th scope="col">Number</th>
                  <th scope="col">Date</th>
                  <th scope="col">Status</th>
                  <th scope="col" class="n">Total</th>
                </tr>
              </thead>
              <tbody>
                ${invoices.map(
                  (invoice) =>
                    html`<tr>
                      <td><a href="${String(invoice['hosted_invoice_url'])}">${invoice.number}</a></td>
                      <td>${day(invoice.created)}</td>
                      <td>${invoice.status}</td>
                      <td class="n">${formatted(invoice.total, invoice.currency)}</td>
                    </tr>`,
                )}
              </tbody>
            </table>`
      }
      ${returnUrl !== null && html`<p><a href="${returnUrl}">Back</a></p>`} ${testCards}`,
    true,
  );
}

function subscriptionRow(base: string, subscription: Subscription & { readonly what: string }): Html {
  const { id, what, status, cancel_at: ends, items } = subscription;
  const renews = Math.min(...items.data.map((item) => item.current_period_end));
  return html`<p><strong>${what}</strong> · ${status}</p>
    <p class="soft">${ends === null ? html`Renews on ${day(renews)}.` : html`Ends on ${day(ends)}.`}</p>
    <form method="post" action="${base}/${ends === null ? 'cancel' : 'keep'}" class="row">
      <input type="hidden" name="subscription" value="${id}" />
      <button class="quiet">
        ${ends === null ? 'Cancel at the end of the period' : 'Keep it after all'}
      </button>
    </form>`;
}

/** An invoice, with a way to pay it while it is open. */
export function invoicePage(invoice: Invoice, base: string, problem?: string): string {
  const money = (amount: number) => formatted(amount, invoice.currency);
  const discount = invoice.total_discount_amounts.reduce((sum, { amount }) => sum + amount, 0);
  const tax = invoice.total - invoice.subtotal + discount;
  const applied = invoice.amount_due - invoice.total;
  return document(
    `Invoice ${invoice.number ?? ''}`,
    html`<h1>Invoice ${invoice.number}</h1>
      ${fault(problem)}
      <p>${day(invoice.created)} · ${invoice.status}</p>
      ${amountTable(
        invoice.lines.data.map(({ description, amount, period }) =>
          amountRow(
            html`${description}<br /><span class="soft">${day(period.start)} – ${day(period.end)}</span>`,
            money(amount),
          ),
        ),
        [
          discount > 0 && amountRow('Discount', `−${money(discount)}`),
          tax > 0 && amountRow('Tax', money(tax)),
          sumRow('Total', money(invoice.total)),
          applied !== 0 && amountRow('Balance and credit notes', money(applied)),
          sumRow(
            invoice.status === 'open' ? 'To pay' : 'Paid',
            money(invoice.status === 'open' ? invoice.amount_remaining : invoice.amount_paid),
          ),
        ],
      )}
      ${
        invoice.status === 'open' &&
        html`<form method="post" action="${base}">
            ${cardFields}
            <button class="full">Pay ${money(invoice.amount_remaining)}</button>
          </form>
          ${testCards}`
      }`,
    true,
  );
}
