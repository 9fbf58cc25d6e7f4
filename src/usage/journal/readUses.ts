import type { StoredEvent } from '../../eventsourcing/event.js';
import { as } from '../../eventsourcing/event.js';
import { MAX_USE_AMOUNT } from '../../plans/meters.js';
import type { HeldUse, UsageEvent, UseGroup, UseReversal } from '../events.js';
import { PHASES, USE_STATUSES } from '../events.js';
import { completeUse, LEAVES_OUT } from './useJson.js';

/** A use that was stored and that cannot be counted: it is parked, and all others of its batch count. */
export interface BadUse {
  /** Its place in its batch, from 0 on, over all groups: it is cited as event id#index (decision 9). */
  readonly index: number;
  /** Null where that cannot be told. */
  readonly account: string | null;
  /** Why, in a sentence without what stands in the use. */
  readonly reason: string;
  /** What it spent, for the limits; null where that cannot be told. */
  readonly held: HeldUse | null;
}

/** The uses of a batch. */
export interface Uses {
  /** -1 for uses that are taken back. */
  readonly sign: 1 | -1;
  readonly groups: readonly UseGroup[];
  readonly bad: readonly BadUse[];
}

/** Bytes. What is counted by stands in indexes of the read models, whose rows are at most 2,704 long. */
const MAX = { id: 128, name: 200, label: 1_600 } as const;
const MAX_LIST = 1_000;
/** Microseconds: 11 days. */
const MAX_DURATION_US = 1e12;
/** Refusals that one record stands for. */
const MAX_COUNT = 1e12;
/** The end of the year 9999 in milliseconds. */
const MAX_TIME = 253_402_300_799_999;
const ENVIRONMENTS: readonly unknown[] = ['live', 'test'];

/**
 * What a stored batch has to be counted, and what it has that cannot be. Events are kept for ever, also
 * those that were stored before an input was refused at the door, so readers trust none (decision 32).
 * What is bad today stays bad: corrections stand in for it.
 * @param stored UsesRecorded or UsesCorrected
 * @throws TypeError where it is no batch at all
 */
export function usesOf(stored: StoredEvent): Uses {
  const { type, data } = as<UsageEvent>(stored);
  const { groups } = data as { readonly groups: unknown };
  if (!Array.isArray(groups)) throw new TypeError('a batch of uses without groups');
  // A store keeps whole text; what a text may not hold stands in its JSON as an escape, or not at all.
  const isText = stored.dataText.includes('\\u') ? isStorableText : isBoundedText;
  const leavesOut = stored.metadata.schemaVersion >= LEAVES_OUT;
  const sound: UseGroup[] = [];
  const bad: BadUse[] = [];
  let index = 0;
  for (const group of groups as readonly unknown[]) {
    if (!isGroup(group)) {
      bad.push({ index: index++, account: null, reason: 'the group is not one of uses', held: null });
      continue;
    }
    const account = isText(group.account, MAX.name) ? group.account : null;
    const before = bad.length;
    const all = leavesOut
      ? group.uses.map((use) => (isFields(use) ? completeUse(use as never) : use))
      : group.uses;
    const uses = all.filter((use) => {
      const unspent = account === null ? 'the account is not a name' : spendProblem(use, isText);
      const reason = unspent ?? reportProblem(use as Fields, isText);
      if (reason !== undefined) {
        bad.push({ index, account, reason, held: unspent === undefined ? heldBy(use as HeldUse) : null });
      }
      index++;
      return reason === undefined;
    });
    // Checked: each is a use as far as anybody counts it.
    sound.push((bad.length === before && !leavesOut ? group : { account, uses }) as UseGroup);
  }
  return { sign: type === 'UsesCorrected' ? -1 : 1, groups: sound, bad };
}

/** What a stored event adds to the list of single uses: those of a batch, or one that an operator took back. */
export function listedUses(stored: StoredEvent): readonly UseGroup[] {
  const event = as<UsageEvent | UseReversal>(stored);
  if (event.type !== 'UseReversed') return usesOf(stored).groups;
  const { account, use } = event.data;
  return [{ account, uses: [use] }];
}

/** The use at a place of its batch, whatever it is; undefined where there is none. */
export function rawUse(stored: StoredEvent, place: number): unknown {
  const { groups } = stored.data as { readonly groups: readonly unknown[] };
  return groups.flatMap((group) => (isGroup(group) ? group.uses : [group]))[place];
}

/**
 * Why a use that stands in for a bad one cannot be counted either.
 * @returns undefined for one that can
 */
export function useProblem(use: unknown): string | undefined {
  return spendProblem(use, isStorableText) ?? reportProblem(use as Fields, isStorableText);
}

type IsText = (value: unknown, maxBytes: number) => value is string;
type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

function isGroup(value: unknown): value is { readonly account: unknown; readonly uses: readonly unknown[] } {
  return isFields(value) && Array.isArray(value['uses']);
}

