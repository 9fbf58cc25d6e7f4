import { z } from 'zod';
import { zodText } from '../text/zodText.js';
import type { Coupon } from './coupons.js';
import { Coupons, isCouponOver } from './coupons.js';
import type { CreditPack } from './credits.js';
import { CreditTerms, MAX_CREDITS } from './credits.js';
import type { AggregationOf } from './meters.js';
import { BUILT_IN, isLimitable, MAX_METERS, Meter, METER_ID, PROPERTY_NAME } from './meters.js';
import type { Overage } from './prices.js';
import { BillingTerms, MAX_TRIAL_DAYS, Overages, Prices } from './prices.js';

export { isCouponOver, MAX_CREDITS };
export type { Coupon, CreditPack };

/** Lengths of the windows that slide, in milliseconds. */
export const SLIDING_MS = { minute: 60_000, hour: 3_600_000 } as const;

export const MAX_TIERS = 20;
export const MAX_FEATURES = 50;
export const MAX_PLANS = 20;
/** One for each meter and window. */
export const MAX_LIMITS = 8;

/** Up to there counters are exact, in Redis too (decision 26). */
export const MAX_AMOUNT = Number.MAX_SAFE_INTEGER;

/** The most that a limit can be on a meter, in its smallest units. */
export const mostOf = (aggregation: Meter['aggregation'], window: z.infer<typeof Limit>['window']): number =>
  // Buckets are counted in amounts times milliseconds.
  aggregation === 'sum' && (window === 'minute' || window === 'hour')
    ? Math.floor(MAX_AMOUNT / SLIDING_MS[window])
    : MAX_AMOUNT;

/** Cost points for each request, where a plan says nothing of cost. */
const POINTS_PER_REQUEST = 100;

/** Begins the ids of what stands for an account where there is no key: in records, and never on an invoice. */
export const DEMO_ACCOUNT = 'demo-';

/** What customers read, and names of tiers and features. */
const Name = zodText({ min: 1, max: 100 });

/** A sentence for customers. */
const Line = zodText({ min: 1, max: 200 });

/** A flag, or something that a plan has so much of. */
const Feature = z.union([Name, z.strictObject({ name: Name, value: Name })]);

const Limit = z.strictObject({
  /** Names the limit in headers and answers. */
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** `requests`, `cost`, or one that the profile declares. */
  meter: z.string().regex(METER_ID),
  /**
   * day and month are fixed periods of the UTC calendar, and so is a billing period where nothing is billed; a
   * lifetime ends with the account. Over minute and hour what is counted slides, and what is summed is a bucket
   * that is refilled in that time (decision 13).
   */
  window: z.enum(['minute', 'hour', 'day', 'month', 'billing-period', 'lifetime']),
  amount: z.number().int().positive(),
  /**
   * `hard` refuses what is above it, which is the default. `soft` lets it pass, and its records say so: for what is
   * billed afterwards, or only looked at.
   */
  mode: z.enum(['hard', 'soft']).optional(),
});

const Limits = z.array(Limit).transform((limits) => {
  if (limits.some(({ meter }) => meter === 'cost')) return limits;
  const onRequests = limits.filter(({ meter }) => meter === 'requests');
  const onCost = onRequests.map(({ window, amount, mode }) => ({
    id: `cost-${window}`,
    meter: 'cost' as const,
    window,
    amount: amount * POINTS_PER_REQUEST,
    ...(mode && !(window in SLIDING_MS) && { mode }),
  }));
  return [...limits, ...onCost];
});

