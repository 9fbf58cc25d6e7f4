import type { Routes } from './http/route.js';
import { searchRoutes } from './http/search.js';
import { catalogueRoutes } from './resources/catalogue.js';
import { checkoutRoutes } from './resources/checkout.js';
import { customerRoutes } from './resources/customers.js';
import { discountRoutes } from './resources/discounts.js';
import { disputeRoutes } from './resources/disputes.js';
import { eventRoutes } from './resources/events.js';
import { intentRoutes } from './resources/intents.js';
import { invoiceRoutes } from './resources/invoices.js';
import { meterRoutes } from './resources/meters.js';
import { paymentMethodRoutes } from './resources/paymentMethods.js';
import { paymentPageRoutes } from './resources/paymentPages.js';
import { portalRoutes } from './resources/portal.js';
import { refundRoutes } from './resources/refunds.js';
import { scheduleRoutes } from './resources/schedules.js';
import { subscriptionRoutes } from './resources/subscriptions.js';
import { taxRateRoutes } from './resources/taxRates.js';

/** Every call that the sandbox answers. */
export const ROUTES: Routes = {
  ...searchRoutes,
  ...catalogueRoutes,
  ...checkoutRoutes,
  ...customerRoutes,
  ...discountRoutes,
  ...disputeRoutes,
  ...eventRoutes,
  ...intentRoutes,
  ...invoiceRoutes,
  ...meterRoutes,
  ...paymentMethodRoutes,
  ...paymentPageRoutes,
  ...portalRoutes,
  ...refundRoutes,
  ...scheduleRoutes,
  ...subscriptionRoutes,
  ...taxRateRoutes,
};
