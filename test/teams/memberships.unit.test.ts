import fc from 'fast-check';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import type { TeamEvent } from '../../src/teams/events.js';
import { Memberships } from '../../src/teams/memberships.js';

const METADATA = JSON.stringify({ schemaVersion: 1, at: '2026-11-23T12:00:00Z', environment: 'live' });

const HISTORY: readonly TeamEvent[] = [
  { type: 'TeamCreated', data: { ownerId: 'ada' } },
  { type: 'InvitationAccepted', data: { invitationId: 'i1', userId: 'bob', role: 'viewer' } },
  { type: 'MemberRoleChanged', data: { userId: 'bob', role: 'admin', by: 'user:ada' } },
  { type: 'MemberRemoved', data: { userId: 'bob', by: 'user:ada' } },
  { type: 'InvitationAccepted', data: { invitationId: 'i2', userId: 'bob', role: 'billing' } },
  { type: 'MemberLeft', data: { userId: 'bob' } },
];
const ROLES = [undefined, 'viewer', 'admin', undefined, 'billing', undefined];

const stored = (revision: number): StoredEvent => {
  const { type, data } = HISTORY[revision] as TeamEvent;
  return new StoredEvent(
    revision + 1,
    'team-a1',
    revision,
    `e${revision}`,
    type,
    JSON.stringify(data),
    METADATA,
  );
};

it('follow the team’s stream, each account for itself', () => {
  const memberships = new Memberships();
  HISTORY.forEach((_, revision) => {
    memberships.apply(stored(revision));
    expect(memberships.roleOf('a1', 'bob')).toBe(ROLES[revision]);
  });
  expect(memberships.roleOf('a2', 'bob')).toBeUndefined();
  expect(memberships.roleOf('a1', 'eve')).toBeUndefined();
});

it('are those of the newest event however late and often earlier ones come: who is removed stays so', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: HISTORY.length - 1 }), { minLength: 1, maxLength: 12 }),
      fc.option(fc.constantFrom(1, 2, 3, 4, 5)),
      (revisions, loaded) => {
        const memberships = new Memberships();
        if (loaded !== null) {
          const role = ROLES[loaded] as 'viewer' | undefined;
          memberships.load([{ accountId: 'a1', userId: 'bob', role: role ?? null, revision: loaded }]);
        }
        for (const revision of revisions) memberships.apply(stored(revision));
        expect(memberships.roleOf('a1', 'bob')).toBe(ROLES[Math.max(loaded ?? 0, ...revisions)]);
      },
    ),
    { numRuns: 200 },
  );
});
