import { canonicalJson } from '../canonicalJson.js';
import { compositeKey } from '../eventsourcing/compositeKey.js';
import type { Environment } from '../eventsourcing/event.js';
import { contentHash, derivedId } from '../eventsourcing/ids.js';

/**
 * One use, as it is stored for ever (decision 8). No personal data. Keys are in the order of their
 * names, so that a record's JSON is canonical (RFC 8785) as written.
 */
export interface Use {
  /** Cost points of the answer; null where no formula measured it, as for a call that timed out. */
  readonly actualCost: number | null;
  /** Keyed hash of the caller's address, under a salt that changes every month; null if unknown. */
  readonly address: string | null;
  /** When the take was made, milliseconds since the epoch. */
  readonly at: number;
  /** Version of the cost formula; null where none was asked. */
  readonly costVersion: string | null;
  /** Execution without the wait for the journal, in microseconds. */
  readonly durationUs: number;
  readonly endpoint: string;
  readonly environment: Environment;
  /** Cost points that the call was let through with. */
  readonly estimatedCost: number | null;
  /** Unique among the account's uses. Ids that Tollgraph minted contain a dot; `OWN_USE` begins those of customers. */
  readonly id: string;
  /** Empty where the account as a whole has used something. */
  readonly key: string;
  /** True for one that counts in a later period than the one of its time, which was closed. */
  readonly late?: true;
  /** Amounts by meter, `cost` and `requests`: what was spent in the end. */
  readonly meters: Readonly<Record<string, number>>;
  readonly method: string;
  /** The GraphQL operation's name, null for an anonymous one. */
  readonly operation: string | null;
  /** True where a limit was used up when it was reported: it counts all the same (decision 12). */
  readonly overLimit?: true;
  /** Ids of the patterns that were read. */
  readonly patterns: readonly string[];
  /** The fixed periods in which the amounts count, e.g. `month:2026-11`. */
  readonly periods: readonly string[];
  /** Of a use whose id may come again: the first record of each phase counts (decision 29). */
  readonly phase?: Phase;
  /** The plan in force, by its id; absent where older records do not say. */
  readonly plan?: string;
  /** Version of the profile whose plan was in force. */
  readonly planVersion: number;
  /** What the reporter says of it, by name. */
  readonly properties?: Readonly<Record<string, string>>;
  /** By meter, what it says of those whose uses do not add up. */
  readonly readings?: Readonly<Record<string, Reading>>;
  /** Why it was reversed. */
  readonly reason?: string;
  /** Why it was refused; null for a call that was executed. */
  readonly refusal: RefusedUse | null;
  /** Amounts of the phase before, in whose place these stand. */
  readonly replaces?: Readonly<Record<string, number>>;
  /** Names of the properties that reports go by, as the profile had them. */
  readonly reportBy?: readonly string[];
  /** Of the request that it was, where its own id is another. */
  readonly requestId?: string;
  /** Of a reservation. */
  readonly reservation?: ReservationTerms;
  /** Root fields of the operation, in order, each once. */
  readonly rootFields: readonly string[];
  /** A label the caller gave, e.g. a data source; null for GraphQL calls. */
  readonly source: string | null;
  readonly status: UseStatus;
  /** The end customer: a random id, which the vault has for the name that was reported (decision 27). */
  readonly subject?: string;
}

/**
 * `reserved`: taken and open. `expired`: nobody ended it in time; a final record may still follow. `final`: what
 * it came to. `reversed`: the final amounts are taken back.
 */
export const PHASES = ['reserved', 'expired', 'final', 'reversed'] as const;
export type Phase = (typeof PHASES)[number];
/** As the ledger's tables have it: a later phase has a larger number. */
export const phaseNumber = (phase: Phase): number => PHASES.indexOf(phase) + 1;

/** What a use says of a meter whose uses do not add up; as the profile declared the meter at that time. */
export type Reading =
  | { readonly aggregation: 'max' | 'latest'; readonly amount: number }
  /** Each value of the property counts once. */
  | { readonly aggregation: 'unique'; readonly property: string };

/** When a reservation ends by itself, and what then becomes of what it took. */
export interface ReservationTerms {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly onExpiry: 'release' | 'charge';
}

