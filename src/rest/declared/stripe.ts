import type { StripePlace } from '../../http/stripeWebhooks.js';
import type { CompiledRoutes } from './compile.js';

/** Without what needs payments, which nobody takes here. */
export const withoutStripe = (compiled: CompiledRoutes): CompiledRoutes => ({
  ...compiled,
  routes: compiled.routes.filter(({ declared }) => !declared.stripe),
});

/** The addresses of a profile at which Stripe's events are taken. */
export const stripePlaces = ({ routes }: CompiledRoutes): StripePlace[] =>
  routes
    .filter(({ declared }) => declared.stripe)
    .map(({ path, answer, failures }) => ({
      path,
      stored: answer.fill({}),
      refuse: ({ code, message, status }) => failures.tell({ code, message, status }, {}),
    }));
