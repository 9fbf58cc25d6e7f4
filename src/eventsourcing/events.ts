/**
 * Stream `corrections-main`: what events say that a reader could not handle as they were stored. Everybody
 * reads a corrected event with the data of its newest correction, from the first event on
 * (correctedStore.ts). One stream for all, so that a start finds them: people write them, one by one.
 */
export interface EventCorrected {
  readonly type: 'EventCorrected';
  readonly data: {
    /** The event that is corrected: its id, and where it stands. */
    readonly event: string;
    readonly stream: string;
    readonly revision: number;
    /** Its type; of `EventCorrected` itself there is no correction but another one of the same event. */
    readonly eventType: string;
    /** In which version its data are. */
    readonly schemaVersion: number;
    readonly data: object;
    /** The reason in its metadata; null where it has none. */
    readonly reason: string | null;
  };
}

export const CORRECTIONS_STREAM = 'corrections-main';
