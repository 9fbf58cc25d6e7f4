import { z } from 'zod';
import type { CatalogueEntry, Payments, Shelf } from '../billing/payments.js';
import type { Reconciled, Reconciliation } from '../billing/reconcile.js';
import { OperatorRefusal } from '../following/operatorRefusal.js';
import { givenId, shownId } from '../graphql/kit/ids.js';
import { Outage } from '../outage.js';
import type { AdminCommands } from './server.js';

export interface BillingCommandsOptions {
  readonly reconciliation: Reconciliation;
  readonly payments: Payments;
  /** What the profile sells now. */
  readonly shelf: () => Shelf;
}

export interface Catalogue {
  /** As it was before anything was made. */
  readonly entries: readonly CatalogueEntry[];
  readonly live: boolean;
}

const Reconcile = z.object({ repair: z.boolean(), account: z.string().max(100).optional() });
const Sync = z.object({ apply: z.boolean() });

const off = (): Promise<never> =>
  Promise.reject(new OperatorRefusal('This process takes no payments (docs/billing.md).'));

/** What an operator asks of payments; refused where nobody takes them. */
export function billingCommands(options: BillingCommandsOptions | undefined): AdminCommands {
  if (!options) return { reconcile: off, 'stripe sync': off };
  const { reconciliation, payments, shelf } = options;
  return {
    reconcile: async (args, { progress, signal }): Promise<Reconciled> => {
      const { repair, account } = Reconcile.parse(args);
      const only = account === undefined ? undefined : givenId('Account', account);
      const { accounts, differences } = await reachable(() =>
        reconciliation.run({ repair, only }, (done) => progress({ accounts: done }), signal),
      );
      const shown = differences.map((one) => ({ ...one, accountId: shownId('Account', one.accountId) }));
      return { accounts, differences: shown };
    },
    'stripe sync': async (args): Promise<Catalogue> => {
      const { apply } = Sync.parse(args);
      return reachable(async () => {
        const sold = shelf();
        const entries = await payments.catalogue(sold);
        const wrong = entries.find(({ state }) => state === 'wrong');
        if (apply && wrong) {
          throw new OperatorRefusal(
            `The price of ${wrong.id} is another one: ${wrong.detail}. Nothing was made.`,
          );
        }
        if (apply) await payments.makeCatalogue(sold);
        return { entries, live: payments.live };
      });
    },
  };
}

async function reachable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Outage)) throw error;
    throw new OperatorRefusal(`${error.message}. Try again later: what was done is not done again.`);
  }
}
