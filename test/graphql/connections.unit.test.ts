import type { Connection } from '../../src/graphql/transport/openConnections.js';
import { accountIdsOf, Connections, MAX_CONNECTIONS } from '../../src/graphql/transport/openConnections.js';
import type { Caller } from '../../src/graphql/kit/context.js';

const session = (accountId: string): Extract<Caller, { kind: 'session' }> => ({
  kind: 'session',
  accountId,
  session: { userId: 'u', accountId: 'own', sessionId: 's', epoch: 0 },
  role: 'viewer',
  operator: false,
});

/** A connection whose caller is refused by now; the codes that it was ended with. */
function connectionIn(accountId: string): Connection & { readonly ended: unknown[] } {
  const ended: unknown[] = [];
  return {
    accountIds: accountIdsOf(session(accountId)),
    authenticate: () => ({ kind: 'refused', code: 'SESSION_ENDED' }),
    end: (code) => void ended.push(code),
    ended,
  };
}

it('a connection in another account is ended by what ends there, and by what ends the user’s own session', async () => {
  for (const [accountId, over, ended] of [
    ['team', 'team', true],
    ['team', 'own', true],
    ['own', 'own', true],
    ['team', 'third', false],
    ['own', 'team', false],
  ] as const) {
    const connections = new Connections();
    const connection = connectionIn(accountId);
    connections.open(connection);
    connections.checkAccount(over);
    await new Promise((resolve) => setImmediate(resolve));
    expect([accountId, over, connection.ended]).toEqual([accountId, over, ended ? ['SESSION_ENDED'] : []]);
  }
});

it('counts for both accounts, and for neither once it is closed or was refused', () => {
  const connections = new Connections();
  const open = Array.from({ length: MAX_CONNECTIONS }, () => connectionIn('team'));
  for (const connection of open) expect(connections.open(connection)).toBe(true);
  expect(connections.open(connectionIn('third'))).toBe(false);
  expect(connections.open(connectionIn('own'))).toBe(false);
  connections.closed(open[0] as Connection);
  expect(connections.open(connectionIn('third'))).toBe(true);
  expect(connections.open(connectionIn('own'))).toBe(false);
});