const Plan = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  name: Name,
  prices: Prices,
  /** Free days before the first payment, once for each account and card; none where it is left out. */
  trialDays: z.number().int().min(1).max(MAX_TRIAL_DAYS).optional(),
  /** What use above limits costs an account that has opted into it. */
  overage: Overages.optional(),
  /** Where none is on cost, each on requests has one beside it: 100 points for each request. */
  limits: Limits,
  /** Of each end customer that a use names, beside the limits of its account. They are hard. */
  subjectLimits: z.array(Limit).max(MAX_LIMITS).optional(),
  /** What it may read of the catalogue; left out, nothing. */
  catalogue: z
    .strictObject({
      tiers: z.array(Name).min(1).max(MAX_TIERS),
      /** At most so many patterns, the first by publication; null for all (decision 16). */
      patterns: z.number().int().positive().nullable(),
    })
    .default({ tiers: [], patterns: null }),
  features: z.array(Feature).max(MAX_FEATURES),
  /** Texts for who chooses among the plans: how customers are helped, what is promised, whom to ask. */
  support: Line.optional(),
  serviceLevel: Line.optional(),
  contact: Line.optional(),
});

/** Its last character ends what secret scanners look for. */
const KeyPrefix = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{1,30}_$/);

/** Properties of uses that reports go by. */
export const MAX_REPORTED_PROPERTIES = 3;

/** How uses are taken that are reported afterwards. */
const UsageTerms = z.strictObject({
  /** How old a use may be, in seconds. */
  lateWindowSeconds: z
    .number()
    .int()
    .min(0)
    .max(90 * 86_400)
    .default(7 * 86_400),
  /** How long a period stays open after its end for what was used in it, in seconds. */
  closeAfterSeconds: z.number().int().min(0).max(86_400).default(1_800),
  /** How long a reservation stays open that does not say so itself, in seconds. */
  reservationSeconds: z.number().int().min(1).max(86_400).default(300),
  /** What becomes of a reservation that nobody has ended in time. */
  onExpiry: z.enum(['release', 'charge']).default('release'),
  /** Percents of a limit over a day or longer at which the account is told, once in each period. */
  thresholds: z
    .array(z.number().int().min(1).max(100))
    .max(10)
    .refine((percents) => percents.every((percent, i) => i === 0 || percent > (percents[i - 1] as number)), {
      message: 'percents rise, each once',
    })
    .optional(),
  /** Properties of reported uses that reports go by. What has a value of its own in every use is none to name here. */
  properties: z
    .array(z.string().regex(PROPERTY_NAME, 'must be the name of a property, e.g. model'))
    .max(MAX_REPORTED_PROPERTIES)
    .refine((names) => new Set(names).size === names.length, 'names of properties must be unique')
    .optional(),
});
export type UsageTerms = z.infer<typeof UsageTerms>;