/** `ok`; `error`: an internal error, amounts are zero but the request; `timeout`: the estimate stands. */
export const USE_STATUSES = ['ok', 'error', 'timeout', 'refused'] as const;
export type UseStatus = (typeof USE_STATUSES)[number];

export interface RefusedUse {
  readonly amount: number;
  readonly code: string;
  /** How many refusals this record stands for. */
  readonly count: number;
  readonly limit: string;
  readonly used: number;
}

/** Stands for the version of a cost formula where a back end says what a call costs that it executes itself. */
export const PRICED_ELSEWHERE = 'given';

/** Who has counters: an account, a key of it that has limits of its own, or an end customer that uses name. */
export interface Subject {
  readonly accountId: string;
  readonly environment: Environment;
  /** Undefined for the account, and for an end customer. */
  readonly keyId: string | undefined;
  /** As uses have it in `subject`. */
  readonly customerId?: string | undefined;
}

/**
 * Names a subject; a key has one environment. What stands before the colon is one of five words, so that
 * two subjects never have one name, whatever stands in an id (decision 31).
 */
export const subjectId = ({ accountId, environment, keyId, customerId }: Subject): string =>
  customerId !== undefined
    ? `customer-${environment}:${compositeKey(accountId, customerId)}`
    : keyId === undefined
      ? `${environment}:${accountId}`
      : `key:${keyId}`;

/** The same command of the same caller is the same reservation. */
export const reservationId = (caller: string, commandId: string): string =>
  `res_${derivedId('reservation', caller, commandId)}`;

/** Begins the ids of reservations that customers make for themselves: these alone they may end. */
const OWN_RESERVATION = 'res_own_';

export const ownReservationId = (caller: string, commandId: string): string =>
  `${OWN_RESERVATION}${derivedId('reservation', caller, commandId)}`;

export const isOwnReservation = (id: string): boolean => id.startsWith(OWN_RESERVATION);

/** Begins the ids of uses that customers report themselves: whatever they send, they take none of a back end. */
export const OWN_USE = 'own.';

/** Stands for a use's id among those of its account: 16 bytes in hex (decision 11). */
export const useHash = (accountId: string, useId: string): string =>
  contentHash(compositeKey(accountId, useId)).slice(0, 32);

/** What of a use its reporter tells. */
export type ToldUse = Pick<Use, 'environment' | 'key' | 'meters'> & {
  readonly properties?: Use['properties'] | undefined;
  readonly readings?: Use['readings'] | undefined;
  readonly endpoint?: string | undefined;
  readonly method?: string | undefined;
  readonly source?: string | null | undefined;
  readonly durationUs?: number | undefined;
  readonly status?: UseStatus | undefined;
  readonly subject?: string | null | undefined;
};

/**
 * Stands for what a record of a phase says: two with one hash say the same. What follows from the time at which
 * it was recorded is not in it. A whole number of 64 bits, as text.
 */
export function contentOf(told: ToldUse): string {
  const { environment, key, meters, properties = {}, readings, subject = null } = told;
  const { endpoint = '', method = '', source = null, durationUs = 0, status = 'ok' } = told;
  const plain = endpoint === '' && method === '' && source === null && durationUs === 0 && status === 'ok';
  const texts = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
  const amounts = Object.entries(meters).sort(([a], [b]) => (a < b ? -1 : 1));
  const said = [environment, key, amounts, texts, subject, ...(readings ? [canonicalJson(readings)] : [])];
  const call = plain ? [] : [[endpoint, method, source ?? '', durationUs, status]];
  const hash = contentHash(JSON.stringify([...said, ...call]));
  return BigInt.asIntN(64, BigInt(`0x${hash.slice(0, 16)}`)).toString();
}

/** Whose counters a use is added to: those of its account, and of its key and end customer where it has one. */
export function subjectsOf(
  accountId: string,
  { environment, key, subject }: Pick<Use, 'environment' | 'key'> & { readonly subject?: string | undefined },
): string[] {
  const account = { accountId, environment, keyId: undefined };
  const subjects: Subject[] = [account];
  if (key !== '') subjects.push({ ...account, keyId: key });
  if (subject !== undefined) subjects.push({ ...account, customerId: subject });
  return subjects.map(subjectId);
}

/** The uses of one account within one batch. */
export interface UseGroup {
  readonly account: string;
  readonly uses: readonly Use[];
}

