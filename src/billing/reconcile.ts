import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { as } from '../eventsourcing/event.js';
import { accountStream } from '../accounts/events.js';
import { moneyText } from '../money/money.js';
import type { AccountBilling } from './accountBilling.js';
import type { InvoiceSnapshot } from './decideInvoice.js';
import { invoiceDecider } from './decideInvoice.js';
import type { BillingEvent, InvoiceEvent } from './events.js';
import { invoiceStream } from './events.js';
import type { Payments } from './payments.js';
import type { Snapshot } from './recordSubscription.js';
import { recordSubscriptions } from './recordSubscription.js';
import type { BillingState } from './state.js';

/** Something in which an account differs from what the payment service says of it. */
export interface Difference {
  readonly accountId: string;
  /** What we would have recorded, e.g. `PeriodRenewed`, or what is wrong. */
  readonly what: string;
  /** About what, for people. */
  readonly detail: string;
  /** Whether recording what the payment service says mends it; other things are for people to decide. */
  readonly mended: boolean;
}

export interface Reconciled {
  readonly accounts: number;
  readonly differences: readonly Difference[];
}

export interface ReconciliationOptions {
  readonly billing: AccountBilling;
  readonly payments: Payments;
  readonly commands: CommandHandler;
  readonly graceDays: () => number;
  /** Accounts that have a customer, or have asked for one, in the order of their ids. */
  readonly accounts: (after: string, limit: number) => Promise<readonly string[]>;
}

const PAGE = 100;
const LIVING: ReadonlySet<Snapshot['status']> = new Set([
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'paused',
]);

/**
 * Compares what we know of accounts with what the payment service says, account by account. What it finds are the
 * events that we would have, had every webhook come; repairing goes the way of every webhook.
 */
export class Reconciliation {
  constructor(private readonly options: ReconciliationOptions) {}

  /**
   * @param only of one account; undefined for all
   * @throws PaymentsUnavailable
   */
  async run(
    { repair, only }: { readonly repair: boolean; readonly only?: string | undefined },
    progress: (accounts: number) => void = () => undefined,
    signal?: AbortSignal,
  ): Promise<Reconciled> {
    const differences: Difference[] = [];
    let accounts = 0;
    for await (const accountId of this.#accounts(only)) {
      signal?.throwIfAborted();
      const found = await this.differences(accountId);
      if (repair && found.some(({ mended }) => mended)) await this.#repair(accountId);
      differences.push(...found);
      progress(++accounts);
    }
    return { accounts, differences };
  }

  async *#accounts(only: string | undefined): AsyncGenerator<string> {
    if (only !== undefined) {
      yield only;
      return;
    }
    for (let after = ''; ;) {
      const page = await this.options.accounts(after, PAGE);
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  async differences(accountId: string): Promise<Difference[]> {
    const { billing, payments } = this.options;
    const state = await billing.state(accountId);
    const of = (what: string, detail: string, mended: boolean): Difference => ({
      accountId,
      what,
      detail,
      mended,
    });
    const { customer } = state;
    if (customer === undefined) {
      return state.customerAsked ? [of('CustomerRequested', 'no customer yet', true)] : [];
    }
    if ((await payments.accountOf(customer)) !== accountId) {
      return [of('customer is not the account’s', customer, false)];
    }
    const snapshots = await payments.subscriptions(customer);
    const found = [
      ...(await this.#ofSubscription(accountId, state, snapshots)).map(([what, detail, mended]) =>
        of(what, detail, mended),
      ),
    ];
    for (const invoice of await payments.invoices(customer)) {
      for (const [what, detail, mended] of await this.#ofInvoice(accountId, invoice)) {
        found.push(of(what, `${invoice.number ?? invoice.id}: ${detail}`, mended));
      }
    }
    return found;
  }

  async #ofSubscription(
    accountId: string,
    state: BillingState,
    snapshots: readonly Snapshot[],
  ): Promise<(readonly [what: string, detail: string, mended: boolean])[]> {
    // Only what is missing is told, not from when on: the moment does not matter.
    const at = new Date(0).toISOString();
    const missing = recordSubscriptions(state, snapshots, this.options.graceDays(), at).map(
      (event) => [event.type, aboutOf(event), true] as const,
    );
    const { paid, asked } = state;
    const ours = snapshots.filter(
      ({ plan, subscription }) => plan !== null || subscription === paid?.subscription,
    );
    const unknown = ours.filter(({ plan, status }) => plan === null && LIVING.has(status));
    const living = ours.filter(({ status }) => LIVING.has(status)).map(({ subscription }) => subscription);
    const lost = paid && !snapshots.some(({ subscription }) => subscription === paid.subscription);
    const isDeleted =
      living.length > 0 &&
      (await this.options.commands.load(accountStream(accountId))).at(-1)?.type === 'AccountDeleted';
    return [
      ...missing,
      ...(asked ? [['not done yet', `${asked.kind} ${asked.id}`, true] as const] : []),
      ...(lost ? [['subscription is not there', paid.subscription, false] as const] : []),
      ...unknown.map(
        ({ subscription, amount, currency }) =>
          ['price is none of ours', `${subscription}: ${moneyText({ amount, currency })}`, false] as const,
      ),
      ...(living.length > 1 ? [['pays more than once', living.join(', '), true] as const] : []),
      ...(isDeleted && !asked
        ? [['account is deleted and still pays', living.join(', '), false] as const]
        : []),
    ];
  }

  async #ofInvoice(
    accountId: string,
    snapshot: InvoiceSnapshot,
  ): Promise<(readonly [what: string, detail: string, mended: boolean])[]> {
    const history = await this.options.commands.load(invoiceStream(snapshot.id));
    const state = fold(invoiceDecider, history);
    const decision = invoiceDecider.decide(state, {
      accountId,
      snapshot,
      number: null,
      differences: [],
      asOf: history.length,
    });
    const total = moneyText({ amount: snapshot.total, currency: snapshot.currency });
    const missing = decision.kind === 'refused' ? [] : decision.events;
    const found = missing.map(({ type }) => [type, total, true] as const);
    const issued = history.map((stored) => as<InvoiceEvent>(stored)).find(isIssued)?.data;
    if (!issued || issued.total === snapshot.total) return found;
    const ours = moneyText({ amount: issued.total, currency: issued.currency });
    return [...found, ['total differs', `${ours} here, ${total} there`, false]];
  }

  async #repair(accountId: string): Promise<void> {
    const { billing, payments } = this.options;
    const { customer } = await billing.settle(accountId);
    if (customer === undefined) return;
    for (const { id, status } of await payments.invoices(customer)) {
      if (status !== 'draft') await billing.recordInvoice(accountId, id);
    }
  }
}

const isIssued = (event: InvoiceEvent): event is Extract<InvoiceEvent, { type: 'InvoiceFinalised' }> =>
  event.type === 'InvoiceFinalised';

/** What an event that is missing here says, in a few words. */
function aboutOf({ data }: BillingEvent): string {
  const { price, plan, at, periodEnd, endedAt, graceEndsAt } = data as Partial<Record<string, string | null>>;
  const until = periodEnd === undefined ? undefined : `until ${periodEnd ?? ''}`;
  return [price ?? plan, at ?? endedAt ?? graceEndsAt ?? until]
    .filter((part) => part !== undefined)
    .join(' ');
}
