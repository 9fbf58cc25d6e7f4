import { account, email, user } from '../../src/accounts/decide.js';
import type { AccountEvent, EmailEvent, UserEvent } from '../../src/accounts/events.js';
import { given } from '../eventsourcing/given.js';

const sealed = { email: 'v1:u1:e', name: 'v1:u1:n' };

describe('an e-mail', () => {
  const data = { userId: 'u1', accountId: 'a1', ...sealed, passwordHash: 'v1:u1:p' };
  const registered: EmailEvent = { type: 'EmailRegistered', data };

  it('is registered when nobody has it', () => {
    given(email).when(data).then(registered);
  });

  it('is refused to the next one, also with the very same data', () => {
    const other = { ...data, userId: 'u2', accountId: 'a2' };
    given(email, registered).when(other).thenRefused('EMAIL_TAKEN', 'email');
    given(email, registered).when(data).thenRefused('EMAIL_TAKEN', 'email');
  });
});

describe('a user', () => {
  const data = { accountId: 'a1', ...sealed };
  const registered: UserEvent = { type: 'UserRegistered', data };

  it('is registered', () => {
    given(user).when(data).then(registered);
  });

  it('is registered once, however often the policy asks', () => {
    given(user, registered).when(data).then();
  });
});

describe('an account', () => {
  const opened: AccountEvent = { type: 'AccountOpened', data: { ownerId: 'u1' } };

  it('is opened for its owner', () => {
    given(account).when({ ownerId: 'u1' }).then(opened);
  });

  it('is opened once, however often the policy asks', () => {
    given(account, opened).when({ ownerId: 'u1' }).then();
  });
});
