import { isoTime } from '../../isoTime.js';
import type { Profile } from '../../plans/profile.js';
import type { LimitState } from './limiter.js';
import { usedText } from './limiter.js';
import { isFixed } from './periods.js';

/** Its name is in lower case. */
export type Header = readonly [name: string, value: string];
type HeaderRules = Profile['headers'];

const seconds = (ms: number): number => Math.max(0, Math.ceil(ms / 1000));

/**
 * The headers that tell a client where it stands: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10), and X-RateLimit-* for older clients, fed by the limit and
 * with the form of Reset that the profile names.
 */
export function rateLimitHeaders(states: readonly LimitState[], rules: HeaderRules): Header[] {
  if (states.length === 0) return [];
  let policies = '';
  let current = '';
  for (const state of states) {
    const { limit, remaining, resetAt, at, windowMs } = state;
    const comma = policies === '' ? '' : ', ';
    policies += `${comma}"${limit.id}";q=${limit.amount}`;
    current += `${comma}"${limit.id}";r=${remaining}`;
    // A limit on the whole life has no window that ends.
    if (!Number.isFinite(resetAt)) continue;
    policies += `;w=${Math.round(windowMs / 1000)}`;
    current += `;t=${seconds(resetAt - at)}`;
  }
  const headers: Header[] = [
    ['ratelimit-policy', policies],
    ['ratelimit', current],
  ];
  const main = states.find((s) => s.limit.id === rules.limit);
  if (main) {
    headers.push(
      ['x-ratelimit-limit', String(main.limit.amount)],
      ['x-ratelimit-used', usedText(main)],
      ['x-ratelimit-remaining', String(main.remaining)],
    );
    if (Number.isFinite(main.resetAt)) {
      headers.push(['x-ratelimit-reset', resetText(main.resetAt, rules.reset)]);
    }
  }
  return headers;
}

/** Rounded up, so that who waits as long does not come too early. */
function resetText(at: number, form: HeaderRules['reset']): string {
  const whole = Math.ceil(at / 1000);
  return form === 'date' ? isoTime(whole * 1000) : String(whole);
}

/** What the profile's own headers tell of. */
export interface AnswerFacts {
  /** The caller's account; undefined for nobody's call. */
  readonly accountId: string | undefined;
  /** Since the request was admitted. */
  readonly elapsedMs: number;
  /** Whether the call was let through without a key. */
  readonly demo: boolean;
  /** Of the account; undefined for nobody's call. */
  readonly plan: string | undefined;
  /** Where its limits stand; undefined where nobody can tell. */
  readonly states: readonly LimitState[] | undefined;
}

/** The headers that the profile adds. */
export function extraHeaders(rules: HeaderRules, facts: AnswerFacts): Header[] {
  const { extra = [], named = {}, limit, unlimited } = rules;
  const main = facts.states?.find((state) => state.limit.id === limit);
  const isUnlimited = facts.plan !== undefined && facts.states !== undefined && main === undefined;
  const limits: Header[] =
    unlimited === true && isUnlimited
      ? [
          ['x-ratelimit-limit', UNLIMITED],
          ['x-ratelimit-remaining', UNLIMITED],
        ]
      : [];
  const ours = Object.entries(named).flatMap(([name, fact]): Header[] => {
    const value = namedFact(fact, facts, main);
    return value === undefined ? [] : [[name.toLowerCase(), value]];
  });
  const known = extra.flatMap((name): Header[] => {
    switch (name) {
      case 'X-User-Id':
        return facts.accountId === undefined ? [] : [['x-user-id', facts.accountId]];
      case 'X-Response-Time':
        return [['x-response-time', `${facts.elapsedMs.toFixed(3)}ms`]];
      case 'X-Demo-Mode':
        return facts.demo ? [['x-demo-mode', 'true']] : [];
    }
  });
  return [...limits, ...ours, ...known];
}

const UNLIMITED = 'unlimited';

/** @returns undefined where nobody can tell */
function namedFact(
  fact: NonNullable<HeaderRules['named']>[string],
  { plan, states }: AnswerFacts,
  main: LimitState | undefined,
): string | undefined {
  if (fact === 'plan') return plan ?? 'none';
  if (plan === undefined) return '0';
  if (states === undefined) return undefined;
  if (!main) return fact === 'used' ? undefined : UNLIMITED;
  if (fact === 'used') return usedText(main);
  return String(fact === 'limit' ? main.limit.amount : main.remaining);
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
  'X-Payment-Overdue',
  'X-User-Id',
  'X-Response-Time',
  'X-Demo-Mode',
  'X-Request-Id',
  // The name of a file that an export comes as.
  'Content-Disposition',
];

/** Why a limit refuses a call. */
export type LimitCode = 'RATE_LIMITED' | 'QUOTA_EXCEEDED' | 'QUERY_COST_EXCEEDED';

/** The code of a refusal by this limit: a window that slides frees up soon, a period is used up. */
export const refusalCode = ({ limit }: LimitState): LimitCode =>
  isFixed(limit.window) ? 'QUOTA_EXCEEDED' : 'RATE_LIMITED';
