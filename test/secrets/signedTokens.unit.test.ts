import fc from 'fast-check';
import { SignedTokens } from '../../src/secrets/signedTokens.js';

const END = new Date('2026-11-29T12:00:00Z');
const BEFORE = END.getTime() - 3_600_000;
const tokens = new SignedTokens(Buffer.alloc(32, 7));

it('say for whom they are until they are over, and are the same each time', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.integer({ min: -1_000, max: 1_000 }), (purpose, subject, ms) => {
      const token = tokens.sign(purpose, subject, END);
      expect(tokens.sign(purpose, subject, END)).toBe(token);
      expect(tokens.verify(purpose, token, END.getTime() + ms)).toBe(ms < 0 ? subject : undefined);
    }),
  );
});

it('are good for one purpose and from one server alone', () => {
  const token = tokens.sign('verify-email', 'u1', END);
  expect(tokens.verify('another', token, BEFORE)).toBeUndefined();
  expect(new SignedTokens(Buffer.alloc(32, 8)).verify('verify-email', token, BEFORE)).toBeUndefined();
});

it('are good only as they were signed', () => {
  const token = tokens.sign('verify-email', 'u1', END);
  for (let at = 0; at < token.length; at++) {
    const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    expect(tokens.verify('verify-email', changed, BEFORE)).toBeUndefined();
  }
  const [body, mac] = token.split('.') as [string, string];
  for (const text of ['', '.', body, `${body}.`, `.${mac}`, `${token}.`, `${token}.x`, 'ä.ö']) {
    expect(tokens.verify('verify-email', text, BEFORE)).toBeUndefined();
  }
});

it('are good for twice their life at most, though they were made by a clock that was ahead', () => {
  const token = tokens.sign('reset-password', 'u1', END);
  const at = (ms: number) => tokens.verify('reset-password', token, END.getTime() - ms, 3_600_000);
  expect([at(1), at(3_600_000), at(7_200_000), at(7_200_001), at(25 * 3_600_000)]).toEqual([
    'u1',
    'u1',
    'u1',
    undefined,
    undefined,
  ]);
});