/** A product profile: what is sold, as data (`profiles/*.yaml`). */
export const Profile = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]*$/),
    product: Name,
    keys: z.strictObject({
      /** How keys begin. */
      live: KeyPrefix,
      test: KeyPrefix,
      /** Base62 characters behind the prefix, the last six a checksum; by default 32. */
      length: z.number().int().min(24).max(64).optional(),
    }),
    /** Tokens beside our own session tokens and those that an issuer signs with its published keys. */
    sessions: z
      .strictObject({
        /** Whether OIDC_ISSUERS may name issuers whose tokens are signed with a shared secret (HS256). */
        sharedSecret: z.boolean(),
      })
      .optional(),
    headers: z.strictObject({
      /** The limit that feeds the X-RateLimit-* headers. */
      limit: Name,
      /** The form of X-RateLimit-Reset: Unix seconds, which is the default, or an ISO date. */
      reset: z.enum(['seconds', 'date']).optional(),
      /** What an answer of GraphQL carries beside. */
      extra: z.array(z.enum(['X-User-Id', 'X-Response-Time', 'X-Demo-Mode'])).optional(),
      /** Whether accounts without that limit are told so: X-RateLimit-Limit and -Remaining are `unlimited`. */
      unlimited: z.boolean().optional(),
      /**
       * Headers under names of the product: the plan, or a part of that limit. Every answer has them, with
       * `none` and 0 for nobody's call, and `unlimited` for an account without that limit.
       */
      named: z
        .record(
          z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,49}$/),
          z.enum(['plan', 'limit', 'used', 'remaining']),
        )
        .optional(),
    }),
    /** The plan of an account without a subscription. */
    defaultPlan: Name,
    /** The plan that an operator grants to the demo account. */
    demoPlan: Name,
    /** Lets calls without a key read, under this plan, each address for itself; left out, they are refused. */
    demo: z.strictObject({ plan: Name }).optional(),
    /** The plan of keys that the environment names without one; left out, each has to name its own. */
    environmentKeys: z.strictObject({ plan: Name }).optional(),
    /** The feature of plans that lets accounts have webhook endpoints; left out, every account may. */
    webhooks: z.strictObject({ feature: Name }).optional(),
    /** Terms of payment; left out, the terms' own defaults. */
    billing: BillingTerms.optional(),
    /** Discounts by code on subscriptions; left out, there are none. */
    coupons: Coupons.optional(),
    /** What credits pay for, and in which packs they are sold; left out, there are none. */
    credits: CreditTerms.optional(),
    /** How uses are taken that are reported afterwards; left out, the terms' own defaults. */
    usage: UsageTerms.optional(),
    /** What is counted beside requests and cost points. */
    meters: z.array(Meter).max(MAX_METERS).optional(),
    /** Of the catalogue. Where there is none, no patterns are loaded. */
    tiers: z.array(Name).max(MAX_TIERS).default([]),
    /** From the smallest to the largest: the first that opens a pattern is the one to buy. */
    plans: z.array(Plan).min(1).max(MAX_PLANS),
  })
  .superRefine((profile, context) => {
    const ids = profile.plans.map((plan) => plan.id);
    const problem = (message: string, path: readonly (string | number)[] = []): void =>
      context.addIssue({ code: 'custom', message, path: [...path] });
    const meters = metersOf(profile);
    const names = meters.map(({ id }) => id);
    for (const [place, { id }] of (profile.meters ?? []).entries()) {
      if (names.indexOf(id) !== place + BUILT_IN.length) {
        problem(`there is a meter ${id} already`, ['meters', place, 'id']);
      }
    }
    for (const [place, { limits }] of profile.plans.entries()) {
      for (const [at, limit] of limits.entries()) {
        const wrong = unfit(limit, meters);
        // A limit on cost that the profile does not name stands for one on requests.
        if (wrong) problem(wrong, ['plans', place, 'limits', at, 'meter']);
        if (limit.mode === 'soft' && (limit.window === 'minute' || limit.window === 'hour')) {
          const what = `a limit by the ${limit.window} protects what is called, and is always hard`;
          problem(what, ['plans', place, 'limits', at, 'mode']);
        }
      }
    }
    for (const [place, { limits, subjectLimits = [] }] of profile.plans.entries()) {
      for (const [at, limit] of subjectLimits.entries()) {
        const path = ['plans', place, 'subjectLimits', at] as const;
        const wrong = unfit(limit, meters);
        if (wrong) problem(wrong, [...path, 'meter']);
        if (limit.mode === 'soft') problem('a limit on end customers is always hard', [...path, 'mode']);
        const others = [...limits, ...subjectLimits.slice(0, at)];
        if (others.some(({ id }) => id === limit.id)) {
          problem(`there is a limit ${limit.id} already`, [...path, 'id']);
        }
        const { meter, window } = limit;
        if (subjectLimits.slice(0, at).some((one) => one.meter === meter && one.window === window)) {
          problem(`there are two limits on ${meter} a ${window}`, [...path, 'meter']);
        }
      }
    }
    for (const id of Object.keys(profile.credits?.meters ?? {})) {
      const meter = meters.find((one) => one.id === id);
      if (!meter) problem(`"${id}" is not one of the meters`, ['credits', 'meters', id]);
      else if (!isLimitable(meter)) problem(`${id} does not add up`, ['credits', 'meters', id]);
    }
    for (const [place, plan] of profile.plans.entries()) {
      if (plan.trialDays !== undefined && plan.prices.length === 0) {
        problem('there is nothing to try: the plan has no price', ['plans', place, 'trialDays']);
      }
      for (const [at, overage] of (plan.overage ?? []).entries()) {
        const wrong = unfitOverage(overage, plan, billingTermsOf(profile).months);
        if (wrong) problem(wrong, ['plans', place, 'overage', at, 'limit']);
      }
    }
    for (const [place, coupon] of (profile.coupons ?? []).entries()) {
      const unknown = coupon.plans?.findIndex((plan) => !ids.includes(plan)) ?? -1;
      if (unknown >= 0) {
        const what = `"${String(coupon.plans?.[unknown])}" is not one of the plans`;
        problem(what, ['coupons', place, 'plans', unknown]);
      }
    }
    const sold = profile.webhooks?.feature;
    if (sold !== undefined && !profile.plans.some((plan) => hasFeature(plan, sold))) {
      problem(`no plan has the feature "${sold}"`, ['webhooks', 'feature']);
    }
    if (new Set(ids).size !== ids.length) problem('plan ids must be unique');
    for (const name of ['defaultPlan', 'demoPlan'] as const) {
      if (!ids.includes(profile[name])) problem(`${name} "${profile[name]}" is not one of the plans`);
    }
    for (const name of ['demo', 'environmentKeys'] as const) {
      const plan = profile[name]?.plan;
      if (plan !== undefined && !ids.includes(plan)) {
        problem(`${name}.plan "${plan}" is not one of the plans`, [name, 'plan']);
      }
    }
    for (const plan of profile.plans) {
      for (const tier of plan.catalogue.tiers) {
        if (!profile.tiers.includes(tier)) problem(`plan ${plan.id}: "${tier}" is not one of the tiers`);
      }
      const limits = plan.limits.map((limit) => limit.id);
      const counted = plan.limits.map(({ meter, window }) => `${meter} a ${window}`);
      const twice = counted.find((what, index) => counted.indexOf(what) !== index);
      if (new Set(limits).size !== limits.length) problem(`plan ${plan.id}: limit ids must be unique`);
      else if (twice !== undefined) problem(`plan ${plan.id}: there are two limits on ${twice}`);
    }
  });

