import type { CheckoutSession } from '../objects.js';
import type { afterTrial } from '../resources/checkout.js';
import { needsCard } from '../resources/checkout.js';
import { formatted } from '../rules/money.js';
import type { Recurrence, Seconds } from '../rules/time.js';
import { amountRow, amountTable, sumRow } from './amounts.js';
import type { Html } from './html.js';
import { document, html } from './html.js';

interface LineShown {
  readonly description: string;
  readonly quantity: number;
  readonly amount_subtotal: number;
}

/** What a person has typed, to be shown again; never the card's number. */
export interface Typed {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
}

export const testCards: Html = html`<details>
  <summary>Test cards</summary>
  <table>
    <tbody>
      <tr>
        <td><code>4242 4242 4242 4242</code></td>
        <td>pays</td>
      </tr>
      <tr>
        <td><code>4000 0000 0000 0002</code></td>
        <td>is declined</td>
      </tr>
      <tr>
        <td><code>4000 0000 0000 9995</code></td>
        <td>has insufficient funds</td>
      </tr>
      <tr>
        <td><code>4000 0000 0000 0069</code></td>
        <td>has expired</td>
      </tr>
      <tr>
        <td><code>4000 0000 0000 0341</code></td>
        <td>can be saved, then every charge is declined</td>
      </tr>
      <tr>
        <td><code>4000 0027 6000 3184</code></td>
        <td>asks for authentication each time</td>
      </tr>
      <tr>
        <td><code>4000 0000 0000 0259</code></td>
        <td>pays, then the charge is disputed</td>
      </tr>
    </tbody>
  </table>
  <p class="soft">Any date in the future and any three digits will do.</p>
</details>`;

export const cardFields: Html = html`<label for="number">Card number</label>
  <input
    id="number"
    name="number"
    inputmode="numeric"
    autocomplete="off"
    placeholder="4242 4242 4242 4242"
    required
    aria-describedby="fault"
  />
  <div class="two">
    <div>
      <label for="expiry">Expires (MM/YY)</label>
      <input id="expiry" name="expiry" inputmode="numeric" autocomplete="off" placeholder="12/34" required />
    </div>
    <div>
      <label for="cvc">Security code</label>
      <input id="cvc" name="cvc" inputmode="numeric" autocomplete="off" placeholder="123" required />
    </div>
  </div>`;

export const fault = (message: string | undefined): Html | undefined =>
  message === undefined ? undefined : html`<p class="bad" id="fault" role="alert">${message}</p>`;

export interface CheckoutPageParts {
  readonly base: string;
  /** What follows a trial. */
  readonly later: ReturnType<typeof afterTrial>;
  readonly typed: Typed;
  readonly problem: string | undefined;
}

/** The page on which a person pays. */
export function checkoutPage(
  session: CheckoutSession,
  { base, later, typed, problem }: CheckoutPageParts,
): string {
  const money = (amount: number) => formatted(amount, session.currency);
  const { amount_discount: discount = 0 } = (session['total_details'] ?? {}) as { amount_discount?: number };
  const trial = session.mode === 'subscription' && session.amount_total === 0;
  const action = {
    payment: 'Pay',
    subscription: trial ? 'Start the trial' : 'Subscribe',
    setup: 'Save the card',
  }[session.mode];
  return document(
    action,
    html`<h1>${TITLES[session.mode]}</h1>
      ${fault(problem ?? session.$.failure)}
      ${
        session.$.lineItems.length > 0 &&
        amountTable(
          (session.$.lineItems as LineShown[]).map(({ description, quantity, amount_subtotal: amount }) =>
            amountRow(`${quantity > 1 ? `${quantity} × ` : ''}${description}`, money(amount)),
          ),
          [
            discount > 0 && amountRow('Discount', `−${money(discount)}`),
            sumRow('Due today', money(session.amount_total)),
            later.map(
              ({ amount, recurring, from }) =>
                html`<tr>
                  <td colspan="2" class="soft">
                    Then ${money(amount)} ${often(recurring)} from ${dayOf(from)}
                  </td>
                </tr>`,
            ),
          ],
        )
      }
      ${
        session['allow_promotion_codes'] === true &&
        html`<form method="post" action="${base}/code">
          <label for="code">Promotion code</label>
          <div class="row" style="flex-wrap:nowrap">
            <input id="code" name="code" required /><button class="quiet">Apply</button>
          </div>
        </form>`
      }
      <form method="post" action="${base}">
        ${
          session.customer === null &&
          html`<label for="email">E-mail</label>
            <input
              id="email"
              name="email"
              type="email"
              required
              value="${typed.email ?? session.customer_email ?? ''}"
            />`
        }
        ${
          needsCard(session) &&
          html`${cardFields}
            <label for="name">Name on the card</label>
            <input id="name" name="name" autocomplete="off" value="${typed.name ?? ''}" />`
        }
        <button class="full">
          ${action}${session.amount_total > 0 && ` ${money(session.amount_total)}`}
        </button>
      </form>
      ${session.cancel_url !== null && html`<p><a href="${session.cancel_url}">Go back without paying</a></p>`}
      ${testCards}`,
  );
}

/** `per month`, `every 3 months` */
const often = ({ interval, interval_count: n }: Recurrence): string =>
  n === 1 ? `per ${interval}` : `every ${n} ${interval}s`;

/** `13 December 2026` */
const dayOf = (at: Seconds): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(at * 1000);

const TITLES = { payment: 'Payment', subscription: 'Subscription', setup: 'Save a card' } as const;

/** What a card's bank would ask. */
export function authenticationPage(
  action: string,
  amount: string | undefined,
  hidden: Html | undefined,
): string {
  return document(
    'Authentication',
    html`<h1>Your bank asks</h1>
      <p>
        Do you authorise
        ${amount === undefined ? 'the use of this card' : html`this payment of <strong>${amount}</strong>`}?
      </p>
      <form method="post" action="${action}" class="row">
        ${hidden}
        <button name="answer" value="yes">Authorise</button>
        <button name="answer" value="no" class="quiet">Refuse</button>
      </form>`,
  );
}

export const overPage = (message: string): string =>
  document(
    'Over',
    html`<h1>Nothing to do here</h1>
      <p>${message}</p>`,
  );
