import type { Decider, Decision } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { Environment } from '../eventsourcing/event.js';
import type { Meter } from '../plans/meters.js';
import { BUILT_IN, isLimitable } from '../plans/meters.js';
import { mostOf } from '../plans/profile.js';
import { textProblem } from '../text/text.js';
import type { KeyEvent, KeyMetadata, KeyLimit, KeySecret, Scope } from './events.js';

type KeyIssued = Extract<KeyEvent, { type: 'KeyIssued' }>;

/** Requests a minute or an hour that a key can be limited to at most: so many times are kept of it. */
export const MAX_KEY_RATE = 10_000;
export const MAX_KEY_LIMITS = 8;
export const MAX_METADATA = 20;
export const METADATA_NAME = { min: 1, max: 40 };
export const METADATA_VALUE = { max: 500, lines: true };
/** Seconds that a secret may go on working beside its successor. */
export const MAX_GRACE_SECONDS = 30 * 86_400;

/** Of a key, working at once: what is being replaced, and replaced again. */
export const MAX_SECRETS = 5;

/** What somebody who manages keys may hand out: a key what it has itself, a member what the role allows. */
export interface Authority {
  /** Of a key; undefined for a member, who manages those of both. */
  readonly environment?: Environment;
  readonly scopes: readonly Scope[];
}

export type KeyCommand =
  | {
      readonly type: 'IssueKey';
      readonly key: KeyIssued['data'];
      readonly at: Date;
      /** Undefined for what the product does by itself. */
      readonly authority?: Authority | undefined;
      /** Whether the profile has limits by the hour; where it has none, not enough is kept to count them. */
      readonly hours?: boolean;
      /** Of the profile, by default those of every profile: a limit can be on what adds up. */
      readonly meters?: readonly Meter[];
    }
  | {
      readonly type: 'RotateKey';
      readonly accountId: string;
      readonly by: string;
      readonly at: Date;
      readonly secret: KeySecret;
      readonly graceSeconds: number;
      readonly authority?: Authority | undefined;
    }
  | {
      readonly type: 'RevokeKey';
      readonly accountId: string;
      readonly by: string;
      readonly authority?: Authority | undefined;
    };

interface State {
  readonly issued: KeyIssued['data'] | undefined;
  readonly revoked: boolean;
  /** When the secrets before the current one stop working, ISO 8601. */
  readonly graces: readonly string[];
}

export const keyDecider: Decider<State, KeyCommand, KeyEvent> = {
  initial: { issued: undefined, revoked: false, graces: [] },
  evolve: (state, event) => {
    if (event.type === 'KeyIssued') return { issued: event.data, revoked: false, graces: [] };
    if (event.type === 'KeyRevoked') return { ...state, revoked: true };
    return { ...state, graces: [...state.graces, event.data.graceEndsAt] };
  },
  decide: ({ issued, revoked, graces }, command) => {
    if (command.type === 'IssueKey') return issue(command);
    const { accountId, by, authority } = command;
    // Another account's key is as good as none, and to a test key so is a live one.
    if (
      issued?.accountId !== accountId ||
      (authority?.environment !== undefined && authority.environment !== issued.environment)
    ) {
      return refuse('NOT_FOUND', 'There is no key with this id in your account.', 'keyId');
    }
    if (command.type === 'RevokeKey') {
      return revoked ? accept() : accept({ type: 'KeyRevoked', data: { accountId, by } });
    }
    if (revoked || isOver(issued.expiresAt, command.at)) {
      return revoked
        ? refuse('KEY_REVOKED', 'This key has been revoked. Issue a new one.', 'keyId')
        : refuse('KEY_EXPIRED', 'This key has expired. Issue a new one.', 'keyId');
    }
    const more = beyond(authority, issued.scopes);
    if (more) return more;
    const { at, graceSeconds, secret } = command;
    if (!Number.isInteger(graceSeconds) || graceSeconds < 0 || graceSeconds > MAX_GRACE_SECONDS) {
      const message = `"graceSeconds" must be 0 to ${MAX_GRACE_SECONDS} (30 days).`;
      return refuse('INVALID_INPUT', message, 'graceSeconds');
    }
    if (graces.filter((end) => !isOver(end, at)).length >= MAX_SECRETS - 1) {
      return refuse('TOO_MANY_SECRETS', `At most ${MAX_SECRETS} secrets of a key work at once.`, 'keyId');
    }
    const graceEndsAt = new Date(at.getTime() + graceSeconds * 1000).toISOString();
    return accept({ type: 'KeyRotated', data: { accountId, by, ...secret, graceEndsAt } });
  },
};

