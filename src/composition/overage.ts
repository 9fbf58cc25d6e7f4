import type { Queries } from '../../projections/index.js';
import { billingDecider } from '../billing/decide.js';
import { PaymentRefused } from '../billing/payments.js';
import { CreditDesk } from '../credits/desk.js';
import { CreditWorker } from '../credits/worker.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { shownId } from '../graphql/kit/ids.js';
import { Leadership } from '../following/leases.js';
import type { Logger } from '../logger.js';
import { Outage } from '../outage.js';
import { CapWatch } from '../overage/capWatch.js';
import { Closing } from '../overage/closing.js';
import type { CorrectionsOf } from '../overage/corrections.js';
import { adjustmentsSoFar } from '../overage/corrections.js';
import type { RatedLine } from '../overage/events.js';
import { Statements } from '../overage/statements.js';
import { OverageWorker } from '../overage/worker.js';
import { subscriptionStream } from '../plans/events.js';
import type { Profile } from '../plans/profile.js';
import { usageTermsOf } from '../plans/profile.js';
import type { Shutdown } from '../shutdown.js';
import type { Billing } from './billing.js';
import type { Projections, RunningProjections } from './projections.js';
import type { Stores } from './stores.js';

/** How long closing waits for the ledger before it is tried again, in milliseconds. */
const LEDGER_WAIT_MS = 10_000;

/** What is paid for use above limits: with credits, or with money. */
export interface OverageParts {
  readonly statements: Statements;
  readonly credits: CreditDesk;
  /** What corrections have changed of closed periods, which the next invoice will have. */
  readonly adjustments: (accountId: string) => Promise<readonly RatedLine[]>;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
}

export function openOverage(
  { commands, clock, billingClock: now }: Stores,
  queries: Queries,
  billing: Billing | undefined,
  { profile, returnUrl }: { readonly profile: () => Profile; readonly returnUrl: string },
): OverageParts {
  const statements = new Statements({ commands, ledger: queries.billedUse, profile, now });
  const credits = new CreditDesk({
    commands,
    payments: billing?.creditPayments,
    refusedBy: (error) => (error instanceof PaymentRefused ? error.code : undefined),
    customerOf: async (accountId) => {
      if (!billing) throw new Outage('nobody takes payments');
      await commands.handle(
        billingDecider,
        subscriptionStream(accountId),
        { type: 'RequestCustomer', by: 'policy:credits' },
        byPolicy('credits', `customer:${accountId}`, { at: clock(), about: accountId }),
      );
      const { customer } = await billing.desk.billing.settle(accountId);
      if (customer === undefined) throw new Outage('the payment service has made no customer');
      return customer;
    },
    open: (accountId) => statements.open(accountId),
    profile,
    returnUrl,
    now,
    clock,
  });
  const corrections: CorrectionsOf = (accountId, after) => queries.overage.useCorrections(accountId, after);
  const adjustments = (accountId: string) =>
    adjustmentsSoFar(statements, accountId, credits.peek, corrections);
  return { statements, credits, adjustments, now };
}

/** Does what is due about overage and credits, each once. */
export interface OverageWork {
  work(): Promise<void>;
}

/** Works on what is due in one of the processes that run policies. */
export function workOverage(
  { models, leases }: RunningProjections,
  { overage, credits: creditQueries }: Queries,
  { store, commands, clock }: Stores,
  billing: Billing,
  { statements, credits, now }: OverageParts,
  profile: () => Profile,
  log: Logger,
  shutdown: Shutdown,
): OverageWork {
  const onError = (error: unknown): void =>
    log.error('what overage or credits lead to is not done yet', error);
  const closing = new Closing({
    statements,
    commands,
    credits: credits.draw,
    invoices: billing.overageInvoices,
    corrections: (accountId, after) => overage.useCorrections(accountId, after),
    onOwed: (accountId, owed) => {
      const account = shownId('Account', accountId);
      log.warn(`no invoice could give back ${owed} minor units to ${account}: operator.overageCorrections`);
    },
    onStuck: (accountId, period) => {
      const account = shownId('Account', accountId);
      log.warn(`period ${period} of ${account} cannot be closed: another one with its name is closed`);
    },
    profile,
    now,
    clock,
    ledgerCaughtUp: () => caughtUp({ models }, store.head()),
  });
  const caps = new CapWatch({ statements, commands, credits: credits.peek, clock });
  const lateWindowMs = (): number => usageTermsOf(profile()).lateWindowSeconds * 1000;
  const closer = new OverageWorker({ queries: overage, closing, caps, now, lateWindowMs, onError });
  const closeAfterMs = (): number => usageTermsOf(profile()).closeAfterSeconds * 1000;
  const spender = new CreditWorker({ queries: creditQueries, desk: credits, now, closeAfterMs, onError });
  models.onChanged('overage', () => closer.wake());
  models.onChanged('credits', () => spender.wake());
  models.onChanged('stripeEvents', () => spender.wake());
  for (const [name, worker] of [
    ['overage', closer],
    ['credits', spender],
  ] as const) {
    const leadership = new Leadership({
      leases,
      name,
      lead: (_lease, until) => worker.run(until),
      stand: () => Promise.resolve(),
      onError,
    });
    leadership.start();
    shutdown.add(name, () => leadership.stop());
  }
  return {
    work: async () => {
      await spender.work();
      await closer.work();
    },
  };
}

async function caughtUp({ models }: Pick<Projections, 'models'>, head: Promise<number>): Promise<void> {
  const position = await head;
  const [ledger, corrections] = await Promise.all(
    ['usage', 'overage'].map((model) => models.reached(model, position, LEDGER_WAIT_MS)),
  );
  if (!ledger || !corrections) throw new Outage('the ledger has not seen all uses yet');
}
