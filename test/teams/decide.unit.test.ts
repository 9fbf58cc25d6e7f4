import fc from 'fast-check';
import { fold } from '../../src/eventsourcing/decider.js';
import type { TeamCommand } from '../../src/teams/decide.js';
import { MAX_INVITATIONS, teamDecider } from '../../src/teams/decide.js';
import type { Role, TeamEvent } from '../../src/teams/events.js';
import { ROLES } from '../../src/teams/events.js';
import { given } from '../eventsourcing/given.js';

const AT = new Date('2026-11-23T12:00:00Z');
const LATER = new Date('2026-11-30T12:00:00Z');

const created: TeamEvent = { type: 'TeamCreated', data: { ownerId: 'ada' } };
const invitation = (id: string, role: Role = 'developer', invitedBy = 'ada') => ({
  invitationId: `i-${id}`,
  emailHash: `hash-${id}`,
  email: `v1:i-${id}:sealed`,
  role,
  invitedBy,
  expiresAt: LATER.toISOString(),
});
const invited = (...args: Parameters<typeof invitation>): TeamEvent => ({
  type: 'MemberInvited',
  data: invitation(...args),
});
const joined = (userId: string, role: Role = 'developer'): TeamEvent => ({
  type: 'InvitationAccepted',
  data: { invitationId: `i-${userId}`, userId, role },
});
const member = (userId: string, role: Role): TeamEvent[] => [invited(userId, role), joined(userId, role)];
const changed = (userId: string, role: Role, by = 'user:ada'): TeamEvent => ({
  type: 'MemberRoleChanged',
  data: { userId, role, by },
});
const removed = (userId: string, by = 'user:ada'): TeamEvent => ({
  type: 'MemberRemoved',
  data: { userId, by },
});
const withdrawn = (id: string, by = 'user:ada'): TeamEvent => ({
  type: 'InvitationWithdrawn',
  data: { invitationId: `i-${id}`, by },
});
const left = (userId: string): TeamEvent => ({ type: 'MemberLeft', data: { userId } });
const ended: TeamEvent = { type: 'TeamEnded', data: { by: 'policy:end-team' } };

const invite = (...args: Parameters<typeof invitation>): TeamCommand => ({
  type: 'InviteMember',
  ownerId: 'ada',
  invitation: invitation(...args),
  at: AT,
});
const accepting = (userId: string, more: object = {}): TeamCommand => ({
  type: 'AcceptInvitation',
  invitationId: `i-${userId}`,
  userId,
  emailHashes: [`hash-${userId}`],
  verified: true,
  at: AT,
  ...more,
});
const change = (actorId: string, userId: string, role: Role): TeamCommand => ({
  type: 'ChangeMemberRole',
  actorId,
  userId,
  role,
});
const remove = (actorId: string, userId: string): TeamCommand => ({ type: 'RemoveMember', actorId, userId });
const withdraw = (actorId: string, id: string): TeamCommand => ({
  type: 'WithdrawInvitation',
  actorId,
  invitationId: `i-${id}`,
});

