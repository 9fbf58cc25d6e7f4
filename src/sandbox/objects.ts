import type { Billed } from './rules/proration.js';
import type { CardBehaviour } from './rules/cards.js';
import type { Debit } from './rules/debits.js';
import type { Pricing, Tier } from './rules/pricing.js';
import type { Period, Recurrence, Seconds } from './rules/time.js';

// Stripe's objects as they are stored: what the API shows, and under `$` what it doesn't. Only what the
// rules work with has a type; the rest is made where the object is made.

export interface Stored {
  id: string;
  object: string;
  created: Seconds;
  [field: string]: unknown;
}

export interface List<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  url: string;
}

export type Metadata = Record<string, string>;

export interface Customer extends Stored {
  balance: number;
  currency: string | null;
  email: string | null;
  name: string | null;
  discount: Discount | null;
  delinquent: boolean;
  invoice_prefix: string;
  next_invoice_sequence: number;
  invoice_settings: { default_payment_method: string | null; [field: string]: unknown };
  tax_exempt: string;
  metadata: Metadata;
  deleted?: true;
}

export interface Product extends Stored {
  active: boolean;
  name: string;
  default_price: string | null;
  metadata: Metadata;
  updated: Seconds;
}

export interface Price extends Stored, Omit<Pricing, 'tiers'> {
  active: boolean;
  currency: string;
  lookup_key: string | null;
  metadata: Metadata;
  nickname: string | null;
  product: string;
  recurring:
    | (Recurrence & { usage_type: 'licensed' | 'metered'; meter: string | null; trial_period_days: null })
    | null;
  type: 'one_time' | 'recurring';
  unit_amount: number | null;
  $: { tiers?: Tier[] };
}

export interface PaymentMethod extends Stored {
  customer: string | null;
  type: 'card' | 'sepa_debit';
  /** Absent of a bank account. */
  card?: {
    exp_month: number;
    exp_year: number;
    last4: string;
    brand: string;
    fingerprint: string;
    [f: string]: unknown;
  };
  $: { behaviour: CardBehaviour; authenticated?: boolean; debit?: Debit };
}

export interface Discount extends Stored {
  id: string;
  customer: string | null;
  subscription: string | null;
  promotion_code: string | null;
  source: { type: 'coupon'; coupon: string };
  start: Seconds;
  end: Seconds | null;
}

export interface Coupon extends Stored {
  amount_off: number | null;
  percent_off: number | null;
  currency: string | null;
  duration: 'forever' | 'once' | 'repeating';
  duration_in_months: number | null;
  max_redemptions: number | null;
  redeem_by: Seconds | null;
  times_redeemed: number;
  valid: boolean;
  $: { products?: string[] };
}

export interface TaxRate extends Stored {
  percentage: number;
  inclusive: boolean;
  active: boolean;
}

export interface SubscriptionItem {
  id: string;
  object: 'subscription_item';
  created: Seconds;
  current_period_start: Seconds;
  current_period_end: Seconds;
  metadata: Metadata;
  price: Price;
  quantity?: number;
  subscription: string;
  discounts: string[];
  tax_rates: TaxRate[];
  $: {
    /** What was billed for the current period: what a change gives back. */
    billed: Billed[];
    /** Since when metered use counts for the next invoice. */
    usageFrom: Seconds;
  };
  [field: string]: unknown;
}

export type SubscriptionStatus =
  'active' | 'canceled' | 'incomplete' | 'incomplete_expired' | 'past_due' | 'paused' | 'trialing' | 'unpaid';

export interface PendingUpdate {
  expires_at: Seconds;
  subscription_items: SubscriptionItem[] | null;
  trial_end: Seconds | null;
  [field: string]: unknown;
}

