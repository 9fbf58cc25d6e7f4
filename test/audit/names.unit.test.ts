import fc from 'fast-check';
import { actorOf, actorText, storedActors, subjectText } from '../../src/audit/names.js';

const ID = '0b6f1a52-7d1e-4c0a-9a51-3d3c2b1a0f9e';

it.each([
  [`user:${ID}`, { type: 'user', actorId: `usr_${ID}`, asOperator: false }, `usr_${ID}`],
  [`key:${ID}`, { type: 'key', actorId: `key_${ID}`, asOperator: false }, `key_${ID}`],
  [`operator:${ID}`, { type: 'user', actorId: `usr_${ID}`, asOperator: true }, `operator:usr_${ID}`],
  [`operator:key:${ID}`, { type: 'key', actorId: `key_${ID}`, asOperator: true }, `operator:key_${ID}`],
  ['operator:ada', { type: 'command_line', actorId: 'ada', asOperator: true }, 'operator:ada'],
  ['policy:revoke-keys', { type: 'policy', actorId: 'revoke-keys', asOperator: false }, 'policy:revoke-keys'],
  ['stripe', { type: 'system', actorId: 'stripe', asOperator: false }, 'stripe'],
  ['system', { type: 'system', actorId: null, asOperator: false }, 'system'],
])('%s is shown by type and id', (stored, actor, text) => {
  expect(actorOf(stored)).toEqual(actor);
  expect(actorText(stored)).toBe(text);
});

it('an actor is found by what is shown of it, by its text in an export, and by what facts say', () => {
  const ids = fc.oneof(fc.uuid(), fc.constantFrom('ada', 'revoke-keys'));
  const kinds = fc.constantFrom('user:', 'key:', 'operator:key:', 'operator:', 'policy:');
  fc.assert(
    fc.property(kinds, ids, (kind, id) => {
      const stored = kind + id;
      for (const asked of [stored, actorText(stored), actorOf(stored).actorId ?? '']) {
        expect(storedActors(asked)).toContain(stored);
      }
    }),
  );
  expect(storedActors('system')).toContain('system');
});

it('the id of another kind finds nobody', () => {
  expect(storedActors(`usr_${ID}`)).toEqual([`operator:${ID}`, `user:${ID}`]);
  expect(storedActors(`operator:usr_${ID}`)).toEqual([`operator:${ID}`]);
});

it.each([
  [`key:${ID}`, `key_${ID}`],
  [`account:${ID}`, `acc_${ID}`],
  [`subscription:${ID}`, `acc_${ID}`],
  [`overage:${ID}`, `acc_${ID}`],
  [`invitation:${ID}`, `inv_${ID}`],
  [`analysis:${ID}`, `ana_${ID}`],
  [`rule-set:${ID}`, `rul_${ID}`],
  [`webhook_endpoint:${ID}`, `whe_${ID}`],
  ['invoice:in_1Qx', 'in_1Qx'],
  ['use:17', 'use:17'],
  ['operators:main', 'operators:main'],
  ['KeyIssued:key-1:0', 'KeyIssued:key-1:0'],
])('what something was done to: %s', (stored, shown) => expect(subjectText(stored)).toBe(shown));
