import fc from 'fast-check';
import { mintKey, isWellFormed } from '../../src/keys/format.js';

const PREFIXES = ['sk_live_', 'sk_test_', 'glyph_sk_live_', 'hm_'];
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const prefix = fc.constantFrom(...PREFIXES);
/** A minted key, and a place in it. */
const keyAndPlace = prefix
  .map((p) => mintKey(p))
  .chain((key) => fc.tuple(fc.constant(key), fc.nat(key.length - 1)));

it('mints a prefix and 32 base62 characters that parse', () => {
  fc.assert(
    fc.property(prefix, (p) => {
      const key = mintKey(p);
      expect(key).toMatch(new RegExp(`^${p}[0-9A-Za-z]{32}$`));
      expect(isWellFormed(key, PREFIXES)).toBe(true);
    }),
  );
});

it('mints as many characters as are asked for, which parse too', () => {
  fc.assert(
    fc.property(prefix, fc.integer({ min: 24, max: 64 }), (p, length) => {
      const key = mintKey(p, length);
      expect(key.length).toBe(p.length + length);
      expect(isWellFormed(key, PREFIXES)).toBe(true);
    }),
  );
});

it('never mints the same key twice', () => {
  expect(new Set(Array.from({ length: 1_000 }, () => mintKey('sk_live_'))).size).toBe(1_000);
});

describe('refuses a key', () => {
  it('with one changed character', () => {
    fc.assert(
      fc.property(keyAndPlace, fc.constantFrom(...BASE62, '_', '-', ' ', 'é'), ([key, i], other) => {
        fc.pre(key[i] !== other);
        expect(isWellFormed(key.slice(0, i) + other + key.slice(i + 1), PREFIXES)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('with two neighbours swapped', () => {
    fc.assert(
      fc.property(keyAndPlace, ([key, i]) => {
        fc.pre(i > 0 && key[i - 1] !== key[i]);
        const swapped = `${key.slice(0, i - 1)}${key[i]}${key[i - 1]}${key.slice(i + 1)}`;
        expect(isWellFormed(swapped, PREFIXES)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('with a character missing, doubled or added', () => {
    fc.assert(
      fc.property(keyAndPlace, fc.constantFrom(...BASE62, ' ', '\n'), ([key, i], added) => {
        for (const text of [
          key.slice(0, i) + key.slice(i + 1),
          key.slice(0, i) + key[i] + key.slice(i),
          key.slice(0, i) + added + key.slice(i),
          key + added,
          added + key,
        ]) {
          expect(isWellFormed(text, PREFIXES)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of another prefix, though its checksum is right', () => {
    expect(isWellFormed(mintKey('other_'), PREFIXES)).toBe(false);
    expect(isWellFormed(mintKey('sk_test_'), ['sk_live_'])).toBe(false);
  });

  it('whose prefix was exchanged for another of ours', () => {
    const live = mintKey('sk_live_');
    expect(isWellFormed(live.replace('sk_live_', 'sk_test_'), PREFIXES)).toBe(false);
  });

  it('that is any other text', () => {
    fc.assert(fc.property(fc.string(), (text) => !isWellFormed(text, PREFIXES)));
  });
});

it('knows prefixes of which one begins with the other, in either order', () => {
  for (const prefixes of [
    ['sk_', 'sk_test_'],
    ['sk_test_', 'sk_'],
  ]) {
    expect(isWellFormed(mintKey('sk_'), prefixes)).toBe(true);
    expect(isWellFormed(mintKey('sk_test_'), prefixes)).toBe(true);
  }
});
