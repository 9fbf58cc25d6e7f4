import type { Queries } from '../../projections/index.js';
import { Leadership } from '../following/leases.js';
import type { Logger } from '../logger.js';
import { endGrants } from '../plans/endGrants.js';
import type { Shutdown } from '../shutdown.js';
import { Wake } from '../wake.js';
import type { RunningProjections } from './projections.js';
import type { Stores } from './stores.js';

/** How late the event may be that ends a plan, in milliseconds: its limits end in time without it. */
const LATE_MS = 5_000;

/** Ends plans that were granted until a time, in one of the processes that run policies. */
export function endGrantedPlans(
  { leases }: RunningProjections,
  { accounts }: Queries,
  { commands, clock, billingClock }: Stores,
  log: Logger,
  shutdown: Shutdown,
): void {
  const onError = (error: unknown): void => log.error('granted plans cannot be ended yet', error);
  const wake = new Wake();
  const leadership = new Leadership({
    leases,
    name: 'grants',
    lead: async (_lease, until) => {
      while (!until.aborted) {
        const clocks = { clock, billingClock };
        await endGrants(commands, (at, limit) => accounts.grantsOver(at, limit), clocks).catch(onError);
        await wake.rest(until, LATE_MS);
      }
    },
    stand: () => Promise.resolve(),
    onError,
  });
  leadership.start();
  shutdown.add('granted plans', () => leadership.stop());
}
