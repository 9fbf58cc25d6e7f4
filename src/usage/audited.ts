import type { Audited } from '../eventsourcing/audited.js';
import type { ParkedUse, ParkedUseEvent } from './events.js';

/** As it is cited (decision 9). */
const subjectOf = ({ event, index }: ParkedUse): string => `use:${event}#${index}`;

/** What the audit log keeps: what operators have decided of uses that cannot be counted. */
export const audited: Audited<ParkedUseEvent> = {
  ParkedUseCorrected: (use) => ({ account: use.account, subject: subjectOf(use) }),
  ParkedUseLeftOut: (use) => ({ account: use.account, subject: subjectOf(use) }),
};
