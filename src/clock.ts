/** Milliseconds since the epoch. An argument wherever time decides something. */
export type Clock = () => number;

/** The system's clock, never going backwards within a process (decision 14). */
export function monotonicClock(read: Clock = Date.now): Clock {
  let last = 0;
  return () => (last = Math.max(last, read()));
}