describe('an invitation', () => {
  it('begins the team, once', () => {
    given(teamDecider).when(invite('bob')).then(created, invited('bob'));
    given(teamDecider, created).when(invite('bob')).then(invited('bob'));
  });

  it('is made by members whose role allows it, for roles up to their own', () => {
    const people = [...member('adm', 'admin'), ...member('own', 'owner'), ...member('dev', 'developer')];
    given(teamDecider, created, ...people)
      .when(invite('x', 'owner', 'own'))
      .then(invited('x', 'owner', 'own'));
    given(teamDecider, created, ...people)
      .when(invite('x', 'admin', 'adm'))
      .then(invited('x', 'admin', 'adm'));
    given(teamDecider, created, ...people)
      .when(invite('x', 'owner', 'adm'))
      .thenRefused('ROLE_MISSING');
    given(teamDecider, created, ...people)
      .when(invite('x', 'viewer', 'dev'))
      .thenRefused('ROLE_MISSING');
    given(teamDecider, created, ...people)
      .when(invite('x', 'viewer', 'eve'))
      .thenRefused('NOT_FOUND');
    // Nobody but the first owner is there before the first invitation.
    given(teamDecider)
      .when(invite('x', 'viewer', 'eve'))
      .thenRefused('NOT_FOUND');
  });

  it('to an e-mail is one at a time, until it is over', () => {
    const again = { ...invitation('bob'), invitationId: 'i-2' };
    const command: TeamCommand = { type: 'InviteMember', ownerId: 'ada', invitation: again, at: AT };
    const made: TeamEvent = { type: 'MemberInvited', data: again };
    given(teamDecider, created, invited('bob')).when(command).thenRefused('ALREADY_INVITED', 'email');
    given(teamDecider, created, invited('bob'), withdrawn('bob')).when(command).then(made);
    given(teamDecider, created, invited('bob'))
      .when({ ...command, at: LATER })
      .then(made);
  });

  it('waits with so many others at most', () => {
    const others = Array.from({ length: MAX_INVITATIONS }, (_, i) => invited(`${i}`));
    given(teamDecider, created, ...others)
      .when(invite('bob'))
      .thenRefused('TOO_MANY_INVITATIONS');
    given(teamDecider, created, ...others, joined('0'))
      .when(invite('bob'))
      .then(invited('bob'));
  });

  it('is accepted by the user of that e-mail, who has verified it, in time', () => {
    const waiting = given(teamDecider, created, invited('bob'));
    waiting.when(accepting('bob')).then(joined('bob'));
    waiting.when(accepting('bob', { verified: false })).thenRefused('EMAIL_UNVERIFIED');
    waiting.when(accepting('bob', { at: LATER })).thenRefused('TOKEN_INVALID', 'token');
    waiting.when(accepting('bob', { at: new Date(LATER.getTime() - 1) })).then(joined('bob'));
    // Whoever has found the token is not told more than that it is none.
    waiting
      .when(accepting('eve', { invitationId: 'i-bob', verified: false }))
      .thenRefused('TOKEN_INVALID', 'token');
    given(teamDecider, created).when(accepting('bob')).thenRefused('TOKEN_INVALID', 'token');
  });

  it('is good once, and followed again by who has accepted it changes nothing', () => {
    given(teamDecider, created, ...member('bob', 'developer'))
      .when(accepting('bob'))
      .then();
    given(teamDecider, created, ...member('bob', 'developer'), removed('bob'))
      .when(accepting('bob'))
      .thenRefused('TOKEN_INVALID', 'token');
    given(teamDecider, created, invited('bob'), withdrawn('bob'))
      .when(accepting('bob'))
      .thenRefused('TOKEN_INVALID', 'token');
  });

  it('adds nobody who is a member', () => {
    given(teamDecider, created, invited('ada', 'viewer'))
      .when(accepting('ada'))
      .thenRefused('ALREADY_MEMBER');
  });

  it('is withdrawn by who may give its role, while it waits', () => {
    const people = [...member('adm', 'admin'), ...member('dev', 'developer')];
    const waiting = given(teamDecider, created, ...people, invited('bob', 'viewer'), invited('own', 'owner'));
    waiting.when(withdraw('adm', 'bob')).then(withdrawn('bob', 'user:adm'));
    waiting.when(withdraw('adm', 'own')).thenRefused('ROLE_MISSING');
    waiting.when(withdraw('ada', 'own')).then(withdrawn('own'));
    waiting.when(withdraw('dev', 'bob')).thenRefused('ROLE_MISSING');
    waiting.when(withdraw('ada', 'nobody')).thenRefused('NOT_FOUND');
    waiting.when(withdraw('eve', 'bob')).thenRefused('NOT_FOUND');
    waiting.when(withdraw('ada', 'adm')).thenRefused('NOT_FOUND');
  });
});