const isOver = (expiresAt: string | null, at: Date): boolean =>
  expiresAt !== null && Date.parse(expiresAt) <= at.getTime();

/** Refuses to hand out what one does not have. */
function beyond(authority: Authority | undefined, scopes: readonly Scope[]): Decision<never> | undefined {
  if (!authority || scopes.every((scope) => authority.scopes.includes(scope))) return undefined;
  const message = authority.environment
    ? 'A key gives no scope that it does not have itself.'
    : 'Your role does not hand out keys with the scope ADMIN. Ask an owner of the account.';
  return refuse('INVALID_INPUT', message, 'scopes');
}

function issue(command: Extract<KeyCommand, { type: 'IssueKey' }>): Decision<KeyEvent> {
  const { key: data, at, authority, hours = false, meters = BUILT_IN } = command;
  if (isOver(data.expiresAt, at)) {
    return refuse('INVALID_INPUT', '"expiresAt" must be in the future.', 'expiresAt');
  }
  if (authority?.environment && authority.environment !== data.environment) {
    return refuse('INVALID_INPUT', 'A key issues keys of its own environment only.', 'environment');
  }
  return (
    beyond(authority, data.scopes) ??
    badLimits(data.limits, hours, meters) ??
    badMetadata(data.metadata) ??
    accept({ type: 'KeyIssued', data })
  );
}

function badLimits(
  limits: readonly KeyLimit[],
  hours: boolean,
  meters: readonly Meter[],
): Decision<never> | undefined {
  const refused = (message: string): Decision<never> => refuse('INVALID_INPUT', message, 'limits');
  if (limits.length > MAX_KEY_LIMITS) return refused(`A key has at most ${MAX_KEY_LIMITS} limits.`);
  const counted = new Set<string>();
  for (const { meter, window, amount } of limits) {
    const known = meters.find(({ id }) => id === meter);
    if (!known || !isLimitable(known)) {
      const all = meters.filter(isLimitable).map(({ id }) => id);
      return refused(`A limit cannot be on "${meter}", but on ${all.join(', ')}.`);
    }
    const name = `${meter} a ${window}`;
    const slides = window === 'minute' || window === 'hour';
    const most = slides && known.aggregation === 'count' ? MAX_KEY_RATE : mostOf(known.aggregation, window);
    if (counted.has(name)) return refused(`There are two limits on ${name}.`);
    counted.add(name);
    if (window === 'hour' && !hours) return refused('This service has no limits by the hour.');
    if (!Number.isInteger(amount) || amount < 1 || amount > most) {
      return refused(`The limit on ${name} must be 1 to ${most}.`);
    }
  }
  return undefined;
}

function badMetadata(metadata: readonly KeyMetadata[]): Decision<never> | undefined {
  const refused = (message: string): Decision<never> => refuse('INVALID_INPUT', message, 'metadata');
  if (metadata.length > MAX_METADATA)
    return refused(`A key has at most ${MAX_METADATA} entries of metadata.`);
  const names = new Set<string>();
  for (const { name, value } of metadata) {
    const problem =
      textProblem('metadata.name', name, METADATA_NAME) ??
      textProblem('metadata.value', value, METADATA_VALUE);
    if (problem !== undefined) return refused(problem);
    if (names.has(name)) return refused(`There are two entries of metadata with the name "${name}".`);
    names.add(name);
  }
  return undefined;
}
