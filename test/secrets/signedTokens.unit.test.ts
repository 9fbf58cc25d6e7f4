import fc from 'fast-check';
import { SignedTokens } from '../../src/secrets/signedTokens.js';

const END = new Date('2026-11-29T12:00:00Z');
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
  expect(tokens.verify('another', token, 0)).toBeUndefined();
  expect(new SignedTokens(Buffer.alloc(32, 8)).verify('verify-email', token, 0)).toBeUndefined();
});

it('are good only as they were signed', () => {
  const token = tokens.sign('verify-email', 'u1', END);
  for (let at = 0; at < token.length; at++) {
    const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    expect(tokens.verify('verify-email', changed, 0)).toBeUndefined();
  }
  const [body, mac] = token.split('.') as [string, string];
  for (const text of ['', '.', body, `${body}.`, `.${mac}`, `${token}.`, `${token}.x`, 'ä.ö']) {
    expect(tokens.verify('verify-email', text, 0)).toBeUndefined();
  }
});
