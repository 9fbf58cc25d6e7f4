import { Readable } from 'node:stream';
import type { InvoiceQueries } from '../../projections/invoices/queries.js';
import { PAYERS } from '../graphql/kit/access.js';
import { accountOf } from '../graphql/kit/context.js';
import { ApiError } from '../graphql/kit/errors.js';
import { parameter } from '../rest/commandRoute.js';
import type { Reply, Route, RouteCall } from '../rest/route.js';
import { guarded } from '../rest/route.js';
import type { Party } from './invoiceDocument.js';
import { invoiceHtml, invoicePdf } from './invoiceDocument.js';
import { isTimeZone } from '../text/timeZone.js';

export interface InvoiceRouteOptions {
  readonly queries: InvoiceQueries;
  readonly seller: () => Party;
  readonly buyerOf: (accountId: string) => Promise<Party>;
}

const FILE = /^(\w{1,200})\.(pdf|html)$/;

/** An invoice as a document, for whoever may pay for the account. */
export function invoiceRoutes(options: InvoiceRouteOptions): readonly Route[] {
  const answer = async (call: RouteCall): Promise<Reply> => {
    const [, id = '', form] = FILE.exec(call.params['file'] ?? '') ?? [];
    const invoice = await options.queries.find(id);
    // Another account's invoice is as good as none.
    if (invoice?.account_id !== accountOf(call)) throw new ApiError('NOT_FOUND');
    const timeZone = parameter(call, 'timeZone') ?? 'UTC';
    if (!isTimeZone(timeZone))
      throw new ApiError('INVALID_INPUT', '"timeZone" has to be a time zone, e.g. Europe/Berlin.', {
        field: 'timeZone',
      });
    const lines = await options.queries.lines(id);
    const buyer = await options.buyerOf(invoice.account_id);
    const document = { invoice, lines, seller: options.seller(), buyer, timeZone };
    const headers = { 'cache-control': 'private, no-store', 'x-content-type-options': 'nosniff' };
    if (form === 'html') {
      return {
        headers: {
          ...headers,
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        },
        body: invoiceHtml(document),
      };
    }
    const name = (invoice.number ?? id).replace(/[^\w-]/g, '_');
    return {
      headers: {
        ...headers,
        'content-type': 'application/pdf',
        'content-disposition': `inline; filename="invoice-${name}.pdf"`,
      },
      body: Readable.from([await invoicePdf(document)]),
    };
  };
  return [
    {
      ...guarded(
        'GET',
        '/v1/invoices/:file',
        {
          access: { scope: 'read', roles: PAYERS },
          summary: 'An invoice as a document: its id, and .pdf or .html.',
        },
        answer,
      ),
      problems: true,
    },
  ];
}