/** Stream `usage-<node>-<day>`: one event is one flush of a node's journal (decisions 9 and 10). */
export type UsageEvent =
  | {
      readonly type: 'UsesRecorded';
      readonly data: {
        /** Sorted by account. */
        readonly groups: readonly UseGroup[];
        readonly node: string;
        /** The process start this batch comes from; starts of a node sort by time. */
        readonly start: string;
      };
    }
  | {
      /** Takes back uses that were stored although their callers had been told to try again. */
      readonly type: 'UsesCorrected';
      readonly data: {
        /** Id of the UsesRecorded event. */
        readonly batch: string;
        readonly groups: readonly UseGroup[];
        readonly node: string;
        readonly start: string;
      };
    };

/** What a use spent: as much of it as limits go by. */
export type HeldUse = Pick<Use, 'at' | 'environment' | 'key' | 'meters' | 'periods'>;

/** A use that no reader can count (src/usage/journal/readUses.ts), by its batch and its place in it. */
export interface ParkedUse {
  /** Id of the batch, UsesRecorded or UsesCorrected. */
  readonly event: string;
  /** From 0 on, over all groups. */
  readonly index: number;
  /** -1 where the batch takes it back. */
  readonly sign: 1 | -1;
  /** What limits have counted of it meanwhile. */
  readonly held: HeldUse | null;
}

/** Stream `parked_use-<event>.<index>`: what an operator has decided of it, once (decision 32). */
export type ParkedUseEvent =
  | {
      /** This use counts in its place. */
      readonly type: 'ParkedUseCorrected';
      readonly data: ParkedUse & { readonly account: string; readonly use: Use };
    }
  | {
      /** It counts nothing. */
      readonly type: 'ParkedUseLeftOut';
      readonly data: ParkedUse & { readonly account: string | null };
    };

/** Stream `use_reversal-<useHash>`: what takes a use back that should not have been recorded, once. */
export interface UseReversal {
  readonly type: 'UseReversed';
  readonly data: {
    readonly account: string;
    /** In the phase `reversed`, with its reason: its amounts count no more. */
    readonly use: Use;
  };
}

export const useReversalStream = (hash: string): string => `use_reversal-${hash}`;

export const parkedUseStream = (event: string, index: number): string => `parked_use-${event}.${index}`;

export const usageStream = (node: string, day: string): string => `usage-${node}-${day}`;

/** The windows whose periods can be begun anew. */
export const RESETTABLE = ['day', 'month', 'billing-period'] as const;
export type ResettableWindow = (typeof RESETTABLE)[number];

/** Stream `subscription-<account id>`: beside its plan, what an operator has done about its quotas. */
export type QuotaEvent = {
  /** From here on limits over the window count in another counter: of the account, and of each of its keys. */
  readonly type: 'QuotaReset';
  readonly data: {
    readonly window: ResettableWindow;
    /** The id of the period, without a generation. */
    readonly period: string;
    /** 1 for the first reset in the period. */
    readonly generation: number;
    readonly resetBy: string;
    readonly reason: string;
  };
};

/** A part of a limit, in one of its periods: each has one event at most. */
export interface Threshold {
  readonly accountId: string;
  /** Null for a limit of the account's plan. */
  readonly keyId: string | null;
  /** As the limit is named in answers. */
  readonly limit: string;
  readonly meter: string;
  readonly window: string;
  /** Of the limit, in the meter's smallest unit. */
  readonly max: number;
  /** As records name it; one that was reset has another name. */
  readonly period: string;
  readonly percent: number;
}

/** Stream `usage_threshold-<id>`: whether a threshold was reached. */
export type UsageThresholdEvent =
  | {
      /** A live use has taken the limit's counter to the threshold or above. */
      readonly type: 'UsageThresholdReached';
      readonly data: Threshold & { readonly used: number };
    }
  | {
      /** It was passed already when the limit came into force: nobody is told. */
      readonly type: 'UsageThresholdPassed';
      readonly data: Threshold & { readonly used: number };
    };

const thresholdId = ({ accountId, keyId, meter, window, max, period, percent }: Threshold): string =>
  derivedId('usage-threshold', accountId, keyId ?? '', meter, window, max, period, percent);

export const thresholdStream = (threshold: Threshold): string => `usage_threshold-${thresholdId(threshold)}`;
