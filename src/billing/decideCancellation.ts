import type { Decision } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { ending, noSubscription, PAUSED, stillAsked, unpaid } from './decideRefusals.js';
import type { BillingEvent } from './events.js';
import type { BillingState } from './state.js';

export interface RequestCancellation {
  readonly type: 'RequestCancellation';
  readonly requestId: string;
  readonly when: 'now' | 'period_end';
  readonly by: string;
  /** Whether all that was paid is given back. */
  readonly refund?: boolean;
}

export function requestCancellation(
  { paid, asked }: BillingState,
  { requestId, when, by, refund }: RequestCancellation,
): Decision<BillingEvent> {
  if (!paid) return noSubscription();
  // What is cancelled at once needs nothing else that was asked.
  const superseded = when === 'now' && !(asked?.kind === 'cancel' && asked.when === 'now');
  if (asked && !superseded) return stillAsked();
  if (when === 'period_end' && paid.pausedAt !== undefined) {
    return refuse(PAUSED, 'The subscription is paused: no period ends. Cancel it with `when: NOW`.');
  }
  if (when === 'period_end' && paid.cancelsAt !== undefined) {
    return refuse('ALREADY_CANCELLED', `The subscription ends on ${paid.cancelsAt} already.`);
  }
  const back = refund === true && { refund };
  return accept({ type: 'CancellationRequested', data: { requestId, when, by, ...back } });
}

export interface RequestPause {
  readonly type: 'RequestPause';
  readonly requestId: string;
  readonly by: string;
}

export function requestPause(
  { paid, asked }: BillingState,
  { requestId, by }: RequestPause,
): Decision<BillingEvent> {
  if (!paid) return noSubscription();
  if (asked) return stillAsked();
  if (paid.pausedAt !== undefined) return refuse(PAUSED, 'The subscription is paused already.');
  if (!paid.converted) {
    return refuse('TRIAL_RUNNING', 'Nothing is paid in a trial, so that there is nothing to pause.');
  }
  if (paid.overdue || paid.suspended) return unpaid();
  if (paid.cancelsAt !== undefined) return ending();
  if (paid.scheduled) {
    const message = `A change of plan is scheduled for ${paid.scheduled.at}. Take it back first: \`changePlan\`.`;
    return refuse('CHANGE_SCHEDULED', message);
  }
  return accept({ type: 'PauseRequested', data: { requestId, by } });
}

export interface RequestResumption {
  readonly type: 'RequestResumption';
  readonly requestId: string;
  readonly by: string;
}

/** Of what was paused, or is about to end. */
export function requestResumption(
  { paid, asked }: BillingState,
  { requestId, by }: RequestResumption,
): Decision<BillingEvent> {
  if (!paid) return noSubscription();
  if (asked) return stillAsked();
  if (paid.cancelsAt === undefined && paid.pausedAt === undefined) {
    const message = 'The subscription is neither paused nor about to end: there is nothing to resume.';
    return refuse('NOT_CANCELLED', message);
  }
  return accept({ type: 'ResumptionRequested', data: { requestId, by } });
}
