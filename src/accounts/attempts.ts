/** Failed attempts at a password, for each e-mail or user in each window. */
export const ATTEMPTS = 10;
export const ATTEMPTS_WINDOW_MS = 15 * 60_000;

/** Counts attempts in a sliding window. */
export interface Attempts {
  take(who: string): {
    /** Milliseconds to wait; 0 when there is one more. */
    readonly waitMs: number;
    giveBack(): void;
  };
}