function isBoundedText(value: unknown, maxBytes: number): value is string {
  if (typeof value !== 'string' || value.length > maxBytes) return false;
  // No character has more than three bytes for each of its units.
  return value.length * 3 <= maxBytes || Buffer.byteLength(value) <= maxBytes;
}

/** PostgreSQL's text holds neither NUL nor half a surrogate pair. */
function isStorableText(value: unknown, maxBytes: number): value is string {
  return isBoundedText(value, maxBytes) && value.isWellFormed() && !value.includes('\0');
}

const isWhole = (value: unknown, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;

const isList = (value: unknown, isText: IsText): value is readonly string[] =>
  Array.isArray(value) && value.length <= MAX_LIST && value.every((text) => isText(text, MAX.name));

/** Of what limits go by. */
function spendProblem(use: unknown, isText: IsText): string | undefined {
  if (!isFields(use)) return 'it is not a use';
  if (!ENVIRONMENTS.includes(use['environment'])) return '"environment" is neither live nor test';
  if (!isText(use['key'], MAX.name)) return '"key" is not a name';
  if (!isWhole(use['at'], MAX_TIME)) return '"at" is not a time';
  if (!isList(use['periods'], isText)) return '"periods" are not names';
  const { meters } = use;
  if (!isFields(meters)) return '"meters" are not amounts';
  for (const meter in meters) {
    if (!isText(meter, MAX.name)) return '"meters" has what is not a name';
    if (!isWhole(meters[meter], MAX_USE_AMOUNT)) return '"meters" has what is not an amount';
  }
  return undefined;
}

/** Of what else is counted. */
function reportProblem(use: Fields, isText: IsText): string | undefined {
  const { id, operation, rootFields, patterns, status, durationUs, refusal, endpoint, source } = use;
  if (!isText(id, MAX.id)) return '"id" is not an id';
  if (!isList(rootFields, isText)) return '"rootFields" are not names';
  if (operation !== null && !isText(operation, MAX.label)) return '"operation" is not a name';
  if (operation === null && !isText(rootFields.join(), MAX.label)) return '"rootFields" are too many';
  if (!isText(endpoint, MAX.label)) return '"endpoint" is not a name';
  if (source !== null && !isText(source, MAX.label)) return '"source" is not a name';
  if (!(USE_STATUSES as readonly unknown[]).includes(status)) return '"status" is not known';
  if (!isList(patterns, isText)) return '"patterns" are not names';
  if (use['plan'] !== undefined && !isText(use['plan'], MAX.name)) return '"plan" is not a name';
  if (use['reportBy'] !== undefined && !isList(use['reportBy'], isText)) return '"reportBy" are not names';
  if (!isWhole(durationUs, MAX_DURATION_US)) return '"durationUs" is not a time';
  if (refusal !== null && !(isFields(refusal) && isWhole(refusal['count'], MAX_COUNT))) {
    return '"refusal" has no count';
  }
  return phaseProblem(use, isText);
}

/** Of a use whose id may come again. */
function phaseProblem(use: Fields, isText: IsText): string | undefined {
  const { phase, replaces, reservation, subject, properties, readings } = use;
  if (phase !== undefined && !(PHASES as readonly unknown[]).includes(phase)) return '"phase" is not known';
  if (replaces !== undefined && !isFields(replaces)) return '"replaces" are not amounts';
  for (const meter in replaces) {
    if (!isText(meter, MAX.name)) return '"replaces" has what is not a name';
    if (!isWhole(replaces[meter], MAX_USE_AMOUNT)) return '"replaces" has what is not an amount';
  }
  if (subject !== undefined && !isText(subject, MAX.name)) return '"subject" is not a name';
  if (properties !== undefined && !isFields(properties)) return '"properties" are not texts';
  for (const name in properties) {
    if (!isText(name, MAX.name) || !isText(properties[name], MAX.label)) return '"properties" are not texts';
  }
  if (readings !== undefined && !isFields(readings)) return '"readings" are not readings';
  for (const meter in readings) {
    if (!isText(meter, MAX.name) || !isReading(readings[meter], isText)) {
      return '"readings" has what is not a reading';
    }
  }
  if (phase !== 'reserved') return undefined;
  if (!isFields(reservation) || !isWhole(reservation['expiresAt'], MAX_TIME))
    return '"reservation" has no end';
  return ['release', 'charge'].includes(reservation['onExpiry'] as string)
    ? undefined
    : '"reservation" has no rule';
}

const isReading = (value: unknown, isText: IsText): boolean =>
  isFields(value) &&
  (value['aggregation'] === 'unique'
    ? isText(value['property'], MAX.name)
    : (value['aggregation'] === 'max' || value['aggregation'] === 'latest') &&
      isWhole(value['amount'], MAX_USE_AMOUNT));

const heldBy = ({ at, environment, key, meters, periods }: HeldUse): HeldUse => ({
  at,
  environment,
  key,
  meters,
  periods,
});
