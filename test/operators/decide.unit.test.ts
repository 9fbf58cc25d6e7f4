import fc from 'fast-check';
import { operatorsDecider } from '../../src/operators/decide.js';
import type { OperatorEvent, OperatorSource } from '../../src/operators/events.js';
import { Operators } from '../../src/operators/operators.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { fold } from '../../src/eventsourcing/decider.js';
import { given } from '../eventsourcing/given.js';

const ann = { userId: 'ann', accountId: 'a1' };
const bob = { userId: 'bob', accountId: 'b1' };
const event = (
  type: OperatorEvent['type'],
  user: typeof ann,
  source: OperatorSource,
  reason = 'because',
): OperatorEvent => ({ type, data: { ...user, source, reason } });
const granted = (user: typeof ann, source: OperatorSource = 'operator', reason?: string) =>
  event('OperatorGranted', user, source, reason);
const revoked = (user: typeof ann, source: OperatorSource = 'operator', reason?: string) =>
  event('OperatorRevoked', user, source, reason);
const grant = (user: typeof ann) => ({ type: 'GrantOperator', user, reason: 'because' }) as const;
const revoke = ({ userId }: typeof ann) => ({ type: 'RevokeOperator', userId, reason: 'because' }) as const;
const configure = (...users: (typeof ann)[]) => ({ type: 'ConfigureOperators', users }) as const;

describe('an operator', () => {
  it('is granted once by another, and again after being revoked', () => {
    given(operatorsDecider).when(grant(ann)).then(granted(ann));
    given(operatorsDecider, granted(ann)).when(grant(ann)).then();
    given(operatorsDecider, granted(bob), granted(ann), revoked(ann)).when(grant(ann)).then(granted(ann));
  });

  it('is revoked by another, whoever is none is not found', () => {
    given(operatorsDecider, granted(ann), granted(bob)).when(revoke(ann)).then(revoked(ann));
    given(operatorsDecider, granted(ann)).when(revoke(bob)).thenRefused('NOT_FOUND', 'userId');
    given(operatorsDecider, granted(ann), granted(bob), revoked(ann))
      .when(revoke(ann))
      .thenRefused('NOT_FOUND', 'userId');
  });

  it('stays when there would be none left', () => {
    given(operatorsDecider, granted(ann)).when(revoke(ann)).thenRefused('LAST_OPERATOR', 'userId');
    given(operatorsDecider, granted(ann), granted(bob), revoked(ann))
      .when(revoke(bob))
      .thenRefused('LAST_OPERATOR', 'userId');
  });

  it('whom the configuration names stays until it does no more', () => {
    given(operatorsDecider, granted(ann, 'configuration'), granted(bob))
      .when(revoke(ann))
      .thenRefused('OPERATOR_CONFIGURED', 'userId');
    given(operatorsDecider, granted(ann, 'configuration'), granted(bob)).when(revoke(bob)).then(revoked(bob));
  });

  it('comes and goes with the configuration, which is told once', () => {
    const named = granted(ann, 'configuration', 'named in OPERATORS');
    const gone = revoked(ann, 'configuration', 'no longer named in OPERATORS');
    given(operatorsDecider).when(configure(ann)).then(named);
    given(operatorsDecider, named).when(configure(ann)).then();
    given(operatorsDecider, named)
      .when(configure(bob))
      .then(granted(bob, 'configuration', 'named in OPERATORS'), gone);
    given(operatorsDecider, named).when(configure()).then(gone);
    given(operatorsDecider, named, gone).when(configure()).then();
  });

  it('whom both have made one stays one when the configuration does not name it any more', () => {
    const both = [granted(ann), granted(ann, 'configuration')];
    const gone = revoked(ann, 'configuration', 'no longer named in OPERATORS');
    given(operatorsDecider, ...both)
      .when(configure())
      .then(gone);
    given(operatorsDecider, ...both, gone)
      .when(revoke(ann))
      .thenRefused('LAST_OPERATOR', 'userId');
    given(operatorsDecider, granted(bob)).when(configure()).then();
  });

  it('goes with the account, the last one too', () => {
    const remove = { type: 'RemoveOperator', userId: 'ann' } as const;
    const deleted = 'the account was deleted';
    given(operatorsDecider, granted(ann), granted(ann, 'configuration'))
      .when(remove)
      .then(revoked(ann, 'operator', deleted), revoked(ann, 'configuration', deleted));
    given(operatorsDecider, granted(bob)).when(remove).then();
  });
});

const stored = ({ type, data }: OperatorEvent, revision: number): StoredEvent =>
  new StoredEvent(
    revision + 1,
    'operators-main',
    revision,
    `e${revision}`,
    type,
    JSON.stringify(data),
    '{"schemaVersion":1}',
  );

it('in memory they are what the stream says, in whatever order and however often its events come', () => {
  const change = fc.tuple(
    fc.boolean(),
    fc.constantFrom(ann, bob),
    fc.constantFrom<OperatorSource>('operator', 'configuration'),
  );
  const history = fc
    .array(change, { maxLength: 12 })
    .map((changes) =>
      changes.map(([on, user, source], revision) =>
        stored(on ? granted(user, source) : revoked(user, source), revision),
      ),
    );
  const arrivals = history.chain((events) =>
    fc.record({
      events: fc.constant(events),
      order: fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
    }),
  );
  fc.assert(
    fc.property(arrivals, ({ events, order }) => {
      const memory = new Operators();
      for (const event of order) memory.apply(event);
      const state = fold(operatorsDecider, events);
      for (const { userId, accountId } of [ann, bob]) {
        expect(memory.has(userId)).toBe(state.has(userId));
        const key = { accountId, environment: 'live', scopes: ['admin'] } as const;
        expect(memory.actBy(key)).toBe(state.has(userId));
        expect(memory.actBy({ ...key, environment: 'test' })).toBe(false);
        expect(memory.actBy({ ...key, scopes: ['read', 'write'] })).toBe(false);
      }
    }),
  );
});
