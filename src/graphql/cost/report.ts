import { isoTime } from '../../isoTime.js';
import type { Limit } from '../../plans/profile.js';
import { SLIDING_MS } from '../../plans/profile.js';
import type { LimitState } from '../../usage/limits/limiter.js';
import { isFixed } from '../../usage/limits/periods.js';
import type { FieldCost } from './formula.js';

/** What the header `GraphQL-Cost` asks for: a breakdown beside the answer, or in its place. */
export type CostMode = 'report' | 'validate';

/** @returns undefined for a word that the header does not have */
export function costModeOf(header: string | undefined): CostMode | 'none' | undefined {
  if (header === undefined) return 'none';
  return header === 'report' || header === 'validate' ? header : undefined;
}

/** A limit and where it stands. Its texts are the profile's, or ISO dates: nothing in them has to be escaped. */
interface Policy extends Limit {
  readonly remaining: number;
  /** Null for a limit on the whole life. */
  readonly resetAt: string | null;
}

/** `extensions.cost` of an answer, in the form that Shopify's API has made known, with every limit beside. */
export interface CostExtension {
  /** Points that the call could come to at most: they had to be there. */
  readonly requestedQueryCost: number;
  /** Points of the answer, which stay spent; null where nothing was executed. */
  readonly actualQueryCost: number | null;
  /** The bucket of cost points; null for a plan without one. */
  readonly throttleStatus: {
    readonly maximumAvailable: number;
    readonly currentlyAvailable: number;
    /** Points a second. */
    readonly restoreRate: number;
  } | null;
  readonly policies: readonly Policy[];
  /** Of prices and formula, as in the use's record. */
  readonly version: string;
  /** Only where it was asked for: the points by field, which sum up to the requested cost. */
  readonly fields?: readonly FieldCost[];
}

export function costExtension(
  cost: { readonly requested: number; readonly actual: number | null; readonly version: string },
  states: readonly LimitState[],
  fields: readonly FieldCost[] | undefined,
): CostExtension {
  return {
    requestedQueryCost: cost.requested,
    actualQueryCost: cost.actual,
    throttleStatus: throttleStatus(states),
    policies: states.map(({ limit: { id, meter, window, amount }, remaining, resetAt }) => ({
      id,
      meter,
      window,
      amount,
      remaining,
      resetAt: Number.isFinite(resetAt) ? isoTime(resetAt) : null,
    })),
    version: cost.version,
    ...(fields && { fields }),
  };
}

function throttleStatus(states: readonly LimitState[]): CostExtension['throttleStatus'] {
  for (const { limit, remaining } of states) {
    const { meter, window, amount } = limit;
    if (meter !== 'cost' || isFixed(window)) continue;
    const restoreRate = Math.round((amount / SLIDING_MS[window]) * 1e6) / 1000;
    return { maximumAvailable: amount, currentlyAvailable: remaining, restoreRate };
  }
  return null;
}

/** The same text as `JSON.stringify` makes of it, in half the time. */
export function costText({
  requestedQueryCost,
  actualQueryCost,
  throttleStatus: bucket,
  policies,
  version,
  fields,
}: CostExtension): string {
  const throttle =
    bucket &&
    `{"maximumAvailable":${bucket.maximumAvailable},"currentlyAvailable":${bucket.currentlyAvailable},"restoreRate":${bucket.restoreRate}}`;
  let limits = '';
  for (const { id, meter, window, amount, remaining, resetAt } of policies) {
    const comma = limits === '' ? '' : ',';
    limits += `${comma}{"id":"${id}","meter":"${meter}","window":"${window}","amount":${amount},"remaining":${remaining},"resetAt":${resetAt === null ? 'null' : `"${resetAt}"`}}`;
  }
  const breakdown = fields ? `,"fields":${JSON.stringify(fields)}` : '';
  return `{"requestedQueryCost":${requestedQueryCost},"actualQueryCost":${actualQueryCost},"throttleStatus":${throttle},"policies":[${limits}],"version":"${version}"${breakdown}}`;
}
