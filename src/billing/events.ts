import type { BlobRef } from '../secrets/blobs.js';

/** What was done about an event of Stripe. */
export type WebhookEffect =
  /** What it is about was fetched from Stripe, and what had changed was recorded. */
  | 'applied'
  /** A type that nothing follows from. */
  | 'none'
  /** About a customer who belongs to none of our accounts. */
  | 'unknown_customer'
  /** From Stripe's other mode, live or test: it never touches our accounts. */
  | 'other_mode';

/**
 * Stream `stripe_event-<Stripe's id>`: an event of Stripe, stored as it came before it was answered. It is a
 * signal alone: what it is about is fetched again, since events come late, twice and in any order (law 6).
 */
export type StripeEventEvent =
  | {
      readonly type: 'StripeEventReceived';
      readonly data: {
        /** E.g. `invoice.paid`; types that nobody knows yet are kept too. */
        readonly eventType: string;
        /** When it was created at Stripe, to the second. ISO 8601. */
        readonly createdAt: string;
        readonly livemode: boolean;
        readonly apiVersion: string | null;
        /** The connected account that it comes from; null for our own. */
        readonly connectedAccount: string | null;
        /** What it is about. */
        readonly object: { readonly type: string; readonly id: string | null };
        readonly customer: string | null;
        /** The whole event, which may be personal, sealed for `subject`. */
        readonly body: BlobRef & { readonly subject: string };
        /** Whether it was fetched from Stripe's list of events, after its webhook had not come. */
        readonly backfilled: boolean;
      };
    }
  | {
      readonly type: 'StripeEventHandled';
      readonly data: { readonly effect: WebhookEffect; readonly accountId: string | null };
    };

export const stripeEventStream = (id: string): string => `stripe_event-${id}`;

/** Whose personal data the bodies of Stripe's events about a customer are. */
export const customerSubject = (customer: string | null): string => `stripe:${customer ?? 'nobody'}`;
