import { shownPlan } from '../plans/planTypes.js';
import type { Capability } from '../capability.js';
import { shownId } from '../graphql/kit/ids.js';
import { AgreedPricesResolver, OperatorAgreedPricesResolver } from './agreedResolvers.js';
import { audited } from './audited.js';
import { checkoutRoutes } from './checkoutRoutes.js';
import { OperatorInvoiceDifferencesResolver } from './differenceResolvers.js';
import { AccountInvoicesResolver, InvoiceResolver } from './invoiceResolvers.js';
import { invoiceRoutes } from './invoiceRoutes.js';
import { priceListOf } from './offers.js';
import { cancelSubscription, eraseCustomer, withdrawCheckout } from './policies.js';
import { publicEvents } from './publicEvents.js';
import { OperatorPaymentEventsResolver } from './receivedResolvers.js';
import { OperatorRevenueResolver } from './revenueResolvers.js';
import { AccountBillingResolver, BillingResolver } from './resolvers.js';
import { INITIAL } from './state.js';

export const billing: Capability = {
  streams: ['stripe_event', 'invoice', 'invoice_numbers', 'payment', 'refund', 'trial_card'],
  audited,
  publicEvents,
  policies: ({ commands, personal }) => [
    cancelSubscription(commands),
    withdrawCheckout(commands),
    eraseCustomer(commands, personal),
  ],
  graphql: {
    resolvers: [
      BillingResolver,
      AccountBillingResolver,
      AccountInvoicesResolver,
      InvoiceResolver,
      AgreedPricesResolver,
      OperatorAgreedPricesResolver,
      OperatorPaymentEventsResolver,
      OperatorInvoiceDifferencesResolver,
      OperatorRevenueResolver,
    ],
    create: ({
      sender,
      commands,
      operatorAction: action,
      positions: tokens,
      queries,
      memory: { plans },
      shown,
      stored,
      counted,
      billing: desk,
      cursors,
      overage,
      standingIn,
    }) => {
      const agreed = {
        commands,
        action,
        tokens,
        desk,
        priceList: () => priceListOf(plans.profile),
        planOf: (id: string) => shownPlan(plans.named(id).plan),
      };
      const options = {
        sender,
        desk,
        priceList: () => priceListOf(plans.profile),
        coupons: () => plans.profile.coupons ?? [],
        profileVersion: () => plans.version,
        planOf: (id: string) => shownPlan(plans.named(id).plan),
        queries: queries.subscriptions,
        agreedPrices: queries.agreedPrices,
        standingIn,
        shown,
      };
      const issued = {
        queries: queries.invoices,
        cursors,
        desk,
        used: async (accountId: string) => {
          await counted();
          const { statements, credits, adjustments } = overage;
          const draft = await statements.draft(accountId, credits.peek);
          return [...(draft?.lines ?? []), ...(await adjustments(accountId))];
        },
        standingIn,
      };
      const accounts = new AccountBillingResolver(options);
      const invoices = new InvoiceResolver(issued);
      return {
        resolvers: [
          new BillingResolver(options),
          accounts,
          new AccountInvoicesResolver(issued),
          invoices,
          new AgreedPricesResolver(agreed),
          new OperatorAgreedPricesResolver(queries.agreedPrices, cursors, agreed.planOf),
          new OperatorPaymentEventsResolver(queries.stripeEvents, cursors, stored),
          new OperatorInvoiceDifferencesResolver(queries.invoices, cursors),
          new OperatorRevenueResolver(queries.revenue, stored),
        ],
        nodes: {
          Invoice: (ids, context) => invoices.find(ids, context),
          PlanSubscription: (ids, context) => accounts.find(ids, context),
        },
      };
    },
  },
  routes: ({ queries, personal, memory: { plans }, billing: desk, overage }) => {
    const documents = {
      seller: () => plans.profile.billing?.seller ?? [plans.profile.product],
      buyerOf: async (accountId: string) => {
        const [account] = await queries.accounts.accounts([accountId]);
        const [owner] = account ? await queries.accounts.users([account.owner_id]) : [];
        const sealed = [owner?.name, owner?.email].flatMap((one) => one ?? []);
        const known = await Promise.all(sealed.map((one) => personal.unseal(one)));
        // Not everybody has given a name.
        return [...known.flatMap((one) => (one ? [one] : [])), `Account ${shownId('Account', accountId)}`];
      },
    };
    return [
      ...invoiceRoutes({ queries: queries.invoices, ...documents }),
      ...checkoutRoutes({
        ...documents,
        product: () => plans.profile.product,
        payments: desk?.payments,
        billingOf: async (accountId) => (await desk?.billing.state(accountId)) ?? INITIAL,
        granted: (accountId, purchase) => overage.credits.granted(accountId, purchase),
        planName: (plan) => plans.named(plan).plan.name,
        invoices: queries.invoices,
        now: overage.now,
      }),
    ];
  },
};