describe('a member', () => {
  const people = [...member('adm', 'admin'), ...member('own', 'owner'), ...member('dev', 'developer')];

  it('gets another role from who may give and take it', () => {
    const there = given(teamDecider, created, ...people);
    there.when(change('ada', 'dev', 'owner')).then(changed('dev', 'owner'));
    there.when(change('adm', 'dev', 'admin')).then(changed('dev', 'admin', 'user:adm'));
    there.when(change('adm', 'dev', 'owner')).thenRefused('ROLE_MISSING');
    there.when(change('adm', 'own', 'viewer')).thenRefused('ROLE_MISSING');
    there.when(change('dev', 'dev', 'admin')).thenRefused('ROLE_MISSING');
    there.when(change('ada', 'eve', 'viewer')).thenRefused('NOT_FOUND');
    there.when(change('eve', 'dev', 'viewer')).thenRefused('NOT_FOUND');
    there.when(change('ada', 'dev', 'developer')).then();
  });

  it('is removed by who may take their role', () => {
    const there = given(teamDecider, created, ...people);
    there.when(remove('adm', 'dev')).then(removed('dev', 'user:adm'));
    there.when(remove('own', 'adm')).then(removed('adm', 'user:own'));
    there.when(remove('adm', 'own')).thenRefused('ROLE_MISSING');
    there.when(remove('dev', 'adm')).thenRefused('ROLE_MISSING');
    there.when(remove('eve', 'dev')).thenRefused('NOT_FOUND');
    there.when(remove('ada', 'eve')).thenRefused('NOT_FOUND');
    given(teamDecider, created, ...people, removed('dev'))
      .when(remove('ada', 'dev'))
      .thenRefused('NOT_FOUND');
  });

  it('leaves, whichever their role, and is none any more', () => {
    for (const userId of ['adm', 'own', 'dev']) {
      given(teamDecider, created, ...people)
        .when({ type: 'LeaveTeam', userId })
        .then(left(userId));
      given(teamDecider, created, ...people, left(userId))
        .when({ type: 'LeaveTeam', userId })
        .thenRefused('NOT_FOUND');
    }
  });

  it('who goes, or gets a lower role, leaves no invitation behind that they could no longer make', () => {
    const theirs = [invited('x', 'owner', 'own'), invited('y', 'viewer', 'own'), invited('z', 'viewer')];
    const there = given(teamDecider, created, ...people, ...theirs);
    const both = [withdrawn('x'), withdrawn('y')];
    there.when(remove('ada', 'own')).then(removed('own'), ...both);
    there.when(change('ada', 'own', 'admin')).then(changed('own', 'admin'), withdrawn('x'));
    there.when(change('ada', 'own', 'viewer')).then(changed('own', 'viewer'), ...both);
    there
      .when({ type: 'LeaveTeam', userId: 'own' })
      .then(left('own'), withdrawn('x', 'user:own'), withdrawn('y', 'user:own'));
  });

  it('whose user is no more is removed, once', () => {
    const end = { type: 'EndMembership', userId: 'dev', by: 'policy:p' } as const;
    given(teamDecider, created, ...people)
      .when(end)
      .then(removed('dev', 'policy:p'));
    given(teamDecider, created, ...people, removed('dev'))
      .when(end)
      .then();
    given(teamDecider).when(end).then();
  });
});

describe('the user who opened the account', () => {
  const there = given(teamDecider, created, ...member('own', 'owner'));

  it('stays its owner, whoever asks', () => {
    there.when({ type: 'LeaveTeam', userId: 'ada' }).thenRefused('FIRST_OWNER');
    there.when(remove('own', 'ada')).thenRefused('FIRST_OWNER');
    there.when(remove('ada', 'ada')).thenRefused('FIRST_OWNER');
    for (const role of ROLES.filter((other) => other !== 'owner')) {
      there.when(change('own', 'ada', role)).thenRefused('FIRST_OWNER');
    }
    there.when({ type: 'EndMembership', userId: 'ada', by: 'policy:p' }).then();
  });
});

describe('the team of an account that is no more', () => {
  it('ends, once, where there is one', () => {
    const end = { type: 'EndTeam', by: 'policy:end-team' } as const;
    given(teamDecider, created, invited('bob')).when(end).then(ended);
    given(teamDecider, created, ended).when(end).then();
    given(teamDecider).when(end).then();
  });

  it('takes nothing any more', () => {
    const over = given(teamDecider, created, invited('bob'), ...member('dev', 'developer'), ended);
    for (const command of [
      invite('x'),
      accepting('bob'),
      withdraw('ada', 'bob'),
      change('ada', 'dev', 'viewer'),
      remove('ada', 'dev'),
      { type: 'LeaveTeam', userId: 'dev' } as const,
    ]) {
      over.when(command).thenRefused('NOT_FOUND');
    }
  });
});

