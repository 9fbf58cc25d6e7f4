import fc from 'fast-check';
import { PositionTokens } from '../../src/eventsourcing/positionToken.js';

const tokens = new PositionTokens('0b9a3e0e-6d5f');
const raw = (text: string): string => Buffer.from(text).toString('base64url');

it('reads back every position', () => {
  fc.assert(
    fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (position) => {
      expect(tokens.decode(tokens.encode(position))).toBe(position);
    }),
    { examples: [[0], [Number.MAX_SAFE_INTEGER]] },
  );
});

it('refuses a token of another store', () => {
  expect(new PositionTokens('1b9a3e0e-6d5f').decode(tokens.encode(7))).toBeUndefined();
});

it.each([
  '',
  'x',
  '🐙',
  '7',
  raw('0b9a3e0e'),
  raw('0b9a3e0e.'),
  raw('0b9a3e0e.-1'),
  raw('0b9a3e0e.1e3!'),
  raw('0b9a3e0e.A'),
  raw('0b9a3e0e. 1'),
  raw('0b9a3e0e.zzzzzzzzzzz'),
  raw('0b9a3e0e.111111111111'),
  raw('.7'),
])('refuses what is no token: %s', (token) => {
  expect(tokens.decode(token)).toBeUndefined();
});
