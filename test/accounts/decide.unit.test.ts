import { accountDecider } from '../../src/accounts/decideAccount.js';
import { emailDecider } from '../../src/accounts/decideEmail.js';
import { userDecider } from '../../src/accounts/decideUser.js';
import type { AccountEvent, EmailEvent, UserEvent } from '../../src/accounts/events.js';
import { given } from '../eventsourcing/given.js';

const sealed = { email: 'v1:u1:e', name: 'v1:u1:n' };

describe('an e-mail', () => {
  const registration = { userId: 'u1', accountId: 'a1', ...sealed, passwordHash: 'v1:u1:p' };
  const register = { type: 'RegisterEmail', registration } as const;
  const registered: EmailEvent = { type: 'EmailRegistered', data: registration };
  const release = { type: 'ReleaseEmail', userId: 'u1' } as const;
  const released: EmailEvent = { type: 'EmailReleased', data: { userId: 'u1' } };
  const others = { ...registration, userId: 'u2', accountId: 'a2' };

  it('is registered when nobody has it', () => {
    given(emailDecider).when(register).then(registered);
  });

  it('takes an invitation where only those may register, one that is not over', () => {
    const invitation = {
      invitationId: 'i1',
      email: 'v1:i1:e',
      expiresAt: '2026-12-01T00:00:00.000Z',
      accountId: 'a0',
    };
    const invited: EmailEvent = { type: 'EmailInvited', data: invitation };
    const invitedAt = (at: string) => ({ ...register, invitedAt: new Date(at) });
    given(emailDecider).when({ type: 'InviteEmail', invitation }).then(invited);
    given(emailDecider, invited).when(invitedAt('2026-11-30T23:59:59.999Z')).then(registered);
    given(emailDecider, invited)
      .when(invitedAt(invitation.expiresAt))
      .thenRefused('INVITATION_REQUIRED', 'email');
    given(emailDecider).when(invitedAt('2026-11-01T00:00:00Z')).thenRefused('INVITATION_REQUIRED', 'email');
    // Once it is used, it is over.
    given(emailDecider, invited, registered, released)
      .when(invitedAt('2026-11-01T00:00:00Z'))
      .thenRefused('INVITATION_REQUIRED', 'email');
    given(emailDecider, registered)
      .when({ type: 'InviteEmail', invitation })
      .thenRefused('EMAIL_TAKEN', 'email');
  });

  it('is refused to the next one, also with the very same data', () => {
    given(emailDecider, registered)
      .when({ type: 'RegisterEmail', registration: others })
      .thenRefused('EMAIL_TAKEN', 'email');
    given(emailDecider, registered).when(register).thenRefused('EMAIL_TAKEN', 'email');
  });

  it('is released by the user who has it, once, and free again', () => {
    given(emailDecider, registered).when(release).then(released);
    given(emailDecider, registered, released).when(release).then();
    given(emailDecider, registered, released)
      .when({ type: 'RegisterEmail', registration: others })
      .then({ type: 'EmailRegistered', data: others });
  });

  it('stays with the next user however late the release of the first comes again', () => {
    const next: EmailEvent = { type: 'EmailRegistered', data: others };
    given(emailDecider, registered, released, next).when(release).then();
    given(emailDecider, registered, released, next).when(register).thenRefused('EMAIL_TAKEN', 'email');
  });

  it('that nobody has changes nothing when it is released', () => {
    given(emailDecider).when(release).then();
  });

  const claim = { ...registration, registeredAt: '2026-11-22T12:00:00.000Z' };
  const claimed: EmailEvent = { type: 'EmailClaimed', data: claim };

  it('is claimed by a user who changes to it when nobody has it, once, and released like any other', () => {
    given(emailDecider).when({ type: 'ClaimEmail', claim }).then(claimed);
    given(emailDecider, claimed).when({ type: 'ClaimEmail', claim }).then();
    given(emailDecider, claimed).when(release).then(released);
    given(emailDecider, claimed, released)
      .when({ type: 'RegisterEmail', registration: others })
      .then({ type: 'EmailRegistered', data: others });
  });

  it('that somebody else has is claimed by nobody, and one that was claimed is registered by nobody', () => {
    const next: EmailEvent = { type: 'EmailRegistered', data: others };
    given(emailDecider, next).when({ type: 'ClaimEmail', claim }).thenRefused('EMAIL_TAKEN', 'email');
    given(emailDecider, claimed)
      .when({ type: 'RegisterEmail', registration: others })
      .thenRefused('EMAIL_TAKEN', 'email');
  });

  it.each([
    ['nobody has', []],
    ['somebody has', [registered]],
    ['somebody had', [registered, released]],
  ] as const)('that %s is asked for a new password in the same way, three at once', (_who, before) => {
    const at = new Date('2026-11-23T12:00:00.000Z');
    const ask = (minutes: number) => ({
      type: 'RequestPasswordReset' as const,
      at: new Date(at.getTime() + minutes * 60_000),
      expiresAt: new Date(at.getTime() + (minutes + 60) * 60_000),
    });
    const asked = (minutes: number): EmailEvent => ({
      type: 'PasswordResetRequested',
      data: { expiresAt: ask(minutes).expiresAt.toISOString() },
    });
    given(emailDecider, ...before)
      .when(ask(0))
      .then(asked(0));
    const three = [...before, asked(0), asked(1), asked(2)];
    given(emailDecider, ...three)
      .when(ask(59))
      .then();
    given(emailDecider, ...three)
      .when(ask(60))
      .then(asked(60));
    given(emailDecider, ...three, asked(60))
      .when(ask(60))
      .then();
  });

  it('stays with whoever has it while a new password is asked for', () => {
    const asked: EmailEvent = {
      type: 'PasswordResetRequested',
      data: { expiresAt: '2026-11-23T12:00:00.000Z' },
    };
    given(emailDecider, registered, asked).when(register).thenRefused('EMAIL_TAKEN', 'email');
  });
});