describe('whatever is asked, by whomever', () => {
  // Those who can do something ask more often.
  const person = fc.constantFrom('ada', 'ada', 'ada', 'bob', 'bob', 'cat', 'dan');
  const role = fc.constantFrom(...ROLES);
  const asked = fc.oneof(
    fc.record({ kind: fc.constant('invite' as const), actor: person, whom: person, role }),
    fc.record({
      kind: fc.constant('accept' as const),
      actor: person,
      verified: fc.constantFrom(true, true, false),
    }),
    fc.record({ kind: fc.constant('withdraw' as const), actor: person, whom: person }),
    fc.record({ kind: fc.constant('change' as const), actor: person, whom: person, role }),
    fc.record({ kind: fc.constant('remove' as const), actor: person, whom: person }),
    fc.record({ kind: fc.constant('leave' as const), actor: person }),
  );
  type Asked = typeof asked extends fc.Arbitrary<infer A> ? A : never;

  /** Ids of a person's invitations, the newest last. */
  const commandOf = (ask: Asked, n: number, ids: Map<string, string>): TeamCommand => {
    const actorId = ask.actor;
    switch (ask.kind) {
      case 'invite':
        return invite(`${ask.whom}-${n}`, ask.role, actorId);
      case 'accept':
        return accepting(actorId, {
          invitationId: ids.get(actorId) ?? 'i-none',
          emailHashes: [`hash-${ids.get(actorId)?.slice(2)}`],
          verified: ask.verified,
        });
      case 'withdraw':
        return { type: 'WithdrawInvitation', actorId, invitationId: ids.get(ask.whom) ?? 'i-none' };
      case 'change':
        return change(actorId, ask.whom, ask.role);
      case 'remove':
        return remove(actorId, ask.whom);
      case 'leave':
        return { type: 'LeaveTeam', userId: actorId };
    }
  };

  /** What each role may do to which others. */
  const MAY: Readonly<Record<Role, readonly Role[]>> = {
    owner: ROLES,
    admin: ['admin', 'developer', 'billing', 'viewer'],
    developer: [],
    billing: [],
    viewer: [],
  };

  it('there is always an owner, and nobody does what their role does not allow', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(asked, { minLength: 20, maxLength: 60 }), (asks) => {
        let state = teamDecider.initial;
        const history: TeamEvent[] = [];
        const roles = new Map<string, Role>([['ada', 'owner']]);
        const ids = new Map<string, string>();
        asks.forEach((ask, n) => {
          const decision = teamDecider.decide(state, commandOf(ask, n, ids));
          if (decision.kind === 'refused') return;
          const allowed = MAY[roles.get(ask.actor) ?? 'viewer'];
          for (const event of decision.events) {
            accepted++;
            history.push(event);
            state = teamDecider.evolve(state, event);
            const { type, data } = event;
            if (type === 'MemberInvited') {
              expect(allowed).toContain(data.role);
              ids.set((ask as { whom: string }).whom, data.invitationId);
            } else if (type === 'MemberRoleChanged') {
              expect(allowed).toContain(roles.get(data.userId));
              expect(allowed).toContain(data.role);
              roles.set(data.userId, data.role);
            } else if (type === 'MemberRemoved') {
              expect(allowed).toContain(roles.get(data.userId));
              roles.delete(data.userId);
            } else if (type === 'MemberLeft') {
              expect(data.userId).toBe(ask.actor);
              roles.delete(data.userId);
            } else if (type === 'InvitationAccepted') {
              // Whoever has invited could do it still.
              const made = history.find(
                (earlier) =>
                  earlier.type === 'MemberInvited' && earlier.data.invitationId === data.invitationId,
              );
              const by = made?.type === 'MemberInvited' ? made.data.invitedBy : '';
              expect(MAY[roles.get(by) ?? 'viewer']).toContain(data.role);
              expect(data.userId).toBe(ask.actor);
              roles.set(data.userId, data.role);
            }
          }
          expect(roles.get('ada')).toBe('owner');
          if (state.ownerId !== undefined) expect(new Map(state.roles)).toEqual(roles);
        });
        // What the stream says is what was decided on.
        expect(fold(teamDecider, history as never)).toEqual(state);
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });
});
