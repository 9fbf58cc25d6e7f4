import { setTimeout } from 'node:timers/promises';

/** What is waited for needs the processor, too: whoever looks all the time takes half of it away. */
const LOOK_EVERY_MS = 10;

/** From one look to the next, where nothing tells when something has come about. */
export const pause = (): Promise<void> => setTimeout(LOOK_EVERY_MS);

/** Looks until something holds. What never comes is ended by the test's own time-out. */
export async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await pause();
}