export interface Subscription extends Stored {
  billing_cycle_anchor: Seconds;
  cancel_at: Seconds | null;
  cancel_at_period_end: boolean;
  canceled_at: Seconds | null;
  cancellation_details: {
    comment: string | null;
    feedback: string | null;
    reason: string | null;
    [f: string]: unknown;
  };
  collection_method: string;
  currency: string;
  customer: string;
  default_payment_method: string | null;
  default_tax_rates: TaxRate[];
  discounts: string[];
  ended_at: Seconds | null;
  items: List<SubscriptionItem>;
  latest_invoice: string | null;
  metadata: Metadata;
  pause_collection: {
    behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void';
    resumes_at: Seconds | null;
  } | null;
  pending_setup_intent: string | null;
  pending_update: PendingUpdate | null;
  schedule: string | null;
  start_date: Seconds;
  status: SubscriptionStatus;
  /** Null unless it is paused. */
  status_details: {
    paused: {
      type: 'subscription';
      subscription: { type: 'pause_requested' | 'trial_end_without_payment_method' };
      transitioned_at: Seconds;
    };
  } | null;
  trial_end: Seconds | null;
  trial_start: Seconds | null;
  trial_settings: { end_behavior: { missing_payment_method: 'cancel' | 'create_invoice' | 'pause' } };
  $: {
    /** The end of the trial for which `trial_will_end` was sent. */
    toldTrialEnd?: Seconds;
    /** The end of the period for which `invoice.upcoming` was sent. */
    toldUpcoming?: Seconds;
    pending?: PendingChange;
  };
}

/** An update that waits for its invoice to be paid. */
export interface PendingChange {
  invoice: string;
  items: SubscriptionItem[];
}

export interface InvoiceLine {
  id: string;
  object: 'line_item';
  amount: number;
  currency: string;
  description: string;
  discountable: boolean;
  discount_amounts: { amount: number; discount: string }[];
  discounts: string[];
  invoice: string;
  livemode: false;
  metadata: Metadata;
  parent: Record<string, unknown>;
  period: Period;
  pretax_credit_amounts: unknown[];
  pricing: {
    type: 'price_details';
    price_details: { price: string; product: string };
    unit_amount_decimal: string | null;
  } | null;
  quantity: number | null;
  quantity_decimal: string | null;
  subscription: string | null;
  subtotal: number;
  taxes: Record<string, unknown>[];
  $: {
    taxRates: TaxRate[];
    /** The subscription item, and for what time it is billed by this line. */
    item?: string;
    /** Metered use is measured again until the invoice is final. */
    metered?: { from: Seconds; to: Seconds };
    /** The pending invoice item that became this line. */
    invoiceItem?: string;
  };
}

export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'uncollectible' | 'void';

export interface Invoice extends Stored {
  amount_due: number;
  amount_paid: number;
  amount_remaining: number;
  attempt_count: number;
  attempted: boolean;
  auto_advance: boolean;
  automatically_finalizes_at: Seconds | null;
  billing_reason: string;
  collection_method: string;
  currency: string;
  customer: string;
  default_payment_method: string | null;
  default_tax_rates: TaxRate[];
  discounts: string[];
  ending_balance: number | null;
  lines: List<InvoiceLine>;
  metadata: Metadata;
  next_payment_attempt: Seconds | null;
  number: string | null;
  parent: {
    type: string;
    subscription_details: {
      subscription: string;
      metadata: Metadata;
      subscription_proration_date?: Seconds;
    } | null;
    quote_details: null;
  } | null;
  period_start: Seconds;
  period_end: Seconds;
  post_payment_credit_notes_amount: number;
  pre_payment_credit_notes_amount: number;
  starting_balance: number;
  status: InvoiceStatus;
  status_transitions: {
    finalized_at: Seconds | null;
    marked_uncollectible_at: Seconds | null;
    paid_at: Seconds | null;
    voided_at: Seconds | null;
  };
  subtotal: number;
  total: number;
  total_discount_amounts: { amount: number; discount: string }[];
  total_taxes: Record<string, unknown>[];
  webhooks_delivered_at: Seconds | null;
  $: { payments: string[]; paymentIntent?: string; waited?: boolean };
}

export interface InvoiceItem extends Stored {
  amount: number;
  currency: string;
  customer: string;
  date: Seconds;
  description: string | null;
  discountable: boolean;
  discounts: string[];
  invoice: string | null;
  metadata: Metadata;
  parent: {
    type: 'subscription_details';
    subscription_details: { subscription: string; subscription_item: string | null };
  } | null;
  period: Period;
  pricing: InvoiceLine['pricing'];
  proration: boolean;
  quantity: number;
  tax_rates: TaxRate[];
  /** What a credit gives back. */
  $: { credited?: { invoice: string; invoice_line_items: string[] } };
}

