import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { InvoiceQueries } from '../../projections/invoices/queries.js';
import { Account } from '../accounts/types.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, inReach, PAYERS } from '../graphql/kit/access.js';
import type { RequestContext, StandingIn } from '../graphql/kit/context.js';
import { accountOf } from '../graphql/kit/context.js';
import type { Cursors } from '../graphql/kit/cursors.js';
import { Metered } from '../graphql/kit/metering.js';
import type { Page } from '../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../graphql/kit/pages.js';
import {
  accountOfNext,
  Invoice,
  InvoiceConnection,
  InvoiceLine,
  invoiceOf,
  linesOf,
  MAX_LINES,
  upcomingOf,
} from './invoiceTypes.js';
import type { RatedLine } from '../overage/events.js';
import type { Desk } from './resolvers.js';
import { useAlone, withUse } from './upcoming.js';

const LIST = 'invoices';
const INVOICES_ACCESS = { scope: 'read', roles: PAYERS } as const;

export interface InvoiceResolverOptions {
  readonly queries: InvoiceQueries;
  readonly cursors: Cursors;
  /** Undefined where nobody takes payments. */
  readonly desk: Desk | undefined;
  /** What an account has used above its limits in the running period. */
  readonly used: (accountId: string) => Promise<readonly RatedLine[]>;
  readonly standingIn: StandingIn;
}

/** What would be on the next invoice now; undefined where none is due. */
async function nextInvoice(
  { desk, used: usedBy }: InvoiceResolverOptions,
  accountId: string,
): Promise<Invoice | undefined> {
  const { customer, paid } = (await desk?.billing.state(accountId)) ?? {};
  if (!desk || customer === undefined || !paid) return undefined;
  const used = await usedBy(accountId);
  // While it is paused no invoice comes.
  const paused = paid.pausedAt !== undefined;
  const preview = paused ? undefined : await desk.payments.upcoming(customer, paid.subscription);
  const whole = preview ? withUse(preview, used) : useAlone(used, paid.currency);
  return whole && upcomingOf(accountId, whole);
}

@Resolver(() => Account)
export class AccountInvoicesResolver {
  constructor(private readonly options: InvoiceResolverOptions) {}

  @Access(INVOICES_ACCESS)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => InvoiceConnection, {
    nullable: true,
    description: 'Invoices of the account, newest first.',
  })
  async invoices(@Root() { id }: Account, @Args(() => PageArgs) asked: PageArgs): Promise<Page<Invoice>> {
    const { queries, cursors } = this.options;
    const { first, after } = asked;
    const [at, place = ''] = cursors.after(LIST, after) ?? [];
    const rows = await queries.page(
      id,
      first + 1,
      at === undefined ? undefined : { issuedAt: new Date(at), id: place },
    );
    return pageOf(
      cursors,
      LIST,
      rows,
      { first, after },
      (row) => [new Date(row.issued_at).toISOString(), row.id],
      invoiceOf,
    );
  }

  @Access(INVOICES_ACCESS)
  @FieldResolver(() => Invoice, {
    nullable: true,
    description: 'The next invoice as of now. Null if none is due.',
  })
  async upcomingInvoice(@Root() { id }: Account): Promise<Invoice | null> {
    return (await nextInvoice(this.options, id)) ?? null;
  }
}

@Resolver(() => Invoice)
export class InvoiceResolver {
  constructor(private readonly options: InvoiceResolverOptions) {}

  @Metered('guarded')
  @Access(INVOICES_ACCESS)
  @Query(() => Invoice, {
    nullable: true,
    description: 'An invoice of the account by its id. Null if the account has no such invoice.',
  })
  async invoice(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, { description: 'Id of the invoice, as in `account.invoices`.' }) id: string,
  ): Promise<Invoice | null> {
    const row = await this.options.queries.find(id);
    return row?.account_id === accountOf(context) ? invoiceOf(row) : null;
  }

  @Sized({ assumedSize: MAX_LINES })
  @FieldResolver(() => [InvoiceLine], {
    description: `Its lines, in order. Of more than ${MAX_LINES}, the last one is the sum of the others.`,
  })
  async lines(@Root() { id, previewLines, total }: Invoice): Promise<readonly InvoiceLine[]> {
    return previewLines ?? linesOf(await this.options.queries.lines(id), total.currency);
  }

  /** As with the list of invoices, in the account of each. */
  async find(ids: readonly string[], context: RequestContext): Promise<Invoice[]> {
    const { queries, standingIn } = this.options;
    const rows = await inReach(
      await queries.byIds(ids.filter((id) => accountOfNext(id) === undefined)),
      ({ account_id: accountId }) => standingIn(context, accountId),
      INVOICES_ACCESS,
    );
    const accounts = await inReach(
      ids.flatMap((id) => accountOfNext(id) ?? []),
      (accountId) => standingIn(context, accountId),
      INVOICES_ACCESS,
    );
    const next = await Promise.all(accounts.map((accountId) => nextInvoice(this.options, accountId)));
    return [...rows.map(invoiceOf), ...next.flatMap((one) => one ?? [])];
  }
}
