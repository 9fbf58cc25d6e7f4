import type { Refusal } from '../../eventsourcing/decider.js';
import type { Environment } from '../../eventsourcing/event.js';
import type { Meter } from '../../plans/meters.js';
import { amountOf, isLimitable, MAX_USE_AMOUNT, PROPERTY_NAME } from '../../plans/meters.js';
import { idProblem, MAX_ID_BYTES, textProblem, tidy } from '../../text/text.js';
import { timeOf } from '../../text/time.js';
import type { Reading } from '../events.js';
import { OWN_USE } from '../events.js';
import { isMinted } from '../requestId.js';

/** Uses that one call may report. */
export const MAX_USES = 1_000;
export const MAX_PROPERTIES = 10;
export const LABEL = { min: 1, max: 200, maxBytes: 1_600 };
/** How far a reporter's clock may be ahead, in milliseconds. */
export const MAX_AHEAD_MS = 5 * 60_000;

/** A use as a back end reports it, of which nothing has been checked. */
export interface UnjudgedUse {
  readonly useId?: unknown;
  readonly keyId?: unknown;
  readonly accountId?: unknown;
  readonly meter?: unknown;
  readonly quantity?: unknown;
  readonly at?: unknown;
  readonly subject?: unknown;
  readonly properties?: unknown;
  readonly endpoint?: unknown;
  readonly method?: unknown;
  readonly source?: unknown;
  readonly durationMs?: unknown;
  readonly status?: unknown;
}

/** What a back end tells of a call that it has answered; what it leaves out is as of no call. */
export interface ReportedCall {
  readonly endpoint?: string;
  readonly method?: string;
  readonly source?: string;
  readonly durationUs?: number;
  readonly status?: 'ok' | 'error' | 'timeout';
}

/** One of which it is known what it says, and not yet who pays. */
export interface JudgedUse {
  /** As it was given. */
  readonly useId: string;
  /** As it is stored. */
  readonly id: string;
  /** One of the two at least. */
  readonly keyId: string | undefined;
  readonly accountId: string | undefined;
  readonly meter: string;
  /** In whole numbers of the meter's smallest unit. */
  readonly amount: number;
  /** What it says instead, of a meter whose uses do not add up. */
  readonly reading: Reading | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly subject: string | undefined;
  readonly properties: Readonly<Record<string, string>> | undefined;
  readonly call: ReportedCall;
}

/** Who pays for a use. */
export interface Payer {
  readonly accountId: string;
  readonly environment: Environment;
  /** Empty where the account as a whole does. */
  readonly keyId: string;
}

/** By what uses are judged. */
export interface Rules {
  readonly meters: readonly Meter[];
  readonly now: number;
  /** Whether an operator reports; all others have ids of their own. */
  readonly operator: boolean;
  /** How old a use may be, in milliseconds. */
  readonly lateWindowMs: number;
}

const DECIMAL = /^(0|[1-9]\d{0,18})(\.\d{1,30})?$/;

const refusal = (field: string, message: string, code = 'INVALID_INPUT'): Refusal => ({
  code,
  message,
  field,
});

const isRefusal = (value: object): value is Refusal => 'code' in value;

/** Judges a use by what it says: each by itself, so that one that cannot be taken takes no other with it. */
export function judgeUse(
  given: UnjudgedUse,
  { meters, now, operator, lateWindowMs }: Rules,
): JudgedUse | Refusal {
  const { useId, keyId, accountId } = given;
  if (typeof useId !== 'string') return refusal('useId', '"useId" is missing.');
  const prefix = operator ? '' : OWN_USE;
  const badId = idProblem('useId', useId, MAX_ID_BYTES - prefix.length);
  if (badId !== undefined) return refusal('useId', badId);
  if (operator && useId.startsWith(OWN_USE)) {
    return refusal('useId', `"useId" must not begin with "${OWN_USE}": so begin uses that customers report.`);
  }
  if (isMinted(useId)) return refusal('useId', 'This id is of a use that is stored.', 'USE_ID_REUSED');
  for (const [name, id] of Object.entries({ keyId, accountId })) {
    if (id != null && (typeof id !== 'string' || idProblem(name, id) !== undefined)) {
      return refusal(name, `There is no ${name === 'keyId' ? 'key' : 'account'} with this id.`, 'NOT_FOUND');
    }
  }
  if (keyId == null && accountId == null) return refusal('keyId', 'Send "keyId" or "accountId".');
  const meter = meters.find(({ id }) => id === given.meter);
  if (!meter) {
    const all = meters.map(({ id }) => id);
    return refusal('meter', `There is no meter of this name to report. There are: ${all.join(', ')}.`);
  }
  const measured = measure(given.quantity, meter);
  if (isRefusal(measured)) return measured;
  const at = timeIn(given.at, now, lateWindowMs);
  if (typeof at === 'object') return at;
  const subject = labelIn('subject', given.subject);
  if (typeof subject === 'object') return subject;
  const properties = propertiesIn(given.properties);
  if (properties && isRefusal(properties)) return properties;
  const { property } = meter;
  if (property !== undefined && !Object.hasOwn(properties ?? {}, property)) {
    return refusal('properties', `"${meter.id}" counts the values of the property "${property}": send one.`);
  }
  const call = callIn(given);
  if (isRefusal(call)) return call;
  return {
    meter: meter.id,
    amount: measured.amount,
    reading: readingOf(meter, measured.amount),
    useId,
    id: `${prefix}${useId}`,
    keyId: (keyId ?? undefined) as string | undefined,
    accountId: (accountId ?? undefined) as string | undefined,
    at,
    subject,
    properties,
    call,
  };
}

