import { shownPlan } from '../plans/planTypes.js';
import type { Capability } from '../capability.js';
import { audited } from './audited.js';
import { AccountInvoicesResolver, InvoiceResolver } from './invoiceResolvers.js';
import { offersOf } from './offers.js';
import { cancelSubscription, eraseCustomer } from './policies.js';
import { publicEvents } from './publicEvents.js';
import { OperatorPaymentEventsResolver } from './receivedResolvers.js';
import { AccountBillingResolver, BillingResolver } from './resolvers.js';

export const billing: Capability = {
  streams: ['stripe_event', 'invoice', 'payment', 'trial_card'],
  audited,
  publicEvents,
  policies: ({ commands, personal }) => [cancelSubscription(commands), eraseCustomer(commands, personal)],
  graphql: {
    resolvers: [
      BillingResolver,
      AccountBillingResolver,
      AccountInvoicesResolver,
      InvoiceResolver,
      OperatorPaymentEventsResolver,
    ],
    create: ({ sender, queries, memory: { plans }, shown, billing: desk, cursors }) => {
      const options = {
        sender,
        desk,
        offers: () => offersOf(plans.profile),
        profileVersion: () => plans.version,
        planOf: (id: string) => shownPlan(plans.named(id).plan),
        queries: queries.subscriptions,
        shown,
      };
      const issued = { queries: queries.invoices, cursors, desk };
      return {
        resolvers: [
          new BillingResolver(options),
          new AccountBillingResolver(options),
          new AccountInvoicesResolver(issued),
          new InvoiceResolver(issued),
          new OperatorPaymentEventsResolver(queries.stripeEvents, cursors),
        ],
      };
    },
  },
};
