import type { Routes } from './http/route.js';
import { catalogueRoutes } from './resources/catalogue.js';
import { checkoutRoutes } from './resources/checkout.js';
import { customerRoutes } from './resources/customers.js';
import { discountRoutes } from './resources/discounts.js';
import { eventRoutes } from './resources/events.js';
import { intentRoutes } from './resources/intents.js';
import { invoiceRoutes } from './resources/invoices.js';
import { meterRoutes } from './resources/meters.js';
import { paymentMethodRoutes } from './resources/paymentMethods.js';
import { subscriptionRoutes } from './resources/subscriptions.js';

/** Every call that the sandbox answers. */
export const ROUTES: Routes = {
  ...catalogueRoutes,
  ...checkoutRoutes,
  ...customerRoutes,
  ...discountRoutes,
  ...eventRoutes,
  ...intentRoutes,
  ...invoiceRoutes,
  ...meterRoutes,
  ...paymentMethodRoutes,
  ...subscriptionRoutes,
};