export interface InvoicePayment extends Stored {
  amount_paid: number | null;
  amount_requested: number;
  currency: string;
  invoice: string;
  is_default: boolean;
  payment: { type: 'payment_intent'; payment_intent: string };
  status: 'open' | 'paid' | 'canceled';
  status_transitions: { canceled_at: Seconds | null; paid_at: Seconds | null };
}

export type IntentStatus =
  | 'canceled'
  | 'processing'
  | 'requires_action'
  | 'requires_capture'
  | 'requires_confirmation'
  | 'requires_payment_method'
  | 'succeeded';

export interface PaymentIntent extends Stored {
  amount: number;
  amount_received: number;
  client_secret: string;
  currency: string;
  customer: string | null;
  description: string | null;
  last_payment_error: Record<string, unknown> | null;
  latest_charge: string | null;
  metadata: Metadata;
  next_action: Record<string, unknown> | null;
  payment_method: string | null;
  setup_future_usage: string | null;
  status: IntentStatus;
  $: {
    invoice?: string;
    checkout?: string;
    returnUrl?: string;
    /** What the bank will say of a direct debit, and when. */
    debit?: { at: Seconds; fails: boolean };
  };
}

export interface SetupIntent extends Stored {
  client_secret: string;
  customer: string | null;
  last_setup_error: Record<string, unknown> | null;
  metadata: Metadata;
  next_action: Record<string, unknown> | null;
  payment_method: string | null;
  status: IntentStatus;
  usage: string;
  $: { returnUrl?: string };
}

export interface Charge extends Stored {
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  currency: string;
  customer: string | null;
  disputed: boolean;
  paid: boolean;
  payment_intent: string;
  payment_method: string;
  refunded: boolean;
  status: 'failed' | 'pending' | 'succeeded';
}

export interface CheckoutSession extends Stored {
  amount_subtotal: number;
  amount_total: number;
  cancel_url: string | null;
  currency: string;
  customer: string | null;
  customer_email: string | null;
  expires_at: Seconds;
  invoice: string | null;
  metadata: Metadata;
  mode: 'payment' | 'setup' | 'subscription';
  payment_intent: string | null;
  payment_status: 'no_payment_required' | 'paid' | 'unpaid';
  setup_intent: string | null;
  status: 'complete' | 'expired' | 'open';
  subscription: string | null;
  success_url: string | null;
  url: string | null;
  /** What was asked for, kept until somebody pays. */
  $: {
    lines: CheckoutLine[];
    /** As the API shows the lines. */
    lineItems: unknown[];
    params: Record<string, unknown>;
    /** Why the last card was not charged, for the page. */
    failure?: string;
    discounts: string[];
  };
}

export interface CheckoutLine {
  price: Price;
  quantity: number;
}

export interface StripeEvent extends Stored {
  type: string;
  data: { object: unknown; previous_attributes?: Record<string, unknown> };
  pending_webhooks: number;
}

/** One event on its way to one endpoint. Times are real ones. */
export interface Delivery extends Stored {
  event: string;
  url: string;
  attempts: { at: number; status: number | null; problem: string | null }[];
  /** When it is tried next; null once it is done or given up. */
  due: number | null;
  delivered: boolean;
}

export interface WebhookEndpoint extends Stored {
  url: string;
  enabled_events: string[];
  status: 'disabled' | 'enabled';
  $: { secret: string };
}

export interface SavedAnswer extends Stored {
  request: string;
  status: number;
  body: string;
}

export interface SandboxClock extends Stored {
  /** How far the sandbox is ahead of real time, in seconds. */
  ahead: number;
}

export interface Meter extends Stored {
  event_name: string;
  default_aggregation: { formula: 'count' | 'last' | 'sum' };
  customer_mapping: { event_payload_key: string; type: 'by_id' };
  value_settings: { event_payload_key: string };
  event_time_window: 'day' | 'hour' | null;
  status: 'active' | 'inactive';
}

export interface MeterEvent extends Stored {
  meter: string;
  customer: string;
  identifier: string;
  timestamp: Seconds;
  value: string;
  cancelled: boolean;
}

