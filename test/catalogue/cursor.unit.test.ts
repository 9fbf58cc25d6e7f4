import fc from 'fast-check';
import { Cursors } from '../../src/catalogue/cursor.js';

const cursors = new Cursors(Buffer.alloc(32, 1));
const place = { uses: 12, published: 345 };

it('reads back what it wrote', () => {
  const whole = fc.nat(Number.MAX_SAFE_INTEGER);
  fc.assert(
    fc.property(whole, whole, (uses, published) => {
      expect(cursors.decode(cursors.encode({ uses, published }))).toEqual({ uses, published });
    }),
  );
});

it('refuses a cursor of which any bit was turned', () => {
  const bytes = Buffer.from(cursors.encode(place), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const turned = Buffer.from(bytes);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(cursors.decode(turned.toString('base64url'))).toBeUndefined();
  }
});

it('refuses a cursor that was cut or continued', () => {
  const bytes = Buffer.from(cursors.encode(place), 'base64url');
  for (let length = 0; length < bytes.length; length++) {
    expect(cursors.decode(bytes.subarray(0, length).toString('base64url'))).toBeUndefined();
  }
  expect(cursors.decode(Buffer.concat([bytes, Buffer.from('0')]).toString('base64url'))).toBeUndefined();
});

it('refuses a cursor of another key', () => {
  expect(new Cursors(Buffer.alloc(32, 2)).decode(cursors.encode(place))).toBeUndefined();
});

it.each(['', 'x', 'not a cursor', '🐙', '../../etc', 'A'.repeat(100_000)])(
  'refuses what is no cursor: %.20s',
  (text) => {
    expect(cursors.decode(text)).toBeUndefined();
  },
);