describe('a user', () => {
  const data = { accountId: 'a1', ...sealed };
  const registered: UserEvent = { type: 'UserRegistered', data };
  const confirm = { type: 'ConfirmErasure', accountId: 'a1' } as const;
  const erased: UserEvent = { type: 'UserErased', data: { accountId: 'a1' } };

  it('is registered', () => {
    given(userDecider).when({ type: 'RegisterUser', user: data }).then(registered);
  });

  it('is registered once, however often the policy asks', () => {
    given(userDecider, registered).when({ type: 'RegisterUser', user: data }).then();
    given(userDecider, registered, erased).when({ type: 'RegisterUser', user: data }).then();
  });

  it('is erased once, however often the policy asks', () => {
    given(userDecider, registered).when(confirm).then(erased);
    given(userDecider, registered, erased).when(confirm).then();
  });

  it('that was erased before the policy came to register it is not registered any more', () => {
    given(userDecider, erased).when({ type: 'RegisterUser', user: data }).then();
  });

  it('is not brought back by the end of its sessions once it is erased', () => {
    const ended: UserEvent = { type: 'SessionsEnded', data: { accountId: 'a1', epoch: 1 } };
    given(userDecider, registered, erased, ended).when(confirm).then();
  });
});

describe('the password of a user', () => {
  const registered: UserEvent = { type: 'UserRegistered', data: { accountId: 'a1', ...sealed } };
  const change = { type: 'ChangePassword', accountId: 'a1', passwordHash: 'v1:u1:q', epoch: 0 } as const;
  const changed: UserEvent = {
    type: 'PasswordChanged',
    data: { accountId: 'a1', passwordHash: 'v1:u1:q', epoch: 1 },
  };

  it('changes with the epoch, so that all sessions end', () => {
    given(userDecider, registered).when(change).then(changed);
  });

  it('does not change when it was checked before the last change, or before all sessions ended', () => {
    given(userDecider, registered, changed).when(change).thenRefused('PASSWORD_WRONG', 'currentPassword');
    given(userDecider, registered, { type: 'SessionsEnded', data: { accountId: 'a1', epoch: 1 } })
      .when(change)
      .thenRefused('PASSWORD_WRONG', 'currentPassword');
  });

  it('is nobody’s before there is a user, and once it is erased', () => {
    given(userDecider).when(change).thenRefused('NOT_FOUND');
    given(userDecider, registered, { type: 'UserErased', data: { accountId: 'a1' } })
      .when(change)
      .thenRefused('NOT_FOUND');
  });
});