/** Of a call that lasts longer it is said that it took so long: a day, in milliseconds. */
const MAX_DURATION_MS = 86_400_000;
const ENDINGS: ReadonlySet<unknown> = new Set(['ok', 'error', 'timeout']);

function callIn({ endpoint, method, source, durationMs, status }: UnjudgedUse): ReportedCall | Refusal {
  const [path, from] = [labelIn('endpoint', endpoint), labelIn('source', source)];
  if (typeof path === 'object') return path;
  if (typeof from === 'object') return from;
  if (method != null && !(typeof method === 'string' && /^[A-Z]{1,20}$/.test(method))) {
    return refusal('method', '"method" must be an HTTP method in capitals.');
  }
  const durationUs = durationIn(durationMs);
  if (typeof durationUs === 'object') return durationUs;
  // GraphQL gives what its enum stands for; over REST it is the name.
  const ended = typeof status === 'string' ? status.toLowerCase() : status;
  if (ended != null && !ENDINGS.has(ended)) {
    return refusal('status', '"status" must be OK, ERROR or TIMEOUT.');
  }
  return {
    ...(path !== undefined && { endpoint: path }),
    ...(method != null && { method: method }),
    ...(from !== undefined && { source: from }),
    ...(durationUs !== undefined && { durationUs }),
    ...(ended != null && { status: ended as 'ok' }),
  };
}

/** @returns microseconds; undefined where nothing is said */
export function durationIn(durationMs: unknown): number | undefined | Refusal {
  if (durationMs == null) return undefined;
  if (typeof durationMs !== 'number' || !(durationMs >= 0)) {
    return refusal('durationMs', '"durationMs" must be a number of milliseconds, 0 or above.');
  }
  return Math.round(Math.min(durationMs, MAX_DURATION_MS) * 1000);
}

/**
 * An amount as it may be reported: exact, at most what one use can have, and more than nothing where it is added. Each
 * use has one value that counts once.
 */
function measure(quantity: unknown, meter: Meter): { readonly amount: number } | Refusal {
  const unique = meter.aggregation === 'unique';
  const text = quantity == null ? '1' : decimalIn(quantity);
  const amount = text === undefined ? undefined : amountOf(text, meter, unique ? 1 : MAX_USE_AMOUNT);
  if (amount !== undefined && (amount > 0 || !(unique || isLimitable(meter)))) return { amount };
  if (unique) return refusal('quantity', `"quantity" can only be 1: "${meter.id}" counts values.`);
  const most = MAX_USE_AMOUNT / 10 ** meter.decimals;
  const least = isLimitable(meter) ? 'above 0' : 'of 0 or more';
  return refusal(
    'quantity',
    `"quantity" must be a number ${least} and at most ${most}, with at most ${meter.decimals} decimals: a whole number, or a decimal in a string.`,
  );
}

function readingOf({ aggregation, property }: Meter, amount: number): Reading | undefined {
  if (aggregation === 'max' || aggregation === 'latest') return { aggregation, amount };
  return aggregation === 'unique' && property !== undefined ? { aggregation, property } : undefined;
}

function decimalIn(quantity: unknown): string | undefined {
  if (typeof quantity === 'number')
    return Number.isSafeInteger(quantity) && quantity >= 0 ? String(quantity) : undefined;
  return typeof quantity === 'string' && DECIMAL.test(quantity) ? quantity : undefined;
}

function timeIn(given: unknown, now: number, lateWindowMs: number): number | Refusal {
  if (given == null) return now;
  const at = typeof given === 'string' ? timeOf(given)?.getTime() : undefined;
  if (at === undefined) {
    return refusal('at', '"at" must be a time with a zone, like 2026-11-23T10:15:30Z.');
  }
  if (at > now + MAX_AHEAD_MS) {
    return refusal('at', '"at" is more than five minutes in the future.', 'USE_IN_FUTURE');
  }
  if (at < now - lateWindowMs) {
    const oldest = new Date(now - lateWindowMs).toISOString();
    return refusal(
      'at',
      `"at" is too long ago: the oldest use that is taken is of ${oldest}.`,
      'USE_TOO_OLD',
    );
  }
  return at;
}

function labelIn(name: string, given: unknown): string | undefined | Refusal {
  if (given == null) return undefined;
  const text = typeof given === 'string' ? tidy(given) : '';
  const problem = textProblem(name, text, LABEL);
  return problem === undefined ? text : refusal(name, problem);
}

function propertiesIn(given: unknown): Readonly<Record<string, string>> | undefined | Refusal {
  if (given == null) return undefined;
  if (!Array.isArray(given) || given.length > MAX_PROPERTIES) {
    return refusal('properties', `"properties" must be a list of at most ${MAX_PROPERTIES}.`);
  }
  const properties = new Map<string, string>();
  for (const entry of given as readonly unknown[]) {
    const { name, value } = (entry ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string' || !PROPERTY_NAME.test(name)) {
      return refusal('properties', 'The name of a property has 1 to 50 of a-z, 0-9 and _, a letter first.');
    }
    if (properties.has(name)) return refusal('properties', `There are two properties "${name}".`);
    const text = labelIn('value', value ?? '');
    if (typeof text !== 'string')
      return refusal('properties', `The value of "${name}" has 1 to 200 characters.`);
    properties.set(name, text);
  }
  if (properties.size === 0) return undefined;
  return Object.fromEntries([...properties].sort(([a], [b]) => (a < b ? -1 : 1)));
}
