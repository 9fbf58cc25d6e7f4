import type { Policy } from '../eventsourcing/policy.js';
import type { SubjectIds } from './reports/subjectIds.js';

/** Whom the uses of a deleted account name is forgotten with it (decision 27). */
export function forgetSubjects(subjects: Pick<SubjectIds, 'forget'>): Policy {
  return {
    name: 'forget-subjects',
    handles: new Set(['AccountDeleted']),
    react: (event) => subjects.forget(event.streamId),
  };
}