describe('a forgotten password', () => {
  const registered: UserEvent = { type: 'UserRegistered', data: { accountId: 'a1', ...sealed } };
  const verified: UserEvent = { type: 'EmailVerified', data: { accountId: 'a1' } };
  const offer = {
    email: 'v1:u1:e',
    name: 'v1:u1:n',
    emailHash: 'h1',
    expiresAt: '2026-11-23T13:00:00.000Z',
  };
  const offered = (epoch: number): UserEvent => ({
    type: 'PasswordResetOffered',
    data: { accountId: 'a1', ...offer, epoch },
  });
  const reset = { type: 'ResetPassword', passwordHash: 'v1:u1:q', emailHash: 'h1', epoch: 0 } as const;
  const changed: UserEvent = {
    type: 'PasswordChanged',
    data: { accountId: 'a1', passwordHash: 'v1:u1:q', epoch: 1 },
  };
  const emailChanged: UserEvent = {
    type: 'EmailChanged',
    data: { accountId: 'a1', email: 'v1:u1:f', emailHash: 'h2', previous: 'v1:u1:e', previousHash: 'h1' },
  };

  it('is offered to be set anew in the epoch of the user', () => {
    given(userDecider, registered).when({ type: 'OfferPasswordReset', offer }).then(offered(0));
    given(userDecider, registered, changed).when({ type: 'OfferPasswordReset', offer }).then(offered(1));
    given(userDecider).when({ type: 'OfferPasswordReset', offer }).thenRefused('NOT_FOUND');
  });

  it('is set anew, ends all sessions, and verifies the e-mail that had the token', () => {
    given(userDecider, registered, offered(0)).when(reset).then(changed, verified);
    given(userDecider, registered, verified, offered(0)).when(reset).then(changed);
  });

  it.each([
    ['a new password', changed],
    ['the end of all sessions', { type: 'SessionsEnded', data: { accountId: 'a1', epoch: 1 } }],
    ['another e-mail', emailChanged],
  ] as const)('is not set any more after %s, nor by the same token after another offer', (_what, event) => {
    given(userDecider, registered, offered(0), event).when(reset).thenRefused('TOKEN_INVALID', 'token');
    if (event === emailChanged) return;
    given(userDecider, registered, offered(0), event, offered(1))
      .when(reset)
      .thenRefused('TOKEN_INVALID', 'token');
  });

  it('is not set for another e-mail than that of the token, nor for an erased user', () => {
    given(userDecider, registered, offered(0))
      .when({ ...reset, emailHash: 'h2' })
      .thenRefused('TOKEN_INVALID', 'token');
    given(userDecider, registered, offered(0), { type: 'UserErased', data: { accountId: 'a1' } })
      .when(reset)
      .thenRefused('NOT_FOUND');
  });
});

describe('another e-mail of a user', () => {
  const registered: UserEvent = { type: 'UserRegistered', data: { accountId: 'a1', ...sealed } };
  const to = (n: number) => ({ email: `v1:u1:${n}`, emailHash: `h${n}` });
  const asking = (n: number) => ({
    ...to(n),
    previousHash: 'h1',
    epoch: 0,
    expiresAt: '2026-11-24T12:00:00.000Z',
  });
  const asked = (n: number): UserEvent => ({
    type: 'EmailChangeRequested',
    data: { accountId: 'a1', ...asking(n) },
  });
  const changed = (n: number, from: object): UserEvent =>
    ({ type: 'EmailChanged', data: { accountId: 'a1', ...to(n), ...from } }) as UserEvent;
  const first = { previous: 'v1:u1:e', previousHash: 'h1' };

  it('is asked for with the password that is good at the moment', () => {
    given(userDecider, registered)
      .when({ type: 'RequestEmailChange', change: asking(2) })
      .then(asked(2));
    given(userDecider, registered, { type: 'SessionsEnded', data: { accountId: 'a1', epoch: 1 } })
      .when({ type: 'RequestEmailChange', change: asking(2) })
      .thenRefused('PASSWORD_WRONG', 'password');
  });

  it('takes the place of the one before, once', () => {
    given(userDecider, registered, asked(2))
      .when({ type: 'ChangeEmail', ...to(2) })
      .then(changed(2, first));
    given(userDecider, registered, asked(2), changed(2, first))
      .when({ type: 'ChangeEmail', ...to(2) })
      .then();
  });

  it('tells the e-mail before it, also when two were asked for at once', () => {
    given(userDecider, registered, asked(2), asked(3), changed(2, first))
      .when({ type: 'ChangeEmail', ...to(3) })
      .then(changed(3, { previous: 'v1:u1:2', previousHash: 'h2' }));
  });

  it('is verified', () => {
    given(userDecider, registered, asked(2), changed(2, first)).when({ type: 'VerifyEmail' }).then();
  });

  it('is not given to an erased user', () => {
    given(userDecider, registered, asked(2), { type: 'UserErased', data: { accountId: 'a1' } })
      .when({ type: 'ChangeEmail', ...to(2) })
      .thenRefused('NOT_FOUND');
  });
});