/** The features of a plan; a flag has no value. */
export const featuresOf = ({
  features,
}: Pick<Plan, 'features'>): { readonly name: string; readonly value: string | null }[] =>
  features.map((one) => (typeof one === 'string' ? { name: one, value: null } : one));

export const hasFeature = (plan: Pick<Plan, 'features'>, name: string): boolean =>
  featuresOf(plan).some((feature) => feature.name === name);

/** With the defaults of what is left out. */
export const usageTermsOf = ({ usage }: { readonly usage?: UsageTerms | undefined }): UsageTerms =>
  usage ?? UsageTerms.parse({});

/** With the defaults of what is left out. */
export const billingTermsOf = ({ billing }: { readonly billing?: BillingTerms | undefined }): BillingTerms =>
  billing ?? BillingTerms.parse({});

const MAX_ISSUER = 12;

/** Who issues invoices, and in whose calendar: with the defaults of what is left out. */
export function numberingOf({ name, billing }: Pick<Profile, 'name' | 'billing'>): {
  readonly issuer: string;
  readonly timeZone: string;
} {
  const { issuer, timeZone = 'UTC' } = billing?.numbering ?? {};
  return { issuer: issuer ?? name.replaceAll('-', '').toUpperCase().slice(0, MAX_ISSUER), timeZone };
}

const THRESHOLDS: readonly number[] = [50, 80, 100];

/** Percents of a limit at which an account is told, rising. */
export const thresholdsOf = ({ usage }: { readonly usage?: UsageTerms | undefined }): readonly number[] =>
  usage?.thresholds ?? THRESHOLDS;

/** Properties of uses that reports go by. */
export const reportedProperties = ({
  usage,
}: {
  readonly usage?: UsageTerms | undefined;
}): readonly string[] => usage?.properties ?? [];

/** All meters of a profile. */
export const metersOf = ({ meters = [] }: { readonly meters?: readonly Meter[] | undefined }): Meter[] => [
  ...BUILT_IN,
  ...meters,
];

