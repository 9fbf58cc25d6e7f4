import type { LimitState } from './limiter.js';
import { isFixed, periodEnd } from './periods.js';

const WINDOW_SECONDS = { minute: 60, hour: 3_600, day: 86_400 } as const;

function windowSeconds({ limit: { window }, resetAt }: LimitState): number {
  if (window !== 'month') return WINDOW_SECONDS[window];
  const begin = new Date(resetAt);
  begin.setUTCMonth(begin.getUTCMonth() - 1);
  return Math.round((periodEnd('month', begin.getTime()) - begin.getTime()) / 1000);
}

const seconds = (ms: number): number => Math.max(0, Math.ceil(ms / 1000));

/**
 * The headers that tell a client where it stands: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10), and X-RateLimit-* for older clients, fed by the limit that
 * the profile names, with Reset in Unix seconds.
 */
export function rateLimitHeaders(
  states: readonly LimitState[],
  primary: string,
  now: number,
): [name: string, value: string][] {
  if (states.length === 0) return [];
  const policies = states.map((s) => `"${s.limit.id}";q=${s.limit.amount};w=${windowSeconds(s)}`);
  const current = states.map((s) => `"${s.limit.id}";r=${s.remaining};t=${seconds(s.resetAt - now)}`);
  const headers: [string, string][] = [
    ['ratelimit-policy', policies.join(', ')],
    ['ratelimit', current.join(', ')],
  ];
  const main = states.find((s) => s.limit.id === primary);
  if (main) {
    headers.push(
      ['x-ratelimit-limit', String(main.limit.amount)],
      ['x-ratelimit-used', String(main.used)],
      ['x-ratelimit-remaining', String(main.remaining)],
      ['x-ratelimit-reset', String(Math.ceil(main.resetAt / 1000))],
    );
  }
  return headers;
}

/** What browsers may read of an answer. */
export const EXPOSED_HEADERS = [
  'RateLimit-Policy',
  'RateLimit',
  'X-RateLimit-Limit',
  'X-RateLimit-Used',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
];

/** Why a limit refuses a call. */
export type LimitCode = 'RATE_LIMITED' | 'QUOTA_EXCEEDED' | 'QUERY_COST_EXCEEDED';

/** The code of a refusal by this limit: a window that slides frees up soon, a period is used up. */
export const refusalCode = ({ limit }: LimitState): LimitCode =>
  isFixed(limit.window) ? 'QUOTA_EXCEEDED' : 'RATE_LIMITED';
