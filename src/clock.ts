/**
 * Milliseconds since the epoch, as the system says. What is stored, shown, and compared with stored times
 * goes by it. It may be set, forwards and back. An argument wherever time decides something.
 */
export type Clock = () => number;

/**
 * Whole milliseconds that have passed since some moment. Never set and never back, but it means nothing
 * outside the process. Windows, ages and waits go by it, so that setting the clock neither freezes nor
 * empties them.
 */
export type Elapsed = () => number;

export const systemClock: Clock = Date.now;

export const elapsed: Elapsed = () => Math.floor(performance.now());

/** The system's clock, and the one by which is billed: the same, or a stand-in for Stripe has moved its time on. */
export interface Clocks {
  readonly clock: Clock;
  readonly billingClock: Clock;
}

/** What the clock by which is billed said at a moment of the system's: it was as far ahead as it is now. */
export const billingTimeOf = (at: number, { clock, billingClock }: Clocks): number =>
  clock === billingClock ? at : at + billingClock() - clock();
