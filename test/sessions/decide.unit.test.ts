import type { UserEvent } from '../../src/accounts/events.js';
import { allSessionsDecider } from '../../src/sessions/decideAllSessions.js';
import { sessionDecider } from '../../src/sessions/decideSession.js';
import type { SessionEvent } from '../../src/sessions/events.js';
import { given } from '../eventsourcing/given.js';

describe('a session', () => {
  const data = { userId: 'u1', accountId: 'a1', epoch: 2, how: 'password' } as const;
  const started: SessionEvent = { type: 'SessionStarted', data };
  const ended: SessionEvent = {
    type: 'SessionEnded',
    data: { userId: 'u1', accountId: 'a1', reason: 'signed_out' },
  };

  it('starts, once', () => {
    given(sessionDecider).when({ type: 'StartSession', session: data }).then(started);
    given(sessionDecider, started).when({ type: 'StartSession', session: data }).then();
  });

  it('ends once, for the first reason', () => {
    given(sessionDecider, started).when({ type: 'EndSession', reason: 'signed_out' }).then(ended);
    given(sessionDecider, started, ended).when({ type: 'EndSession', reason: 'refresh_token_reused' }).then();
  });

  it('never starts again', () => {
    given(sessionDecider, started, ended).when({ type: 'StartSession', session: data }).then();
  });

  it('that never started has no end', () => {
    given(sessionDecider).when({ type: 'EndSession', reason: 'signed_out' }).thenRefused('NOT_FOUND');
  });
});

describe('the sessions of a user', () => {
  const registered: UserEvent = {
    type: 'UserRegistered',
    data: { accountId: 'a1', email: 'v1:u1:e', name: 'v1:u1:n' },
  };
  const ended = (epoch: number): UserEvent => ({ type: 'SessionsEnded', data: { accountId: 'a1', epoch } });
  const end = { type: 'EndSessions', accountId: 'a1' } as const;

  it('all end with the next epoch, as often as they are told to', () => {
    given(allSessionsDecider, registered).when(end).then(ended(1));
    given(allSessionsDecider, registered, ended(1), ended(2)).when(end).then(ended(3));
  });

  it('have no end before there is a user, nor once it is erased', () => {
    given(allSessionsDecider).when(end).thenRefused('NOT_FOUND');
    given(allSessionsDecider, registered, { type: 'UserErased', data: { accountId: 'a1' } })
      .when(end)
      .thenRefused('NOT_FOUND');
  });

  it('stay ended with an erased user, whatever comes late', () => {
    const erased: UserEvent = { type: 'UserErased', data: { accountId: 'a1' } };
    given(allSessionsDecider, registered, erased, ended(1)).when(end).thenRefused('NOT_FOUND');
  });

  it('end with a changed password, so that the next end is of the epoch after it', () => {
    const changed: UserEvent = {
      type: 'PasswordChanged',
      data: { accountId: 'a1', passwordHash: 'v1:u1:q', epoch: 4 },
    };
    given(allSessionsDecider, registered, changed).when(end).then(ended(5));
  });
});
