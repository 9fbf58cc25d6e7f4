import fc from 'fast-check';
import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import { subjectId } from '../../src/usage/events.js';

/** Texts of which parts are likely to look like separators. */
const text = fc.oneof(
  fc.array(fc.constantFrom('a', '|', ' ', ',', ':', '"', '\\', '\0', '\u0001', '\ud83d'), { maxLength: 4 }),
  fc.constantFrom(['live'], ['test'], ['key'], ['null']),
);
const parts = fc.array(
  text.map((characters) => characters.join('')),
  { maxLength: 4 },
);

it('is the same for the same parts, and for no others', () => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = a.length === b.length && a.every((part, i) => part === b[i]);
      expect(compositeKey(...a) === compositeKey(...b)).toBe(same);
    }),
    {
      examples: [
        [
          ['a|b', 'c'],
          ['a', 'b|c'],
        ],
        [['a', 'b'], ['a,b']],
      ],
    },
  );
});

it('a subject has a name that no other has', () => {
  const subject = fc.record({
    accountId: text.map((characters) => characters.join('')),
    environment: fc.constantFrom<'live' | 'test'>('live', 'test'),
    keyId: fc.option(
      text.map((characters) => characters.join('')),
      { nil: undefined },
    ),
  });
  const parts = ({ accountId, environment, keyId }: Parameters<typeof subjectId>[0]): string =>
    JSON.stringify(keyId === undefined ? [accountId, environment] : [keyId]);
  fc.assert(
    fc.property(subject, subject, (a, b) => {
      expect(subjectId(a) === subjectId(b)).toBe(parts(a) === parts(b));
    }),
    {
      examples: [
        [
          { accountId: 'key', environment: 'live', keyId: undefined },
          { accountId: 'x', environment: 'live', keyId: 'live' },
        ],
      ],
    },
  );
});
