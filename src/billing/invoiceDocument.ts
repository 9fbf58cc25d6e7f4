import type { InvoiceLineRow, InvoiceRow } from '../../projections/invoices/queries.js';
import { moneyText } from '../money/money.js';
import type { PdfWriter } from '../pdf/pdf.js';
import { pdfOf } from '../pdf/pdf.js';
import { escapeHtml } from '../text/html.js';

/** Who stands on an invoice, line by line: the name first. */
export type Party = readonly string[];

export interface InvoiceDocument {
  readonly invoice: InvoiceRow;
  readonly lines: readonly InvoiceLineRow[];
  readonly seller: Party;
  readonly buyer: Party;
  /** IANA, e.g. `Europe/Berlin`: days are those of there. */
  readonly timeZone: string;
}

interface Shown {
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly rows: readonly (readonly [string, string, string, string])[];
  readonly sums: readonly (readonly [string, string])[];
  readonly notes: readonly string[];
}

const STATUS: Readonly<Record<InvoiceRow['status'], string>> = {
  open: 'To be paid',
  paid: 'Paid',
  void: 'Void: nothing is due',
  uncollectible: 'Given up',
};

/** Of a PDF alone: a browser has the letters of its reader. */
const SPELLED =
  'This file has Latin letters alone: others are spelled with them, and a question mark stands for what cannot be. The page has every letter: its address ends in .html instead of .pdf.';

/** What both forms of a document show. */
function shownOf({ invoice, lines, timeZone }: InvoiceDocument): Shown {
  const { currency } = invoice;
  const money = (amount: number): string => moneyText({ amount, currency });
  const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', year: 'numeric', timeZone });
  const date = (at: Date | string): string => day.format(new Date(at));
  const { subtotal, tax, tax_included: included, total, due, paid, credited } = invoice;
  const balance = due - total;
  return {
    title: `Invoice ${invoice.number ?? invoice.id}`,
    facts: [
      ['Issued', date(invoice.issued_at)],
      ['For', `${date(invoice.period_start)} to ${date(invoice.period_end)}`],
      ['Status', STATUS[invoice.status]],
      ...(invoice.reference === null ? [] : [['Reference of the payment', invoice.reference] as const]),
    ],
    rows: lines.map((line) => [
      line.description,
      `${date(line.periodStart)} to ${date(line.periodEnd)}`,
      BigInt(line.quantity).toLocaleString('en-US'),
      money(line.amount),
    ]),
    sums: [
      ['Subtotal', money(subtotal)],
      ...discountsOf(invoice).map(([name, amount]) => [name, money(-amount)] as const),
      ['Tax', money(tax - included)],
      ['Total', money(total)],
      ...(included === 0 ? [] : [['Tax that it includes', money(included)] as const]),
      ...(balance === 0 ? [] : [['Balance of the account', money(balance)] as const]),
      ['Due', money(due)],
      ...(paid === 0 ? [] : [['Paid', money(paid)] as const]),
      ...(credited === 0 ? [] : [['Credited', money(credited)] as const]),
    ],
    notes: [`Days are those of the time zone ${timeZone}.`],
  };
}

/** Each discount by itself; of an invoice from before they were known, the sum. */
function discountsOf({ discount, discounts }: InvoiceRow): (readonly [string, number])[] {
  if (discounts.length === 0) return discount === 0 ? [] : [['Discount', discount]];
  return discounts.map(({ coupon, name, amount }) => [
    coupon === null ? `Discount: ${name}` : `Discount: ${name} (${coupon})`,
    amount,
  ]);
}

export function invoicePdf(document: InvoiceDocument): Promise<Buffer> {
  const { title, facts, rows, sums, notes } = shownOf(document);
  const { seller, buyer, invoice } = document;
  const at = new Date(invoice.issued_at);
  return pdfOf({ title, author: seller[0] ?? '', at }, (pdf: PdfWriter) => {
    pdf.heading(title);
    pdf.sideBySide(['From', ...seller], ['To', ...buyer]);
    for (const [name, value] of facts) pdf.paragraph(`${name}: ${value}`);
    pdf.gap();
    pdf.table(
      [
        { header: 'What', width: 0.46 },
        { header: 'For', width: 0.26 },
        { header: 'Quantity', width: 0.12, align: 'right' },
        { header: 'Amount', width: 0.16, align: 'right' },
      ],
      rows,
      sums.map(([name, value]) => [name, '', '', value]),
    );
    for (const note of [...notes, ...(pdf.spelled ? [SPELLED] : [])]) {
      pdf.paragraph(note, { grey: true, size: 8 });
    }
  });
}

export function invoiceHtml(document: InvoiceDocument): string {
  const { title, facts, rows, sums, notes } = shownOf(document);
  const { seller, buyer } = document;
  const e = escapeHtml;
  const party = (lines: Party): string => lines.map(e).join('<br>');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${e(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
header, dl { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem 2rem }
dl { grid-template-columns: max-content 1fr; margin: 1.5rem 0 } dt { color: #666 } dd { margin: 0 }
h1 { grid-column: 1 / -1 } h2 { font-size: 1rem; margin: 0; color: #666 } address { font-style: normal } section { min-width: 0; overflow-wrap: anywhere }
table { width: 100%; border-collapse: collapse } th, td { text-align: left; padding: .4rem .5rem; vertical-align: top }
thead th { border-bottom: 1px solid #999 } tfoot tr:first-child > * { border-top: 1px solid #999 }
.n { text-align: right; white-space: nowrap } small { color: #666 }
@media (max-width: 30rem) { body { font-size: 14px; margin: 1rem auto } th, td { padding: .3rem .25rem } dl { gap: .25rem 1rem } }
@media print { body { margin: 0 } }
</style>
</head>
<body>
<header>
<h1>${e(title)}</h1>
<section><h2>From</h2><address>${party(seller)}</address></section>
<section><h2>To</h2><address>${party(buyer)}</address></section>
</header>
<dl>${facts.map(([name, value]) => `<dt>${e(name)}</dt><dd>${e(value)}</dd>`).join('')}</dl>
<table>
<thead><tr><th>What</th><th>For</th><th class="n">Quantity</th><th class="n">Amount</th></tr></thead>
<tbody>
${rows.map(([what, period, quantity, amount]) => `<tr><td>${e(what)}</td><td>${e(period)}</td><td class="n">${e(quantity)}</td><td class="n">${e(amount)}</td></tr>`).join('\n')}
</tbody>
<tfoot>
${sums.map(([name, value]) => `<tr><th colspan="3">${e(name)}</th><th class="n">${e(value)}</th></tr>`).join('\n')}
</tfoot>
</table>
${notes.map((note) => `<p><small>${e(note)}</small></p>`).join('\n')}
</body>
</html>
`;
}