describe('the e-mail of a user', () => {
  const registered: UserEvent = { type: 'UserRegistered', data: { accountId: 'a1', ...sealed } };
  const verified: UserEvent = { type: 'EmailVerified', data: { accountId: 'a1' } };

  it('is verified once', () => {
    given(userDecider, registered).when({ type: 'VerifyEmail' }).then(verified);
    given(userDecider, registered, verified).when({ type: 'VerifyEmail' }).then();
  });

  it('is not verified where there is no user any more', () => {
    given(userDecider).when({ type: 'VerifyEmail' }).thenRefused('NOT_FOUND');
    given(userDecider, registered, { type: 'UserErased', data: { accountId: 'a1' } })
      .when({ type: 'VerifyEmail' })
      .thenRefused('NOT_FOUND');
  });
});

describe('the name of a user', () => {
  const registered: UserEvent = { type: 'UserRegistered', data: { accountId: 'a1', ...sealed } };
  const update = { type: 'UpdateProfile', accountId: 'a1', name: 'v1:u1:m' } as const;

  it('changes', () => {
    given(userDecider, registered)
      .when(update)
      .then({ type: 'ProfileUpdated', data: { accountId: 'a1', name: 'v1:u1:m' } });
    given(userDecider).when(update).thenRefused('NOT_FOUND');
  });
});

describe('an account', () => {
  const open = { type: 'OpenAccount', ownerId: 'u1' } as const;
  const opened: AccountEvent = { type: 'AccountOpened', data: { ownerId: 'u1' } };
  const remove = { type: 'DeleteAccount', ownerId: 'u1', emailHash: 'h1', by: 'user:u1' } as const;
  const deleted: AccountEvent = {
    type: 'AccountDeleted',
    data: { ownerId: 'u1', emailHash: 'h1', by: 'user:u1' },
  };

  it('is opened for its owner', () => {
    given(accountDecider).when(open).then(opened);
  });

  it('is opened once, however often the policy asks, and never again', () => {
    given(accountDecider, opened).when(open).then();
    given(accountDecider, opened, deleted).when(open).then();
  });

  it('is renamed as often as somebody asks, by what was sealed for its owner', () => {
    const rename = { type: 'RenameAccount', ownerId: 'u1', name: 'v1:u1:n' } as const;
    const renamed: AccountEvent = { type: 'AccountRenamed', data: { ownerId: 'u1', name: 'v1:u1:n' } };
    given(accountDecider, opened).when(rename).then(renamed);
    given(accountDecider, opened, renamed).when(rename).then(renamed);
    given(accountDecider, opened, renamed).when(open).then();
    given(accountDecider).when(rename).thenRefused('NOT_FOUND');
    given(accountDecider, opened)
      .when({ ...rename, ownerId: 'u2' })
      .thenRefused('NOT_FOUND');
  });

  it('is not renamed once it is deleted, nor there again for a name that comes late', () => {
    const rename = { type: 'RenameAccount', ownerId: 'u1', name: 'v1:u1:n' } as const;
    const renamed: AccountEvent = { type: 'AccountRenamed', data: { ownerId: 'u1', name: 'v1:u1:n' } };
    given(accountDecider, opened, deleted).when(rename).thenRefused('NOT_FOUND');
    given(accountDecider, opened, deleted, renamed).when(rename).thenRefused('NOT_FOUND');
  });

  it('is deleted once, whoever asks again', () => {
    given(accountDecider, opened).when(remove).then(deleted);
    given(accountDecider, opened, deleted)
      .when({ ...remove, by: 'operator' })
      .then();
  });

  it('is deleted for its owner alone, and only when there is one', () => {
    given(accountDecider, opened)
      .when({ ...remove, ownerId: 'u2' })
      .thenRefused('NOT_FOUND');
    given(accountDecider).when(remove).thenRefused('NOT_FOUND');
  });
});
