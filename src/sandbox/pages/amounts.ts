import type { Html } from './html.js';
import { html } from './html.js';

/** A row of a table of amounts. */
export const amountRow = (what: Html | string, amount: string): Html =>
  html`<tr>
    <td>${what}</td>
    <td class="n">${amount}</td>
  </tr>`;

/** A sum below it. */
export const sumRow = (what: string, amount: string): Html =>
  html`<tr>
    <th scope="row">${what}</th>
    <th class="n">${amount}</th>
  </tr>`;

/** What is charged, item by item, and what it comes to. */
export const amountTable = (
  items: readonly Html[],
  sums: readonly (Html | false | readonly Html[])[],
): Html =>
  html`<table>
    <thead>
      <tr>
        <th scope="col">Item</th>
        <th scope="col" class="n">Amount</th>
      </tr>
    </thead>
    <tbody>
      ${items}
    </tbody>
    <tfoot>
      ${sums}
    </tfoot>
  </table>`;
