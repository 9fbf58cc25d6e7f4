import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { ParkedUse, ParkedUseEvent, Use, UseReversal } from './events.js';

/** What an operator decides of a use that cannot be counted. */
export type DecideParkedUse =
  | {
      readonly type: 'Correct';
      readonly parked: ParkedUse;
      readonly account: string;
      readonly use: Use;
    }
  | { readonly type: 'LeaveOut'; readonly parked: ParkedUse; readonly account: string | null };

/** One stream for each parked use: it is decided once, so that it counts once at most. */
export const parkedUseDecider: Decider<boolean, DecideParkedUse, ParkedUseEvent> = {
  initial: false,
  evolve: () => true,
  decide: (settled, command) => {
    if (settled) return refuse('CONFLICT', 'This use has been decided already.');
    const { parked, account } = command;
    return command.type === 'Correct'
      ? accept({
          type: 'ParkedUseCorrected',
          data: { ...parked, account: command.account, use: command.use },
        })
      : accept({ type: 'ParkedUseLeftOut', data: { ...parked, account } });
  },
};

/** What an operator takes back. */
export interface ReverseUse {
  readonly type: 'ReverseUse';
  readonly account: string;
  /** What takes it back. */
  readonly use: Use;
}

/** One stream for each use: it is reversed once. */
export const reversalDecider: Decider<boolean, ReverseUse, UseReversal> = {
  initial: false,
  evolve: () => true,
  decide: (reversed, { account, use }) =>
    reversed
      ? refuse('ALREADY_REVERSED', 'This use was reversed before.', 'useId')
      : accept({ type: 'UseReversed', data: { account, use } }),
};
