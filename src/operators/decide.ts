import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { OperatorEvent, OperatorSource } from './events.js';

/** A user with the account of their own. */
export interface OperatorUser {
  readonly userId: string;
  readonly accountId: string;
}

export type OperatorCommand =
  | { readonly type: 'GrantOperator'; readonly user: OperatorUser; readonly reason: string }
  | { readonly type: 'RevokeOperator'; readonly userId: string; readonly reason: string }
  /** Those whom the configuration names, all of them. */
  | { readonly type: 'ConfigureOperators'; readonly users: readonly OperatorUser[] }
  /** The user is gone. */
  | { readonly type: 'RemoveOperator'; readonly userId: string };

interface Grants {
  readonly accountId: string;
  readonly sources: readonly OperatorSource[];
}

/** By user; only those who are operators. */
type State = ReadonlyMap<string, Grants>;

export const operatorsDecider: Decider<State, OperatorCommand, OperatorEvent> = {
  initial: new Map(),
  evolve: (state, { type, data: { userId, accountId, source } }) => {
    const others = (state.get(userId)?.sources ?? []).filter((known) => known !== source);
    const sources = type === 'OperatorGranted' ? [...others, source] : others;
    const next = new Map(state);
    if (sources.length > 0) next.set(userId, { accountId, sources });
    else next.delete(userId);
    return next;
  },
  decide: (state, command) => {
    switch (command.type) {
      case 'GrantOperator': {
        const { user, reason } = command;
        if (has(state, user.userId, 'operator')) return accept();
        return accept(granted(user, 'operator', reason));
      }
      case 'RevokeOperator': {
        const { userId, reason } = command;
        const grants = state.get(userId);
        if (!grants) return refuse('NOT_FOUND', 'There is no operator with this id.', 'userId');
        if (grants.sources.includes('configuration')) {
          return refuse(
            'OPERATOR_CONFIGURED',
            'The configuration makes this user an operator: take the e-mail out of OPERATORS.',
            'userId',
          );
        }
        if (state.size === 1) {
          return refuse('LAST_OPERATOR', 'This is the last operator: make another one first.', 'userId');
        }
        return accept(revoked({ userId, accountId: grants.accountId }, 'operator', reason));
      }
      case 'ConfigureOperators': {
        const { users } = command;
        const named = new Set(users.map(({ userId }) => userId));
        const gone = [...state].filter(
          ([userId, { sources }]) => sources.includes('configuration') && !named.has(userId),
        );
        return accept(
          ...users
            .filter(({ userId }) => !has(state, userId, 'configuration'))
            .map((user) => granted(user, 'configuration', 'named in OPERATORS')),
          ...gone.map(([userId, { accountId }]) =>
            revoked({ userId, accountId }, 'configuration', 'no longer named in OPERATORS'),
          ),
        );
      }
      case 'RemoveOperator': {
        const { userId } = command;
        const { accountId = '', sources = [] } = state.get(userId) ?? {};
        return accept(
          ...sources.map((source) => revoked({ userId, accountId }, source, 'the account was deleted')),
        );
      }
    }
  },
};

const has = (state: State, userId: string, source: OperatorSource): boolean =>
  state.get(userId)?.sources.includes(source) ?? false;

function granted(user: OperatorUser, source: OperatorSource, reason: string): OperatorEvent {
  const { userId, accountId } = user;
  return { type: 'OperatorGranted', data: { userId, accountId, source, reason } };
}

function revoked(user: OperatorUser, source: OperatorSource, reason: string): OperatorEvent {
  const { userId, accountId } = user;
  return { type: 'OperatorRevoked', data: { userId, accountId, source, reason } };
}