/** How the meters of a profile add up. */
export function aggregationsOf(profile: { readonly meters?: readonly Meter[] | undefined }): AggregationOf {
  const byId = new Map(metersOf(profile).map(({ id, aggregation }) => [id, aggregation]));
  return (meter) => byId.get(meter);
}

/** Why a limit cannot be held; undefined where it can. */
function unfit(limit: z.infer<typeof Limit>, meters: readonly Meter[]): string | undefined {
  const { meter: id, window, amount } = limit;
  const meter = meters.find((one) => one.id === id);
  if (!meter) return `"${id}" is not one of the meters: ${meters.map((one) => one.id).join(', ')}`;
  if (!isLimitable(meter)) {
    return `${id} is a meter of the aggregation ${meter.aggregation}; limits can be on sum and count`;
  }
  const most = mostOf(meter.aggregation, window);
  if (amount <= most) return undefined;
  const hint =
    id === 'cost'
      ? `; where a plan names no limit on cost, each on requests has one of ${POINTS_PER_REQUEST} points a request`
      : '';
  return `${amount} of ${id} a ${window} is more than can be counted: at most ${most}${hint}`;
}

/** Why overage of a limit cannot be billed; undefined where it can. */
function unfitOverage(
  { limit: id, meter }: Overage,
  { limits }: z.infer<typeof Plan>,
  months: BillingTerms['months'],
): string | undefined {
  const limit = limits.find((one) => one.id === id);
  if (!limit) return `"${id}" is not one of the plan's limits`;
  if (limit.meter !== meter) return `${id} is a limit on ${limit.meter}`;
  if (limit.window !== 'month' && limit.window !== 'billing-period') {
    return `${id} holds over a ${limit.window}; what is above a limit is billed over a month or a billing period`;
  }
  if (limit.window === 'month' && months !== 'anniversary') {
    return `${id} holds over a month of the calendar, and billing periods do not begin with one: set billing.months to anniversary`;
  }
  return undefined;
}

export type Profile = z.infer<typeof Profile>;
export type Plan = Profile['plans'][number];
/** `source`: a key's own; absent: its plan's. */
export type Limit = z.infer<typeof Limit> & { readonly source?: 'key' | 'subject' };

const NO_LIMITS: readonly Limit[] = [];
/** Limits that stay the same are the same list: what counts for them goes by that. */
const ofSubjects = new WeakMap<readonly Limit[], readonly Limit[]>();

/** The limits of each end customer, as the limiter takes them. */
export function subjectLimitsOf({ subjectLimits }: Pick<Plan, 'subjectLimits'>): readonly Limit[] {
  if (!subjectLimits) return NO_LIMITS;
  let limits = ofSubjects.get(subjectLimits);
  if (!limits) {
    limits = subjectLimits.map((limit) => ({ ...limit, source: 'subject' }));
    ofSubjects.set(subjectLimits, limits);
  }
  return limits;
}

/** A plan with the version of the profile that it is taken from. */
export interface PlanInForce {
  readonly plan: Plan;
  readonly version: number;
  /** From when the account's months count, and what it is billed by; absent: the calendar's, and nothing. */
  readonly anchors?:
    | {
        readonly month?: number | null;
        readonly billing?: number | null;
        readonly terms?: number | null;
        /** Periods that an operator has begun anew, by their windows. */
        readonly resets?: Readonly<Record<string, { readonly period: string; readonly generation: number }>>;
      }
    | undefined;
  /** The subscription that has ended last, where none runs: use from before may still be reported, and is billed. */
  readonly ended?: EndedTerms | undefined;
}

/** By what use is billed of a subscription that has ended. */
export interface EndedTerms {
  /** From when its months count, milliseconds since the epoch. */
  readonly billing: number;
  /** Revision of the event that set its last price. */
  readonly terms: number;
  /** When it has ended, milliseconds since the epoch. */
  readonly at: number;
}