export interface SchedulePhase {
  start_date: Seconds;
  end_date: Seconds;
  items: {
    price: string;
    quantity?: number;
    metadata: Record<string, string>;
    tax_rates: TaxRate[];
    [f: string]: unknown;
  }[];
  default_tax_rates: TaxRate[];
  proration_behavior: 'always_invoice' | 'create_prorations' | 'none';
  /** Coupons were redeemed when they were named here: there are discounts alone. */
  discounts: { coupon: null; discount: string; promotion_code: null }[];
  [field: string]: unknown;
}

export interface Schedule extends Stored {
  customer: string;
  current_phase: Period2 | null;
  end_behavior: 'cancel' | 'none' | 'release' | 'renew';
  phases: SchedulePhase[];
  status: 'active' | 'canceled' | 'completed' | 'not_started' | 'released';
  subscription: string | null;
  released_subscription: string | null;
}
export interface Period2 {
  start_date: Seconds;
  end_date: Seconds;
}

export interface Refund extends Stored {
  amount: number;
  charge: string;
  payment_intent: string;
  status: 'canceled' | 'failed' | 'pending' | 'succeeded';
  /** When it fails after all. */
  $?: { failsAt?: Seconds };
}

export interface Dispute extends Stored {
  amount: number;
  charge: string;
  payment_intent: string;
  /** Those that begin with `warning` are inquiries. */
  status:
    | 'lost'
    | 'needs_response'
    | 'under_review'
    | 'warning_closed'
    | 'warning_needs_response'
    | 'warning_under_review'
    | 'won';
  evidence: Record<string, unknown>;
  evidence_details: { due_by: number; [field: string]: unknown };
  is_charge_refundable: boolean;
}

export interface CreditNote extends Stored {
  amount: number;
  invoice: string;
  status: 'issued' | 'void';
}

export interface PromotionCode extends Stored {
  active: boolean;
  code: string;
  customer: string | null;
  expires_at: Seconds | null;
  max_redemptions: number | null;
  times_redeemed: number;
  promotion: { type: 'coupon'; coupon: string };
}

/** What there is, by the name of its kind, with the prefix of its ids. */
export interface Objects {
  customer: Customer;
  product: Product;
  price: Price;
  payment_method: PaymentMethod;
  discount: Discount;
  coupon: Coupon;
  promotion_code: PromotionCode;
  tax_rate: TaxRate;
  subscription: Subscription;
  subscription_schedule: Schedule;
  invoice: Invoice;
  invoiceitem: InvoiceItem;
  invoice_payment: InvoicePayment;
  payment_intent: PaymentIntent;
  setup_intent: SetupIntent;
  charge: Charge;
  refund: Refund;
  dispute: Dispute;
  credit_note: CreditNote;
  customer_balance_transaction: Stored;
  'checkout.session': CheckoutSession;
  'billing_portal.session': Stored & { customer: string; return_url: string | null; url: string };
  'billing_portal.configuration': Stored;
  'billing.meter': Meter;
  'billing.meter_event': MeterEvent;
  event: StripeEvent;
  webhook_endpoint: WebhookEndpoint;
  delivery: Delivery;
  saved_answer: SavedAnswer;
  clock: SandboxClock;
}
export type Kind = keyof Objects;

export const PREFIXES: Readonly<Record<Kind, string>> = {
  customer: 'cus',
  product: 'prod',
  price: 'price',
  payment_method: 'pm',
  discount: 'di',
  coupon: 'coupon',
  promotion_code: 'promo',
  tax_rate: 'txr',
  subscription: 'sub',
  subscription_schedule: 'sub_sched',
  invoice: 'in',
  invoiceitem: 'ii',
  invoice_payment: 'inpay',
  payment_intent: 'pi',
  setup_intent: 'seti',
  charge: 'ch',
  refund: 're',
  dispute: 'du',
  credit_note: 'cn',
  customer_balance_transaction: 'cbtxn',
  'checkout.session': 'cs_test',
  'billing_portal.session': 'bps',
  'billing_portal.configuration': 'bpc',
  'billing.meter': 'mtr',
  'billing.meter_event': 'mtrev',
  event: 'evt',
  webhook_endpoint: 'we',
  delivery: 'del',
  saved_answer: 'idem',
  clock: 'clock',
};
