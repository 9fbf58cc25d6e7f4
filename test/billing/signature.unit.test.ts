import { signatureCheck } from '../../src/adapters/stripe/signature.js';

it('refuses secrets that are empty: whoever knew that could sign', () => {
  expect(() => signatureCheck(['whsec_abc', ' '])).toThrow(RangeError);
});
