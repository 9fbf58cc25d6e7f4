import type { Decider } from '../../eventsourcing/decider.js';
import { accept } from '../../eventsourcing/decider.js';
import type { QuotaEvent, ResettableWindow } from '../events.js';

export interface ResetQuota {
  readonly type: 'ResetQuota';
  readonly window: ResettableWindow;
  /** The id of the present period, without a generation. */
  readonly period: string;
  readonly resetBy: string;
  readonly reason: string;
}

/** How often the last period of each window was reset. */
type Resets = Readonly<Partial<Record<ResettableWindow, QuotaEvent['data']>>>;

/** Resets of quotas: each begins another counter, and what was counted stays. */
export const quotaDecider: Decider<Resets, ResetQuota, QuotaEvent> = {
  initial: {},
  // The account's plan stands on the same stream.
  evolve: (resets, { type, data }) => (type === 'QuotaReset' ? { ...resets, [data.window]: data } : resets),
  decide: (resets, { window, period, resetBy, reason }) => {
    const last = resets[window];
    const generation = last?.period === period ? last.generation + 1 : 1;
    return accept({ type: 'QuotaReset', data: { window, period, generation, resetBy, reason } });
  },
};
