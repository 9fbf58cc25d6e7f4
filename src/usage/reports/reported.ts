import type { Refusal } from '../../eventsourcing/decider.js';
import type { Recent } from './knownUses.js';

/** What came of a use. */
export type ReportStatus = 'ACCEPTED' | 'PROVISIONAL' | 'LATE' | 'OVER_LIMIT' | 'DUPLICATE' | 'REJECTED';

export interface Reported {
  /** As it was given; null where it was no text. */
  readonly useId: string | null;
  readonly status: ReportStatus;
  /** Whether it was stored and counts in a later period than its own, which was closed. */
  readonly late: boolean;
  /** Why it was rejected. */
  readonly refusal: Refusal | null;
}

export const REUSED: Refusal = {
  code: 'USE_ID_REUSED',
  message: 'A use with this id is stored that says something else. Correct that one, or send a new id.',
  field: 'useId',
};

export const RESERVED: Refusal = {
  code: 'USE_ID_REUSED',
  message: 'This id is of a reservation. Settle it with settleReservation.',
  field: 'useId',
};

export function rejected(useId: unknown, refusal: Refusal): Reported {
  return { useId: typeof useId === 'string' ? useId : null, status: 'REJECTED', late: false, refusal };
}

/** Of one whose id is known. */
export function repeated(
  { judged, content }: { readonly judged: { readonly useId: string }; readonly content: string },
  first: Pick<Recent, 'content' | 'refusal'>,
): Reported {
  if (first.refusal) return rejected(judged.useId, first.refusal);
  if (first.content !== content) return rejected(judged.useId, REUSED);
  return { useId: judged.useId, status: 'DUPLICATE', late: false, refusal: null };
}
